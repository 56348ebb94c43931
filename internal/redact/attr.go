package redact

import (
	"log/slog"
	"slices"
)

// hidden stands for a value of which nothing is shown.
const hidden = "***"

// clean returns a masked, and whether that changed anything.
func clean(a slog.Attr) (slog.Attr, bool) {
	a.Value = a.Value.Resolve()
	kind := a.Value.Kind()
	if kind == slog.KindGroup {
		members := a.Value.Group()
		if !slices.ContainsFunc(members, needsMask) {
			return a, false
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(cleanAll(members)...)}, true
	}
	if secretKey(a.Key) && (kind != slog.KindString || !idLike(a.Value.String())) {
		return slog.String(a.Key, hidden), true
	}
	switch kind {
	case slog.KindString:
		text := a.Value.String()
		masked := Text(text)
		return slog.String(a.Key, masked), masked != text
	case slog.KindAny:
		value, changed := cleanAny(a.Value.Any())
		if !changed {
			return a, false
		}
		return slog.Any(a.Key, value), true
	default:
		return a, false
	}
}

func needsMask(a slog.Attr) bool {
	_, changed := clean(a)
	return changed
}

func cleanAll(attrs []slog.Attr) []slog.Attr {
	masked := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		masked[i], _ = clean(a)
	}
	return masked
}

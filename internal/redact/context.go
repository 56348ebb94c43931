package redact

import (
	"context"
	"log/slog"
	"slices"
)

type contextKey struct{}

// With returns a context whose log lines all carry attrs, such as the id of the request or of the passcode. An
// attribute replaces an earlier one of the same key. The attributes are masked like any other.
func With(ctx context.Context, attrs ...slog.Attr) context.Context {
	carried := slices.Clone(fromContext(ctx))
	for _, a := range cleanAll(attrs) {
		i := slices.IndexFunc(carried, func(old slog.Attr) bool { return old.Key == a.Key })
		if i < 0 {
			carried = append(carried, a)
		} else {
			carried[i] = a
		}
	}
	return context.WithValue(ctx, contextKey{}, carried)
}

func fromContext(ctx context.Context) []slog.Attr {
	attrs, _ := ctx.Value(contextKey{}).([]slog.Attr)
	return attrs
}

// Package redact keeps codes, credentials and people's addresses out of the log: a slog.Handler that masks them in
// every line, whoever wrote it, and adds the ids that the context carries.
//
// A value is masked whole when its key sounds like a secret (see secretKey), at any depth of groups, structs and maps.
// Email addresses, phone numbers, bearer tokens, the user part of a URL and secrets named in a text are masked
// wherever they stand, the message included.
package redact

import (
	"context"
	"log/slog"
	"slices"
)

// New returns a handler that masks what a record holds and hands it to inner.
func New(inner slog.Handler) slog.Handler { return &handler{inner: inner} }

type handler struct {
	inner slog.Handler
	// groups are the groups opened by WithGroup. They are kept here, not in inner, so that the ids from the context
	// stay at the top of every line.
	groups []group
}

type group struct {
	name  string
	attrs []slog.Attr
}

func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.inner.Enabled(ctx, level)
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	attrs = cleanAll(attrs)
	if len(attrs) == 0 {
		return h
	}
	if len(h.groups) == 0 {
		return &handler{inner: h.inner.WithAttrs(attrs)}
	}
	groups := slices.Clone(h.groups)
	last := &groups[len(groups)-1]
	last.attrs = append(slices.Clip(last.attrs), attrs...)
	return &handler{inner: h.inner, groups: groups}
}

func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return &handler{inner: h.inner, groups: append(slices.Clip(h.groups), group{name: name})}
}

func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	ids := fromContext(ctx)
	if len(h.groups) > 0 || dirty(r) {
		r = h.rebuild(r)
	} else if len(ids) > 0 {
		r = r.Clone()
	}
	r.AddAttrs(ids...)
	return h.inner.Handle(ctx, r)
}

// dirty reports whether anything in r has to be masked.
func dirty(r slog.Record) bool {
	if Text(r.Message) != r.Message {
		return true
	}
	found := false
	r.Attrs(func(a slog.Attr) bool {
		_, found = clean(a)
		return !found
	})
	return found
}

// rebuild is r with everything masked and its attributes inside the open groups.
func (h *handler) rebuild(r slog.Record) slog.Record {
	clear := slog.NewRecord(r.Time, r.Level, Text(r.Message), r.PC)
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		a, _ = clean(a)
		attrs = append(attrs, a)
		return true
	})
	for _, g := range slices.Backward(h.groups) {
		attrs = append(slices.Clip(g.attrs), attrs...)
		if len(attrs) > 0 {
			attrs = []slog.Attr{{Key: g.name, Value: slog.GroupValue(attrs...)}}
		}
	}
	clear.AddAttrs(attrs...)
	return clear
}

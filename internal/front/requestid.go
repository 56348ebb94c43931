package front

import (
	"context"
	"encoding/base32"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"net/http"
)

// RequestIDKey is the name under which log lines carry the request id.
const RequestIDKey = "request_id"

const requestIDHeader = "X-Request-Id"

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// setID takes the client's X-Request-Id when there is exactly one and it is sane, and makes an id otherwise.
func (c *requestContext) setID(h http.Header) {
	if given := h[requestIDHeader]; len(given) == 1 && saneID(given[0]) {
		c.header[0] = given[0]
		return
	}
	c.header[0] = newID()
}

// saneID accepts 1 to 64 letters, digits, dots, dashes and underscores: nothing that a log, a shell or a page could
// take for something else.
func saneID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// newID returns 26 characters from 128 random bits. A request id has to be unlike all others, not secret.
func newID() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
	var out [26]byte
	idEncoding.Encode(out[:], b[:])
	return string(out[:])
}

// LogHandler adds the request id of the context to every line that is logged within a request.
type LogHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h LogHandler) Handle(ctx context.Context, record slog.Record) error {
	if id := RequestID(ctx); id != "" && !hasAttr(record, RequestIDKey) {
		record = record.Clone()
		record.AddAttrs(slog.String(RequestIDKey, id))
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h LogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return LogHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h LogHandler) WithGroup(name string) slog.Handler { return LogHandler{h.Handler.WithGroup(name)} }

func hasAttr(record slog.Record, key string) (found bool) {
	record.Attrs(func(a slog.Attr) bool {
		found = a.Key == key
		return !found
	})
	return found
}

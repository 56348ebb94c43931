package front

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// caught ends a request whose handler panicked, and reports whether the connection has to be cut: an answer that
// has begun cannot be taken back, and ending it as if it were whole would be a lie.
func (p *passage) caught(x *exchange, r *http.Request, v any) (abort bool) {
	if v == http.ErrAbortHandler {
		return true // a handler's own wish to cut the connection is no fault
	}
	p.Log.LogAttrs(r.Context(), slog.LevelError, "handler panicked",
		slog.String("route", routeOf(r.Pattern)), slog.String(RequestIDKey, x.request.header[0]),
		slog.String("panic", fmt.Sprint(v)), slog.String("stack", string(debug.Stack())))
	if x.response.status != 0 {
		return true
	}
	clear(x.response.Header())
	for _, fixed := range p.headers {
		x.response.Header()[fixed.key] = fixed.value
	}
	x.response.Header()[requestIDHeader] = x.request.header[:]
	p.refuse(&x.response, r, Internal())
	return false
}

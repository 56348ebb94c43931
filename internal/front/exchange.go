package front

import (
	"context"
	"net/http"
	"net/netip"
)

// exchange is one request and its answer, as one allocation.
type exchange struct {
	request  requestContext
	response response
}

// requestContext carries what the entrance found out about a request.
type requestContext struct {
	context.Context
	// header holds the request id, in the form in which net/http keeps header values.
	header [1]string
	client netip.Addr
}

type contextKey struct{}

// Value implements context.Context.
func (c *requestContext) Value(key any) any {
	if key == (contextKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// RequestID is the id of the request that ctx belongs to, empty outside one.
func RequestID(ctx context.Context) string {
	if c, ok := ctx.Value(contextKey{}).(*requestContext); ok {
		return c.header[0]
	}
	return ""
}

// Client is the address the request that ctx belongs to came from, as Proxies.Client found it. It is the zero Addr
// outside a request.
func Client(ctx context.Context) netip.Addr {
	if c, ok := ctx.Value(contextKey{}).(*requestContext); ok {
		return c.client
	}
	return netip.Addr{}
}

// response notes the status and size of an answer, and puts our words in place of the mux's own 404 and 405.
type response struct {
	http.ResponseWriter
	passage *passage
	request *http.Request
	status  int
	bytes   int64
	// replaced is set while the mux's own text is thrown away.
	replaced bool
}

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	if w.status != 0 || w.replaced {
		return
	}
	if w.request.Pattern == "" && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed) {
		// Only the mux answers before a pattern is known.
		w.replaceWith(unmatched(status, w.Header().Get("Allow")))
		return
	}
	if status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) replaceWith(p Problem) {
	w.replaced = true
	bare := response{ResponseWriter: w.ResponseWriter, request: &http.Request{Pattern: "-"}}
	w.passage.refuse(&bare, w.request, p)
	w.status, w.bytes = bare.status, bare.bytes
}

// Write implements http.ResponseWriter.
func (w *response) Write(b []byte) (int, error) {
	if w.replaced {
		return len(b), nil
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

package front

import (
	"log/slog"
	"net/http"
	"time"
)

// DefaultMaxBody is the largest request body a door is handed when Entrance.MaxBody is zero: 1 MiB.
const DefaultMaxBody = 1 << 20

// Entrance is what every request passes on its way to a door and back: a request id, the client's address, a limit
// on the body, headers that keep answers inert, a net for panics, one line in the access log and one observation.
type Entrance struct {
	Log *slog.Logger
	// Level is the level of the access log's lines; those of refusals have slog.LevelInfo at least. A Log that is not
	// enabled for it costs nothing.
	Level   slog.Level
	Proxies Proxies
	// MaxBody is in bytes. Zero means DefaultMaxBody.
	MaxBody int64
	// HSTS adds Strict-Transport-Security (RFC 6797). Set it when the public URL is https.
	HSTS bool
	// Observe is told of every answer: the route's pattern without its method ("unmatched" when no route took the
	// request), the method ("OTHER" for one that HTTP does not name), the status, the time taken. Both words come
	// from closed sets, so they are fit for metric labels. Nil means nobody asks.
	Observe func(pattern, method string, status int, took time.Duration)
	// Shell draws the page a browser is shown for 404, 405, 413 and 500. Nil means problem documents for all.
	Shell *Shell
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Handler is the entrance in front of the routes mounted on mux.
func (e Entrance) Handler(mux *http.ServeMux) http.Handler {
	if e.MaxBody <= 0 {
		e.MaxBody = DefaultMaxBody
	}
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Log == nil {
		e.Log = slog.New(slog.DiscardHandler)
	}
	return &passage{Entrance: e, mux: mux, headers: inertHeaders(e.HSTS)}
}

// passage is an Entrance at work.
type passage struct {
	Entrance
	mux     *http.ServeMux
	headers []header
}

// header is a response header whose value never changes; the slice is shared by all answers, which saves one
// allocation each. Its capacity is one, so that a handler's Add copies it.
type header struct {
	key   string
	value []string
}

// inertHeaders are on every answer unless its door sets others: nothing is sniffed, framed, cached or embedded.
func inertHeaders(hsts bool) []header {
	hs := []header{
		{"X-Content-Type-Options", []string{"nosniff"}},
		{"Content-Security-Policy", []string{"default-src 'none'; frame-ancestors 'none'"}},
		{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
		{"Cache-Control", []string{"no-store"}},
	}
	if hsts {
		hs = append(hs, header{"Strict-Transport-Security", []string{"max-age=31536000"}})
	}
	return hs
}

func (p *passage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := p.Now()
	x := &exchange{}
	x.request.Context = r.Context()
	x.request.setID(r.Header)
	x.request.client = p.Proxies.Client(r)
	r = r.WithContext(&x.request)
	x.response = response{ResponseWriter: w, passage: p, request: r}

	h := w.Header()
	for _, fixed := range p.headers {
		h[fixed.key] = fixed.value
	}
	h[requestIDHeader] = x.request.header[:]

	defer p.leave(x, r, start)
	if r.ContentLength > p.MaxBody {
		p.refuse(&x.response, r, tooLarge(p.MaxBody))
		return
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(w, r.Body, p.MaxBody)
	}
	p.mux.ServeHTTP(&x.response, r)
}

// leave runs when the door is done, by returning or by panicking.
func (p *passage) leave(x *exchange, r *http.Request, start time.Time) {
	var abort bool
	if v := recover(); v != nil {
		abort = p.caught(x, r, v)
	}
	took := p.Now().Sub(start)
	status := x.response.status
	if status == 0 {
		status = http.StatusOK
	}
	pattern, method := routeOf(r.Pattern), knownMethod(r.Method)
	if p.Observe != nil {
		p.Observe(pattern, method, status, took)
	}
	level := p.Level
	if status >= http.StatusBadRequest {
		level = max(level, slog.LevelInfo)
	}
	if p.Log.Enabled(r.Context(), level) {
		p.Log.LogAttrs(r.Context(), level, "request",
			slog.String("method", method), slog.String("route", pattern), slog.Int("status", status),
			slog.Int64("bytes", x.response.bytes), slog.Duration("took", took),
			slog.String(RequestIDKey, x.request.header[0]))
	}
	if abort {
		panic(http.ErrAbortHandler)
	}
}

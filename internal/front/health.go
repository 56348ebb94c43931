package front

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Check is one thing that has to work before requests are sent our way.
type Check struct {
	// Name is public: "database", "migrations", "keys".
	Name string
	// Check returns nil when it works. The error's text goes to the log only.
	Check func(ctx context.Context) error
}

// Health answers GET /healthz, whether the process lives, and GET /readyz, whether it should be given work.
type Health struct {
	Checks []Check
	Log    *slog.Logger
	// Timeout is what each check gets; zero means one second.
	Timeout time.Duration
	// Fresh is how long an answer serves the next askers, so that strangers cannot turn one cheap request into
	// work for the database. Zero checks every time.
	Fresh time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	draining atomic.Bool
	mu       sync.Mutex // held while checks run, so that one round serves all who wait
	last     []checked
	lastAt   time.Time
}

type checked struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
}

type readiness struct {
	Ready    bool      `json:"ready"`
	Draining bool      `json:"draining"`
	Checks   []checked `json:"checks"`
}

// Drain makes /readyz answer 503 from now on. It is the first step of a graceful stop.
func (h *Health) Drain() { h.draining.Store(true) }

// Mount adds the two paths.
func (h *Health) Mount(routes Routes) {
	routes.Handle("GET /healthz", http.HandlerFunc(h.alive))
	routes.Handle("GET /readyz", http.HandlerFunc(h.ready))
}

func (h *Health) alive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write([]byte(`{"ok":true}` + "\n"))
}

func (h *Health) ready(w http.ResponseWriter, r *http.Request) {
	answer := readiness{Ready: true, Checks: []checked{}}
	if h.draining.Load() {
		answer.Ready, answer.Draining = false, true
	} else {
		answer.Checks = h.round(r.Context())
		for _, c := range answer.Checks {
			answer.Ready = answer.Ready && c.OK
		}
	}
	body, err := json.Marshal(answer)
	if err != nil {
		panic(err) // a struct of booleans and strings always marshals
	}
	w.Header().Set("Content-Type", "application/json")
	if !answer.Ready {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	w.Write(append(body, '\n'))
}

// round runs the checks, or returns the last round while it is fresh. A check outlives an asker who hangs up, so
// that one impatient prober does not make the others see a failure.
func (h *Health) round(ctx context.Context) []checked {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now
	if h.Now != nil {
		now = h.Now
	}
	if h.last != nil && now().Sub(h.lastAt) < h.Fresh {
		return h.last
	}
	ctx = context.WithoutCancel(ctx)
	last := make([]checked, 0, len(h.Checks))
	for _, c := range h.Checks {
		err := h.run(ctx, c)
		last = append(last, checked{Name: c.Name, OK: err == nil})
		if err != nil && h.Log != nil {
			h.Log.LogAttrs(ctx, slog.LevelWarn, "not ready", slog.String("check", c.Name), slog.Any("error", err))
		}
	}
	h.last, h.lastAt = last, now()
	return last
}

func (h *Health) run(ctx context.Context, c Check) (err error) {
	timeout := h.Timeout
	if timeout <= 0 {
		timeout = time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("check %s: panic: %v", c.Name, v)
		}
	}()
	return c.Check(ctx)
}

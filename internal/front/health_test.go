package front_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/front"
)

func TestReadiness(t *testing.T) {
	fine := front.Check{Name: "keys", Check: func(context.Context) error { return nil }}
	broken := front.Check{Name: "database", Check: func(context.Context) error { return errors.New("dial secret-host: refused") }}
	wild := front.Check{Name: "wild", Check: func(context.Context) error { panic("secret") }}
	stuck := front.Check{Name: "stuck", Check: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	for name, c := range map[string]struct {
		checks []front.Check
		status int
		body   string
	}{
		"nothing to check": {nil, 200, `{"ready":true,"draining":false,"checks":[]}`},
		"all well":         {[]front.Check{fine}, 200, `{"ready":true,"draining":false,"checks":[{"name":"keys","ok":true}]}`},
		"one broken": {[]front.Check{broken, fine}, 503,
			`{"ready":false,"draining":false,"checks":[{"name":"database","ok":false},{"name":"keys","ok":true}]}`},
		"one panics": {[]front.Check{wild}, 503, `{"ready":false,"draining":false,"checks":[{"name":"wild","ok":false}]}`},
		"one hangs":  {[]front.Check{stuck}, 503, `{"ready":false,"draining":false,"checks":[{"name":"stuck","ok":false}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			health := &front.Health{Checks: c.checks, Timeout: time.Millisecond, Log: slog.New(slog.NewTextHandler(&log, nil))}
			w := ask(health, "/readyz")
			if w.Code != c.status || strings.TrimSpace(w.Body.String()) != c.body {
				t.Errorf("got %d %s\nwant %d %s", w.Code, w.Body, c.status, c.body)
			}
			if logged := strings.Contains(log.String(), "not ready"); logged != (c.status == 503) {
				t.Errorf("log is %q", log.String())
			}
			if w.Code == 503 && w.Header().Get("Retry-After") == "" {
				t.Error("503 without Retry-After")
			}
		})
	}
}

func ask(health *front.Health, path string) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	health.Mount(mux)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func TestDrainingComesBeforeTheChecks(t *testing.T) {
	asked := 0
	health := &front.Health{Checks: []front.Check{{Name: "keys", Check: func(context.Context) error { asked++; return nil }}}}
	health.Drain()
	if w := ask(health, "/readyz"); w.Code != 503 || !strings.Contains(w.Body.String(), `"draining":true`) || asked != 0 {
		t.Errorf("got %d %s after %d checks", w.Code, w.Body, asked)
	}
	if w := ask(health, "/healthz"); w.Code != 200 || w.Body.String() != "{\"ok\":true}\n" {
		t.Errorf("a draining process lives: got %d %s", w.Code, w.Body)
	}
}

func TestAFreshRoundServesTheNextAskers(t *testing.T) {
	now, asked := time.Unix(1000, 0), 0
	health := &front.Health{Fresh: time.Second, Now: func() time.Time { return now },
		Checks: []front.Check{{Name: "database", Check: func(context.Context) error { asked++; return nil }}}}
	for range 3 {
		ask(health, "/readyz")
	}
	if asked != 1 {
		t.Errorf("%d checks within a second, want 1", asked)
	}
	now = now.Add(time.Second)
	ask(health, "/readyz")
	if asked != 2 {
		t.Errorf("%d checks after a second, want 2", asked)
	}
}

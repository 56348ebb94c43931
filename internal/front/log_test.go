package front_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/front"
)

func TestLinesWithinARequestCarryItsID(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(front.LogHandler{Handler: slog.NewTextHandler(&b, nil)}).With("room", "outbox")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(_ http.ResponseWriter, r *http.Request) {
		log.InfoContext(r.Context(), "inside")
		log.WithGroup("g").InfoContext(r.Context(), "named", front.RequestIDKey, "own")
	})
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("X-Request-Id", "r1")
	front.Entrance{Log: log}.Handler(mux).ServeHTTP(httptest.NewRecorder(), r)
	log.InfoContext(context.Background(), "outside")

	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 4 {
		t.Fatalf("%d lines, want 4:\n%s", len(lines), b.String())
	}
	for i, want := range []string{"request_id=r1", "g.request_id=own", "request_id=r1", ""} {
		if n := strings.Count(lines[i], "request_id="); want == "" && n != 0 || want != "" && (n != 1 || !strings.Contains(lines[i], want)) {
			t.Errorf("line %d is %s, want %q once", i, lines[i], want)
		}
	}
}

func TestOutsideARequestNothingIsKnown(t *testing.T) {
	if id := front.RequestID(t.Context()); id != "" {
		t.Errorf("request id %q", id)
	}
	if a := front.Client(t.Context()); a.IsValid() {
		t.Errorf("client %v", a)
	}
}

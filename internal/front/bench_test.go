package front_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/front"
)

// nowhere is a response writer that costs nothing.
type nowhere struct{ header http.Header }

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (w *nowhere) WriteHeader(int)             {}

// discard is a log that is on and goes nowhere.
type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func BenchmarkEntrance(b *testing.B) {
	mux := http.NewServeMux()
	mux.Handle("POST /v1/passcodes/{id}/verify", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	}))
	request := httptest.NewRequest("POST", "/v1/passcodes/pc_1/verify", nil)
	observe := func(string, string, int, time.Duration) {}
	loud, quiet := slog.New(slog.NewJSONHandler(discard{}, nil)), slog.New(slog.DiscardHandler)
	for name, handler := range map[string]http.Handler{
		"mux alone":     mux,
		"entrance":      front.Entrance{Log: quiet, Observe: observe}.Handler(mux),
		"entrance, log": front.Entrance{Log: loud, Observe: observe}.Handler(mux),
		"entrance, trust": front.Entrance{Log: quiet, Observe: observe,
			Proxies: front.Proxies{Trusted: trusted("192.0.2.0/24")}}.Handler(mux),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			w := &nowhere{header: http.Header{}}
			for b.Loop() {
				clear(w.header)
				handler.ServeHTTP(w, request)
			}
		})
	}
}

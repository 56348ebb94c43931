package rest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/front/rest"
	"github.com/otpost/otpost/internal/passcode"
)

// ready is an engine that has its answer at hand.
type ready struct {
	stub
	verdict passcode.Verdict
	issued  passcode.Issued
}

func (e *ready) Verify(context.Context, passcode.Ref, string) (passcode.Verdict, error) {
	return e.verdict, nil
}

func (e *ready) Issue(context.Context, passcode.Request, time.Duration) (passcode.Issued, error) {
	return e.issued, nil
}

type open struct{}

func (open) Authenticate(context.Context, string) (access.Caller, error) {
	return access.Caller{Application: access.Application{ID: "app_1", Tenant: "t1"}}, nil
}

// nowhere is a response writer that costs nothing.
type nowhere struct{ header http.Header }

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (w *nowhere) WriteHeader(int)             {}

// BenchmarkDoor is what a request costs above net/http: the entrance, the gate, decoding and encoding.
func BenchmarkDoor(b *testing.B) {
	engine := &ready{issued: passcode.Issued{Challenge: challenge("pending", nil), Delivery: delivery(nil)},
		verdict: passcode.Verdict{Verified: true, Challenge: challenge("verified", nil), TriesLeft: 4}}
	mux := http.NewServeMux()
	if err := (&rest.Handler{Engine: engine, Access: open{}, Now: noon}).Mount(mux); err != nil {
		b.Fatal(err)
	}
	handler := front.Entrance{}.Handler(mux)
	for _, c := range []struct{ name, path, body string }{
		{"verify", "/v1/passcodes/pc_06bd3v0g41zjy2tq7n4mhx8c5r/verify", `{"code":"482913"}`},
		{"issue", "/v1/passcodes", `{"to":"ada@example.com","purpose":"sign_in","ip":"203.0.113.9","metadata":{"order":"A-17"}}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			r := httptest.NewRequest("POST", c.path, nil)
			r.Header.Set("Authorization", "Bearer "+strings.Repeat("k", 43))
			r.Header.Set("Content-Type", "application/json")
			r.ContentLength = int64(len(c.body))
			w := &nowhere{header: http.Header{}}
			for b.Loop() {
				clear(w.header)
				r.Body = io.NopCloser(strings.NewReader(c.body))
				handler.ServeHTTP(w, r)
			}
		})
	}
}

package extension_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/extension/bubble"
)

// script answers the first request with the first step, and so on; the last step repeats.
func script(steps ...http.HandlerFunc) http.Handler {
	var mu sync.Mutex
	next := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		step := steps[min(next, len(steps)-1)]
		next++
		mu.Unlock()
		step(w, r)
	})
}

func sent(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, extension.Continue)
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
}

// hang reads the request first: only then does the server notice that the caller hung up.
func hang(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func slowBody(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.WriteHeader(200)
	w.(http.Flusher).Flush()
	<-r.Context().Done()
}

func drop(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }

func bloat(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, strings.Repeat(" ", 100<<10)+extension.Continue)
}

func TestCallerAttemptsAndFallback(t *testing.T) {
	type seen struct {
		status int
		code   extension.Code
	}
	for name, test := range map[string]struct {
		steps []http.HandlerFunc
		want  []seen
		sent  bool
		took  time.Duration
	}{
		"sent":                       {[]http.HandlerFunc{sent}, []seen{{200, 0}}, true, 0},
		"late, then sent":            {[]http.HandlerFunc{hang, sent}, []seen{{0, extension.TimedOut}, {200, 0}}, true, time.Second},
		"late twice":                 {[]http.HandlerFunc{hang}, []seen{{0, extension.TimedOut}, {0, extension.TimedOut}}, false, 2 * time.Second},
		"a body that does not end":   {[]http.HandlerFunc{slowBody, sent}, []seen{{200, extension.TimedOut}, {200, 0}}, true, time.Second},
		"connection lost, then sent": {[]http.HandlerFunc{drop, sent}, []seen{{0, extension.ConnectionError}, {200, 0}}, true, 0},
		"down, then sent":            {[]http.HandlerFunc{status(503), sent}, []seen{{503, extension.InvalidHTTPStatus}, {200, 0}}, true, 0},
		"throttled, then sent":       {[]http.HandlerFunc{status(429), sent}, []seen{{429, extension.InvalidHTTPStatus}, {200, 0}}, true, 0},
		"unauthorized":               {[]http.HandlerFunc{status(401), sent}, []seen{{401, extension.InvalidHTTPStatus}}, false, 0},
		"redirected":                 {[]http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", 307) }, sent}, []seen{{307, extension.InvalidHTTPStatus}}, false, 0},
		"too much":                   {[]http.HandlerFunc{bloat, sent}, []seen{{200, extension.ResponseSizeExceeded}}, false, 0},
		"nothing":                    {[]http.HandlerFunc{status(200), sent}, []seen{{200, extension.InvalidContentType}}, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := extension.Caller{Client: bubble.Serve(t, script(test.steps...)), Retries: 1, Fallback: true,
					Token: func(context.Context) (string, error) { return "token", nil }}
				began := time.Now()
				got, err := c.Call(t.Context(), "http://receiver/entra/otp-send", lea())
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took != test.took {
					t.Errorf("took %v, want %v", took, test.took)
				}
				if got.Sent != test.sent || got.FellBack == test.sent {
					t.Errorf("sent %v, fell back %v, want sent %v", got.Sent, got.FellBack, test.sent)
				}
				if len(got.Attempts) != len(test.want) {
					t.Fatalf("%d attempts, want %d: %+v", len(got.Attempts), len(test.want), got.Attempts)
				}
				for i, a := range got.Attempts {
					if (seen{a.Status, a.Code}) != test.want[i] || a.Number != i+1 {
						t.Errorf("attempt %d: got %+v, want %+v", i+1, a, test.want[i])
					}
				}
			})
		})
	}
}

func TestCallerWithoutRetryOrFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := extension.Caller{Client: bubble.Serve(t, script(hang, sent)), Timeout: extension.MinTimeout,
			Token: func(context.Context) (string, error) { return "token", nil }}
		got, err := c.Call(t.Context(), "http://receiver/", lea())
		if err != nil || got.Sent || got.FellBack || len(got.Attempts) != 1 || got.Attempts[0].Took != extension.MinTimeout {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

func TestCallerSendsTheEventAndTheToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got *http.Request
		var body []byte
		client := bubble.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			got = r
			body, _ = io.ReadAll(r.Body)
			sent(w, r)
		}))
		c := extension.Caller{Client: client, Casing: extension.BothCasings,
			Token: func(context.Context) (string, error) { return "a.b.c", nil }}
		if _, err := c.Call(t.Context(), "http://receiver/api/OnOtpSend?code=key", lea()); err != nil {
			t.Fatal(err)
		}
		if got.Method != "POST" || got.URL.String() != "/api/OnOtpSend?code=key" || got.Header.Get("Content-Type") != "application/json" ||
			got.Header.Get("Authorization") != "Bearer a.b.c" || got.Header.Get("client-request-id") != lea().CorrelationID {
			t.Errorf("got %s %s %v", got.Method, got.URL, got.Header)
		}
		if string(body) != string(lea().Encode(extension.BothCasings)) {
			t.Errorf("got %s", body)
		}
	})
}

func TestCallerErrorsAreItsOwn(t *testing.T) {
	token := func(context.Context) (string, error) { return "token", nil }
	broken := errors.New("broken")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx    context.Context
		caller extension.Caller
		target string
	}{
		"timeout too short": {t.Context(), extension.Caller{Token: token, Timeout: extension.MinTimeout - 1}, "http://localhost/"},
		"timeout too long":  {t.Context(), extension.Caller{Token: token, Timeout: extension.MaxTimeout + 1}, "http://localhost/"},
		"two retries":       {t.Context(), extension.Caller{Token: token, Retries: 2}, "http://localhost/"},
		"no token":          {t.Context(), extension.Caller{Token: func(context.Context) (string, error) { return "", broken }}, "http://localhost/"},
		"no URL":            {t.Context(), extension.Caller{Token: token}, "://"},
		"stopped":           {ended, extension.Caller{Token: token}, "http://localhost/"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := test.caller.Call(test.ctx, test.target, lea()); err == nil {
				t.Errorf("got %+v", got)
			}
		})
	}
}

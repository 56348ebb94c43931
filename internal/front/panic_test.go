package front_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/front"
)

// panics serves over a real connection, since what happens to the connection is half of the matter.
func panics(t *testing.T) (*hall, *httptest.Server, *strings.Builder) {
	h := newHall(t, func(routes front.Routes) {
		routes.Handle("GET /early", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "3")
			w.Header().Set("Content-Type", "text/plain")
			panic("early trouble")
		}))
		routes.Handle("GET /late", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte("half of "))
			http.NewResponseController(w).Flush()
			panic(errors.New("late trouble"))
		}))
		routes.Handle("GET /abort", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		}))
		routes.Handle("GET /fine", http.HandlerFunc(echo))
	})
	var serverLog strings.Builder
	server := httptest.NewUnstartedServer(h.handler)
	server.Config.ErrorLog = log.New(&serverLog, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return h, server, &serverLog
}

func get(t *testing.T, server *httptest.Server, path string) (*http.Response, string, error) {
	t.Helper()
	answer, err := server.Client().Get(server.URL + path)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, string(body), err
}

func TestPanicBeforeTheAnswerIsAProblem(t *testing.T) {
	h, server, serverLog := panics(t)
	answer, body, err := get(t, server, "/early")
	if err != nil || answer.StatusCode != 500 || answer.Header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("got %v %v", answer, err)
	}
	if strings.Contains(body, "trouble") || !strings.Contains(body, `"code":"internal"`) {
		t.Errorf("body is %s", body)
	}
	if answer.Header.Get("X-Content-Type-Options") != "nosniff" || answer.Header.Get("X-Request-Id") == "" {
		t.Errorf("headers are %v", answer.Header)
	}
	if _, body, err := get(t, server, "/fine"); err != nil || body != "" {
		t.Errorf("the next request: %q %v", body, err)
	}
	server.Close()
	var panicked int
	for _, line := range h.lines(t) {
		if line["msg"] == "handler panicked" {
			panicked++
			if line["panic"] != "early trouble" || !strings.Contains(line["stack"].(string), "panic_test.go") {
				t.Errorf("line is %v", line)
			}
		}
	}
	if panicked != 1 || serverLog.Len() != 0 {
		t.Errorf("%d lines, server log %q; want one line and nothing", panicked, serverLog)
	}
}

func TestPanicWithinTheAnswerCutsTheConnection(t *testing.T) {
	h, server, serverLog := panics(t)
	if _, body, err := get(t, server, "/late"); err == nil {
		t.Errorf("a broken answer looks whole: %q", body)
	}
	server.Close()
	if lines := h.lines(t); len(lines) != 2 || lines[0]["panic"] != "late trouble" || lines[1]["status"] != 200.0 {
		t.Errorf("log is %v", lines)
	}
	if serverLog.Len() != 0 {
		t.Errorf("server log is %q", serverLog)
	}
}

func TestAbortIsNoFault(t *testing.T) {
	h, server, _ := panics(t)
	if _, _, err := get(t, server, "/abort"); err == nil {
		t.Error("an aborted request was answered")
	}
	server.Close()
	for _, line := range h.lines(t) {
		if line["level"] == "ERROR" {
			t.Errorf("logged %v", line)
		}
	}
}

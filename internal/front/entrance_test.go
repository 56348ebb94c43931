package front_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/front"
)

// hall is an entrance with a few routes, its log and its observations.
type hall struct {
	handler  http.Handler
	log      bytes.Buffer
	observed []string
}

func newHall(t *testing.T, mount func(front.Routes)) *hall {
	t.Helper()
	h := &hall{}
	shell, err := front.NewShell(nil)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mount(mux)
	h.handler = front.Entrance{
		Log: slog.New(slog.NewJSONHandler(&h.log, nil)), MaxBody: 100, HSTS: true, Shell: shell,
		Observe: func(pattern, method string, status int, _ time.Duration) {
			h.observed = append(h.observed, method+" "+pattern+" "+http.StatusText(status))
		},
		Now: func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) },
	}.Handler(mux)
	return h
}

func (h *hall) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

// lines are the log's lines, decoded.
func (h *hall) lines(t *testing.T) []map[string]any {
	t.Helper()
	var lines []map[string]any
	for dec := json.NewDecoder(&h.log); ; {
		var line map[string]any
		if err := dec.Decode(&line); err == io.EOF {
			return lines
		} else if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
}

func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	w.Write(body)
}

func TestRequestIDs(t *testing.T) {
	var seen string
	h := newHall(t, func(routes front.Routes) {
		routes.Handle("GET /", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			seen = front.RequestID(r.Context())
		}))
	})
	for name, c := range map[string]struct {
		given []string
		kept  bool
	}{
		"none":                {nil, false},
		"sane":                {[]string{"abc-DEF_1.2"}, true},
		"longest":             {[]string{strings.Repeat("x", 64)}, true},
		"too long":            {[]string{strings.Repeat("x", 65)}, false},
		"empty":               {[]string{""}, false},
		"two":                 {[]string{"a", "b"}, false},
		"line break":          {[]string{"a\nb"}, false},
		"markup":              {[]string{"<b>"}, false},
		"terminal escape":     {[]string{"\x1b[2J"}, false},
		"letters of no ASCII": {[]string{"é"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.Header["X-Request-Id"] = c.given
			got := h.do(r).Header().Get("X-Request-Id")
			if got != seen {
				t.Errorf("answered %q, context holds %q", got, seen)
			}
			if kept := len(c.given) > 0 && got == c.given[0]; kept != c.kept {
				t.Errorf("given %q, answered %q", c.given, got)
			}
			if !c.kept && len(got) != 26 {
				t.Errorf("made %q, want 26 characters", got)
			}
		})
	}
}

func TestRequestIDsAreUnlike(t *testing.T) {
	h := newHall(t, func(routes front.Routes) { routes.Handle("/", http.HandlerFunc(echo)) })
	seen := map[string]bool{}
	for range 1000 {
		seen[h.do(httptest.NewRequest("GET", "/", nil)).Header().Get("X-Request-Id")] = true
	}
	if len(seen) != 1000 {
		t.Errorf("1000 requests have %d ids", len(seen))
	}
}

func TestAccessLogNamesTheRouteAndNoSecret(t *testing.T) {
	h := newHall(t, func(routes front.Routes) { routes.Handle("POST /things/{id}", http.HandlerFunc(echo)) })
	r := httptest.NewRequest("POST", "/things/482913?code=482913", strings.NewReader("four"))
	r.Header.Set("X-Request-Id", "r1")
	h.do(r)
	if text := h.log.String(); strings.Contains(text, "482913") {
		t.Errorf("path or query in the log: %s", text)
	}
	lines := h.lines(t)
	if len(lines) != 1 {
		t.Fatalf("%d lines, want 1", len(lines))
	}
	delete(lines[0], "time")
	want := map[string]any{"level": "INFO", "msg": "request", "method": "POST", "route": "/things/{id}",
		"status": 200.0, "bytes": 4.0, "took": 0.0, "request_id": "r1"}
	for key, value := range want {
		if lines[0][key] != value {
			t.Errorf("%s is %v, want %v", key, lines[0][key], value)
		}
	}
	if len(lines[0]) != len(want) {
		t.Errorf("line holds %v", lines[0])
	}
}

func TestObservedWordsAreAClosedSet(t *testing.T) {
	h := newHall(t, func(routes front.Routes) { routes.Handle("GET /things/{id}", http.HandlerFunc(echo)) })
	for _, request := range []string{"GET /things/1", "HEAD /things/2", "POST /things/1", "GET /nowhere", "MADEUP /x"} {
		method, path, _ := strings.Cut(request, " ")
		h.do(httptest.NewRequest(method, path, nil))
	}
	want := "GET /things/{id} OK, HEAD /things/{id} OK, POST unmatched Method Not Allowed, " +
		"GET unmatched Not Found, OTHER unmatched Not Found"
	if got := strings.Join(h.observed, ", "); got != want {
		t.Errorf("observed\n%s\nwant\n%s", got, want)
	}
}

func TestBodyLimit(t *testing.T) {
	h := newHall(t, func(routes front.Routes) { routes.Handle("POST /", http.HandlerFunc(echo)) })
	if w := h.do(httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 100)))); w.Code != 200 {
		t.Errorf("100 bytes: %d, want 200", w.Code)
	}
	told := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 101)))
	if w := h.do(told); w.Code != 413 || !strings.Contains(w.Body.String(), `"code":"body_too_large"`) {
		t.Errorf("101 bytes: %d %s, want a problem document with 413", w.Code, w.Body)
	}
	untold := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader(strings.Repeat("x", 101))))
	if w := h.do(untold); w.Code != 413 {
		t.Errorf("101 bytes without a length: %d, want 413", w.Code)
	}
}

func TestAnswersAreInert(t *testing.T) {
	h := newHall(t, func(routes front.Routes) { routes.Handle("GET /", http.HandlerFunc(echo)) })
	header := h.do(httptest.NewRequest("GET", "/", nil)).Header()
	for key, want := range map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
		"Cache-Control":                "no-store",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Strict-Transport-Security":    "max-age=31536000",
	} {
		if got := header.Get(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
}

func TestAHandlersHeadersDoNotReachTheNextAnswer(t *testing.T) {
	h := newHall(t, func(routes front.Routes) {
		routes.Handle("GET /", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Add("Cache-Control", "private")
			w.Header().Add("X-Request-Id", "more")
		}))
	})
	for range 2 {
		header := h.do(httptest.NewRequest("GET", "/", nil)).Header()
		if got := header.Values("Cache-Control"); len(got) != 2 {
			t.Errorf("Cache-Control is %q, want two values", got)
		}
	}
}

func TestNobodyAtThisPath(t *testing.T) {
	h := newHall(t, func(routes front.Routes) {
		routes.Handle("GET /thing", http.HandlerFunc(echo))
		routes.Handle("PUT /thing", http.HandlerFunc(echo))
		routes.Handle("GET /own", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "mine", http.StatusNotFound)
		}))
	})
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for name, c := range map[string]struct {
		method, path, accept string
		status               int
		kind, holds, allow   string
	}{
		"program, no path":    {"GET", "/nowhere", "", 404, "application/problem+json", `"code":"unknown_path"`, ""},
		"any, no path":        {"GET", "/nowhere", "*/*", 404, "application/problem+json", `"status":404`, ""},
		"browser, no path":    {"GET", "/nowhere", browser, 404, "text/html; charset=utf-8", "<h1>Not Found</h1>", ""},
		"program, no method":  {"POST", "/thing", "", 405, "application/problem+json", "This path takes GET, HEAD, PUT.", "GET, HEAD, PUT"},
		"browser, no method":  {"POST", "/thing", browser, 405, "text/html; charset=utf-8", "<h1>Method Not Allowed</h1>", "GET, HEAD, PUT"},
		"a door's own answer": {"GET", "/own", browser, 404, "text/plain; charset=utf-8", "mine", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(c.method, c.path, nil)
			r.Header.Set("Accept", c.accept)
			w := h.do(r)
			if w.Code != c.status || w.Header().Get("Content-Type") != c.kind || !strings.Contains(w.Body.String(), c.holds) {
				t.Errorf("got %d %s\n%s", w.Code, w.Header().Get("Content-Type"), w.Body)
			}
			if strings.Contains(w.Body.String(), "page not found") {
				t.Errorf("the mux's own text is in the answer:\n%s", w.Body)
			}
			if got := w.Header().Get("Allow"); got != c.allow {
				t.Errorf("Allow is %q, want %q", got, c.allow)
			}
		})
	}
}

func TestPrefersHTML(t *testing.T) {
	for accept, want := range map[string]bool{
		"":                                      false,
		"*/*":                                   false,
		"text/html":                             true,
		"TEXT/HTML ; q=0.3, */*":                true,
		"application/json, text/html":           true,
		"application/json, text/html;q=0.9":     false,
		"application/json;q=0.1, text/html":     true,
		"text/html;q=0":                         false,
		"text/html;q=nonsense":                  false,
		"text/html;q=NaN":                       false,
		"application/problem+json,text/plain":   false,
		"text/html;level=1;q=0.5,application/*": true,
	} {
		if got := front.PrefersHTML(accept); got != want {
			t.Errorf("%q: %v, want %v", accept, got, want)
		}
	}
}

package front_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/front"
)

// listener notes which tokens get as far as being looked up.
type listener struct{ heard []string }

func (l *listener) Authenticate(_ context.Context, token string) (access.Caller, error) {
	l.heard = append(l.heard, token)
	return doorman{}.Authenticate(context.Background(), token)
}

// FuzzGate writes anything into Authorization. Nobody passes but who presents the key, and no more is looked up than
// what a bearer token may be made of.
func FuzzGate(f *testing.F) {
	for _, seed := range []string{"", "Bearer", "Bearer good.key-1", "bearer  good.key-1 ", "Bearer good.key-1\x00", "Bearer good.key-1, Bearer x",
		"Basic good.key-1", "Bearer\tgood.key-1", "Bearer \"good.key-1\"", "Bearer " + strings.Repeat("a", 512), "Bearer \xff", "Bearer good.key-1\r\nX: y"} {
		f.Add(seed, "")
	}
	f.Add("Bearer good.key-1", "Bearer good.key-1")
	// There are two answers to what opens nothing, so that none of them can repeat it.
	var refusals []string
	for _, header := range []string{"", "Bearer x"} {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		front.Gate{Access: &listener{}}.Guard(nil).ServeHTTP(w, r)
		refusals = append(refusals, w.Body.String())
	}
	f.Fuzz(func(t *testing.T, header, second string) {
		heard := &listener{}
		passed := false
		gate := front.Gate{Access: heard}.Guard(func(http.ResponseWriter, *http.Request, access.Caller) { passed = true })
		r := httptest.NewRequest("POST", "/", nil)
		if r.Header["Authorization"] = []string{header}; second != "" {
			r.Header["Authorization"] = append(r.Header["Authorization"], second)
		}
		w := httptest.NewRecorder()
		gate.ServeHTTP(w, r)
		for _, token := range heard.heard {
			if token == "" || len(token) > 512 || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Errorf("Authorization %q: %q was looked up", header, token)
			}
		}
		scheme, rest, _ := strings.Cut(header, " ")
		key := strings.EqualFold(scheme, "Bearer") && strings.Trim(rest, " ") == "good.key-1" && second == ""
		if passed != key || !passed && (w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer ")) {
			t.Errorf("Authorization %q, %q: passed %v with %d", header, second, passed, w.Code)
		}
		if !passed && !slices.Contains(refusals, w.Body.String()) {
			t.Errorf("Authorization %q is answered %s", header, w.Body)
		}
	})
}

// FuzzRequestID writes anything into X-Request-Id, the path and Accept. The answer has one id that no log or page can
// take for something else, and it repeats nothing else of the request.
func FuzzRequestID(f *testing.F) {
	f.Add("abc-1.2_3", "nowhere", "text/html")
	f.Add("", "<script>alert(1)</script>", "text/html")
	f.Add("a\r\nSet-Cookie: x=1", "%3Cimg%20src=x%3E", "application/json;q=0.1, text/html;q=0.9, */*;q=")
	f.Add(strings.Repeat("a", 65), "assets/../../x", "text/html;q=2,,;")
	f.Add("\u00e9", "\xff", "*/*;q=0")
	shell := newShell(f)
	mux := http.NewServeMux()
	shell.Mount(mux)
	door := front.Entrance{Shell: shell}.Handler(mux)
	f.Fuzz(func(t *testing.T, id, path, accept string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = "/" + path
		r.Header["X-Request-Id"], r.Header["Accept"] = []string{id}, []string{accept}
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		given := w.Header()["X-Request-Id"]
		if len(given) != 1 || given[0] == "" || len(given[0]) > 64 || strings.Trim(given[0], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != "" {
			t.Fatalf("X-Request-Id %q is answered %q", id, given)
		}
		if sane := len(id) <= 64 && id != "" && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == ""; (given[0] == id) != sane {
			t.Errorf("X-Request-Id %q is answered %q", id, given[0])
		}
		if w.Code >= 500 {
			t.Errorf("path %q: %d", path, w.Code)
		}
		// Under the same id, every path that is not there gets the same bytes.
		if w.Code == http.StatusNotFound {
			other := httptest.NewRequest("GET", "/nowhere", nil)
			other.Header["X-Request-Id"], other.Header["Accept"] = given, []string{accept}
			want := httptest.NewRecorder()
			door.ServeHTTP(want, other)
			if w.Body.String() != want.Body.String() {
				t.Errorf("path %q and Accept %q are answered\n%s\nand another path\n%s", path, accept, w.Body, want.Body)
			}
		}
	})
}

package restful_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework/restful"
)

// FuzzServiceUrl holds that a claim never changes which host is called, or which part of its path.
func FuzzServiceUrl(f *testing.F) {
	for _, raw := range []string{"https://api.example.org/v1/{a}/x?{b}={c}&d=(e*(f~))", "https://api.example.org{a}", "https://{a}/", "https://api.example.org:{a}",
		"https://api.example.org/../{a}", "https://[::1]:8443/.{a}#{b}", "https://api.example.org?{a}", "https://api.example.org:", "https:/\\a/{b}"} {
		for _, text := range []string{"", "a", "..", "@evil.example", "//evil.example", "%2e%2e/", "\r\nHost: evil", ":80/", "?", "#", "\\evil"} {
			f.Add(raw, text)
		}
	}
	f.Fuzz(func(t *testing.T, raw, text string) {
		filled, host, err := restful.Fill(raw, text)
		if err != nil {
			return
		}
		req, err := http.NewRequest(http.MethodGet, filled, nil)
		if err != nil {
			t.Fatalf("%q with %q cannot be asked: %v", raw, text, err)
		}
		if req.URL.Host != host || req.Host != host || req.URL.User != nil || req.URL.Scheme != "https" && req.URL.Scheme != "http" {
			t.Fatalf("%q with %q leads to %q, want %q", raw, text, req.URL.Host, host)
		}
		if line := req.URL.RequestURI(); strings.ContainsFunc(line, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			t.Fatalf("%q with %q asks for %q", raw, text, line)
		}
		plain, _, err := restful.Fill(raw, "x")
		if err != nil {
			return
		}
		want, err := url.Parse(plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Count(req.URL.EscapedPath(), "/"), strings.Count(want.EscapedPath(), "/"); got != want {
			t.Fatalf("%q with %q has %d segments, want %d", raw, text, got, want)
		}
	})
}

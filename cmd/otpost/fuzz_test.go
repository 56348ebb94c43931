package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"
)

// FuzzAnswer lets a server answer the command line with anything. A refusal has the exit code that its status stands
// for, and what is printed of it can do nothing to a terminal.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{`{"status":429,"code":"limit_reached","detail":"Wait."}`, `{"detail":"\u001b[2J\u009b31m\u00adabc"}`, `<html>`, ``, `null`, `{"status":"x"}`, `[1]`, "\xff"} {
		f.Add(429, []byte(seed), "60")
		f.Add(503, []byte(seed), "\x1b[31m")
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, retry string) {
		if status < 200 || status > 999 {
			t.Skip()
		}
		w := httptest.NewRecorder()
		w.Header()["Retry-After"] = []string{retry}
		w.WriteHeader(status)
		w.Write(body)
		response := w.Result()
		err := refusal(response, body)
		var told *problem
		if exit := (*exitError)(nil); errors.As(err, &exit) {
			told, _ = exit.err.(*problem)
		} else if !errors.As(err, &told) {
			t.Fatalf("%d %q: %T", status, body, err)
		}
		want := exitRefused
		if status == http.StatusUnauthorized || status == http.StatusForbidden || status >= 500 {
			want = exitFailed
		}
		if codeOf(err) != want || told == nil || told.Status != status {
			t.Errorf("%d %q: exit code %d, want %d; %+v", status, body, codeOf(err), want, told)
		}
		if text := err.Error(); strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }) {
			t.Errorf("%d %q is printed as %q", status, body, text)
		}
	})
}

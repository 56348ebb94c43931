package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/passcode"
)

// The tests here are named after what went wrong elsewhere and need the whole server; docs/advisories.md lists them.

// usd-2021-0016 (Keycloak): the protection against guessing one-time codes was there, and off. What a server that
// nobody configured runs with is what the engine holds to be safe, and none of it is empty.
func TestAdvisory_usd_2021_0016_AServerWithoutSettingsIsProtected(t *testing.T) {
	p := startInProcess(t, nil)
	if got := p.engine.Limits; !reflect.DeepEqual(got, passcode.DefaultLimits()) {
		t.Errorf("the limits are %+v, want %+v", got, passcode.DefaultLimits())
	}
	if got, _ := p.engine.Policy(passcode.Application{}, ""); got != passcode.DefaultPolicy() {
		t.Errorf("the policy is %+v, want %+v", got, passcode.DefaultPolicy())
	}
	id, code := p.issue(t, "lea@example.org")
	const verify = "POST /v1/passcodes/{id}/verify"
	for range 4 {
		p.try(t, verify, id, "", otherCode(code))
	}
	for _, guess := range []string{otherCode(code), code} {
		if reason := p.try(t, verify, id, "", guess); reason != "locked" {
			t.Errorf("after four wrong codes, another wrong one and the right one are answered %q, want locked", reason)
		}
	}
	w := p.do(p.request("POST", "/v1/passcodes", `{"to":"lea@example.org"}`))
	if w.Code != http.StatusTooManyRequests || !strings.Contains(w.Body.String(), `"locked_out"`) {
		t.Errorf("a new passcode after that: %d %s", w.Code, w.Body)
	}
}

// mailcow CVE-2025-25198, couch-auth CVE-2025-70948: the Host that a stranger wrote was in the link of a mail to
// somebody else.
func TestAdvisory_CVE_2025_25198_NothingOfTheRequestLineReachesAMessage(t *testing.T) {
	p := startInProcess(t, func(c *config.Config) { c.LimitIdentifier = nil })
	var texts []string
	for _, host := range []string{"otpost.example", "evil.example", "evil.example:1@otpost.example", `"><a href="https://evil.example">`} {
		r := p.request("POST", "/v1/passcodes?domain=evil.example", `{"to":"lea@example.org","wait_ms":10000}`)
		r.Host = host
		for _, name := range []string{"X-Forwarded-Host", "X-Forwarded-Server", "X-Original-Host", "X-Forwarded-Prefix", "Origin", "Referer", "User-Agent"} {
			r.Header.Set(name, host)
		}
		r.Header.Set("X-Forwarded-Proto", "javascript")
		r.Header.Set("Forwarded", "host=evil.example;proto=javascript")
		if w := p.do(r); w.Code != http.StatusCreated {
			t.Fatalf("%s: %d %s", host, w.Code, w.Body)
		}
		m := p.message(t, "lea@example.org")
		text := strings.Join([]string{m.Subject, m.Text, m.HTML}, "\n")
		for _, foreign := range []string{"evil", "javascript", "http://", "https://", "href"} {
			if strings.Contains(text, foreign) {
				t.Errorf("a request for the host %q made a message that holds %q:\n%s", host, foreign, text)
			}
		}
		texts = append(texts, sixDigits.ReplaceAllString(text, "CODE"))
	}
	for _, text := range texts[1:] {
		if text != texts[0] {
			t.Errorf("the message depends on the request:\n%s\nand\n%s", texts[0], text)
		}
	}
}

// Zitadel CVE-2024-41952 and CVE-2026-23511 (GO-2024-3014, GO-2026-4319), Grafana CVE-2022-39307 (GO-2024-2844), File
// Browser CVE-2026-23849 (GO-2026-4344): an answer told whether somebody was known.
func TestAdvisory_CVE_2024_41952_KnownAndUnknownAreAnsweredAlike(t *testing.T) {
	p := startInProcess(t, nil)
	p.issue(t, "known@example.org")
	id, code := p.issue(t, "known@example.com")
	p.try(t, "POST /v1/passcodes/{id}/verify", id, "", code)

	alike(t, "asking for a passcode", []exchange{
		{p.request("POST", "/v1/passcodes", `{"to":"known@example.com"}`), http.StatusCreated},
		{p.request("POST", "/v1/passcodes", `{"to":"never@example.com"}`), http.StatusCreated},
	}, p, "known@example.com", "never@example.com")
	alike(t, "an id that is not there", []exchange{
		{p.request("GET", "/v1/passcodes/pc_00000000000000000000000000", ""), http.StatusNotFound},
		{p.request("GET", "/v1/passcodes/unlike-any-id", ""), http.StatusNotFound},
		{p.request("GET", "/v1/passcodes/"+strings.Repeat("a", 65), ""), http.StatusNotFound},
		{p.request("DELETE", "/v1/passcodes/pc_00000000000000000000000000", ""), http.StatusNotFound},
		{p.request("POST", "/v1/passcodes/pc_00000000000000000000000000/verify", `{"code":"1"}`), http.StatusNotFound},
		{p.request("POST", "/v1/passcodes/pc_00000000000000000000000000/resend", ""), http.StatusNotFound},
	}, p)
	revoked, caller, err := p.keys.Create(t.Context(), tenant, "Old shop", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.db.RevokeKey(t.Context(), caller.Key, now()); err != nil {
		t.Fatal(err)
	}
	var refused []exchange
	for _, key := range []string{revoked, "otp_" + strings.Repeat("A", 43), "otp_short", "x", "\u00e9"} {
		r := p.request("GET", "/v1/passcodes/"+id, "")
		r.Header.Set("Authorization", "Bearer "+key)
		refused = append(refused, exchange{r, http.StatusUnauthorized})
	}
	alike(t, "a key that opens nothing", refused, p)
	var events []exchange
	for _, spoil := range []func(*http.Request){
		func(r *http.Request) { r.Header.Set("X-Functions-Key", "wrong") },
		func(r *http.Request) { r.Header.Del("X-Functions-Key") },
	} {
		for _, to := range []string{"known@example.com", "never@example.com"} {
			r := p.entra(t, "/entra/otp-send", to, "40718265")
			spoil(r)
			events = append(events, exchange{r, http.StatusUnauthorized})
		}
	}
	alike(t, "an event without its key", events, p)
}

// exchange is a request and the status it must get.
type exchange struct {
	request *http.Request
	status  int
}

// varies are the parts of an answer that differ between any two answers: ids and times.
var varies = regexp.MustCompile(`pc_[0-9a-z]{26}|\d{4}-\d\d-\d\dT[\d:.]+Z|\b[0-9a-hj-km-np-tv-z]{26}\b`)

// alike wants the same status, headers and bytes of every exchange, whoever they are about.
func alike(t *testing.T, what string, exchanges []exchange, p *inProcess, people ...string) {
	t.Helper()
	var first string
	for i, x := range exchanges {
		w := p.do(x.request)
		if w.Code != x.status {
			t.Errorf("%s: exchange %d is answered %d %s, want %d", what, i, w.Code, w.Body, x.status)
		}
		told := plainAnswer(w, people)
		if i == 0 {
			first = told
		} else if told != first {
			t.Errorf("%s: exchange %d differs:\n%s\nfrom\n%s", what, i, told, first)
		}
	}
}

// plainAnswer is an answer without what always varies.
func plainAnswer(w *httptest.ResponseRecorder, people []string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(w.Header())) {
		if name != "X-Request-Id" {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(w.Header()[name], ", "))
		}
	}
	body := w.Body.Bytes()
	var members map[string]any
	if json.Unmarshal(body, &members) == nil {
		body, _ = json.Marshal(members)
	}
	b.Write(body)
	text := varies.ReplaceAllString(b.String(), "*")
	for _, person := range people {
		text = strings.ReplaceAll(text, person, "SOMEBODY")
	}
	return text
}

package rest_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/front/rest"
)

// Every reason of an authenticator goes through the door: as the answer to a code where it is one, and as a refusal.
func TestEveryReasonOfAnAuthenticatorThroughTheDoor(t *testing.T) {
	codes := map[string]bool{}
	for _, reason := range authenticator.Reasons() {
		status, code, title, ok := rest.DeviceTold(reason)
		if !ok || codes[code] || status >= 400 && title == "" || code != string(reason) {
			t.Errorf("%s is told as %d %q %q", reason, status, code, title)
		}
		codes[code] = true
		plan := "refuse " + string(reason) + " detail=why"
		if status == 200 {
			plan = string(reason) + " retry=1s"
		}
		for _, path := range []string{"/v1/users/ada/authenticators/au_1/confirm", "/v1/users/ada/authenticators/verify"} {
			w := call(t, &stub{plan: []string{plan}}, "POST", path, `{"code":"1"}`)
			var body struct{ Reason, Code, Detail string }
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Fatal(err)
			}
			if w.Code != status || body.Reason+body.Code != code || status >= 400 && body.Detail != "why" {
				t.Errorf("%s: %s: %d %s", path, reason, w.Code, w.Body)
			}
			if wants := reason == authenticator.Throttled; wants != (w.Header().Get("Retry-After") != "") {
				t.Errorf("%s: %s: Retry-After %q", path, reason, w.Header().Get("Retry-After"))
			}
		}
	}
}

// A secret is shown by the answer to its enrolment, and by nothing else.
func TestASecretIsShownOnce(t *testing.T) {
	shown := 0
	for _, c := range everyCall() {
		if !strings.Contains(c.path, "authenticators") {
			continue
		}
		var log bytes.Buffer
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Authorization", "Bearer key-1")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		newDoor(t, &stub{plan: []string{c.plan}}, keys{}, &log).ServeHTTP(w, r)
		if strings.Contains(w.Body.String(), liveSecret) {
			shown++
		}
		if strings.Contains(log.String(), liveSecret) {
			t.Errorf("%s %s: the log holds the secret: %s", c.method, c.path, log.String())
		}
	}
	if shown != 1 {
		t.Errorf("%d answers hold the secret, want 1", shown)
	}
}

// A secret with something wrong around it is not repeated.
func TestRefusalsDoNotRepeatASecret(t *testing.T) {
	for _, body := range []string{`{"issuer":"a","label":"b","secret":["` + liveSecret + `"]}`, `{"issuer":"a","secret":"` + liveSecret + `"}`,
		`{"issuer":"a","label":"b","secret":"` + liveSecret + `\u0000"}`, `{"secret":"` + liveSecret + `"`,
		`{"issuer":"a","label":"b","algorithm":"` + liveSecret + `"}`} {
		w := call(t, &stub{}, "POST", "/v1/users/ada/authenticators", body)
		if w.Code < 400 || strings.Contains(w.Body.String(), liveSecret) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

func TestUsersAreReadOutOfThePath(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/users/ada%40example.com/authenticators": `User:"ada@example.com"`, "/v1/users/a%2Fb/authenticators": `User:"a/b"`,
		"/v1/users/%C3%A9/authenticators": "User:\"\u00e9\"", "/v1/users/verify/authenticators": `User:"verify"`,
	} {
		engine := &stub{plan: []string{"none"}}
		if w := call(t, engine, "GET", path, ""); w.Code != 200 || len(engine.asked) != 1 || !strings.Contains(engine.asked[0], want) {
			t.Errorf("%s: %d, asked %q, want %s", path, w.Code, engine.asked, want)
		}
	}
}

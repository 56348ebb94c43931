//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/otpost/otpost/e2e/mailserver"
	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/registry"
)

// unfolded are the line ends of quoted-printable, and shownCode is where HTML shows a code.
var (
	unfolded  = regexp.MustCompile(`=\r?\n`)
	shownCode = regexp.MustCompile(`>(\d{6})<`)
)

// answered is what a test of a provider came to.
type answered struct {
	status   int
	header   http.Header
	Verdict  string
	Advice   string
	Code     string
	Attempts []struct {
		Class, Code, Detail, Ref string
	}
	Findings []struct{ Subject, Verdict string }
}

// ms is how long an attempt took, which is never the same.
var ms = regexp.MustCompile(`\d+ ms`)

// tryProvider sends a message through one provider with the admin key.
func (p *inProcess) tryProvider(t *testing.T, name, body string) (a answered) {
	t.Helper()
	r := p.request("POST", "/v1/providers/"+name+"/test", body)
	r.Header.Set("Authorization", "Bearer "+p.adminKey)
	w := p.do(r)
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	a.status, a.header = w.Code, w.Header()
	return a
}

func TestAProviderIsTriedThroughARealMailServer(t *testing.T) {
	server := mailserver.Start(t)
	p := startInProcess(t, func(c *config.Config) {
		c.Inbox = config.InboxOff
		byMailServer(t, c, server, server.Password)
	})
	mail := func(password string, disabled bool) json.RawMessage {
		return jsonOf(t, map[string]any{"kind": "smtp", "disabled": disabled, "settings": map[string]any{"host": server.Host, "port": json.Number(server.Port),
			"username": server.User, "password": password, "from": "Shop <code@example.org>", "root_ca": server.CA, "helo": "otpost.example.org"}})
	}
	_, err := p.registry.Apply(t.Context(), "test", []registry.Change{{Kind: registry.ProviderKind, Name: "wrong", Body: mail("s3cret", false)},
		{Kind: registry.ProviderKind, Name: "off", Body: mail(server.Password, true)}})
	if err != nil {
		t.Fatal(err)
	}
	// In no route, disabled, or of the server's own settings: each is tried.
	for _, name := range []string{"environment", "off"} {
		a := p.tryProvider(t, name, `{"to":"`+name+`@example.test","locale":"fr","application":"Boutique","purpose":"sign_in"}`)
		if a.status != 200 || a.Verdict != "accepted" || len(a.Attempts) != 1 || a.Attempts[0].Ref == "" || a.Findings != nil {
			t.Fatalf("%s: %+v", name, a)
		}
		server.Wait(t, name+"@example.test", 1)
		text := unfolded.ReplaceAllString(string(server.Texts(t, name+"@example.test")[0]), "")
		code := shownCode.FindStringSubmatch(text)
		if !strings.Contains(text, "Boutique") || !strings.Contains(text, "Ce code est") || code == nil {
			t.Fatalf("%s got\n%s", name, text)
		}
		if w := p.call(t, "POST", "/v1/passcodes/verify", fmt.Sprintf(`{"to":"%s@example.test","purpose":"sign_in","code":"%s"}`, name, code[1]), nil); w.Code == 200 && strings.Contains(w.Body.String(), `"verified":true`) {
			t.Errorf("the code of a test opens something: %s", w.Body)
		}
	}
	a := p.tryProvider(t, "wrong", `{"to":"lea@example.test"}`)
	if a.status != 200 || a.Verdict != "not_sent" || len(a.Attempts) != 1 || a.Attempts[0].Class != "config" || a.Attempts[0].Code != "535" ||
		!strings.Contains(a.Advice, "refuses the account") || len(a.Findings) != 3 || a.Findings[2].Subject != "login" || a.Findings[2].Verdict != "bad" {
		t.Errorf("with a wrong password: %+v", a)
	}
	if strings.Contains(fmt.Sprintf("%+v", a), "s3cret") {
		t.Errorf("the password is told: %+v", a)
	}
	var shown trialResult
	r := p.request("POST", "/v1/providers/wrong/test", `{"to":"lea@example.test"}`)
	r.Header.Set("Authorization", "Bearer "+p.adminKey)
	if err := json.Unmarshal(p.do(r).Body.Bytes(), &shown); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	shown.Provider = "mail"
	shown.WriteText(&text)
	inGuide(t, "test", "otpost provider test mail --to lea@example.com", strings.ReplaceAll(ms.ReplaceAllString(text.String(), "12 ms"), server.Addr, "mail.example.org:587"))
	a = p.tryProvider(t, "environment", `{"to":"`+mailserver.UnknownUser+`@example.test"}`)
	if a.Verdict != "not_sent" || a.Attempts[0].Class != "invalid_recipient" || !strings.Contains(a.Advice, "no such recipient") {
		t.Errorf("to nobody: %+v", a)
	}
}

func TestATestSpendsTheLimitsOfTheRecipient(t *testing.T) {
	p := startInProcess(t, nil)
	for n := range 5 {
		if a := p.tryProvider(t, "inbox", `{"to":"lea@example.org"}`); a.Verdict != "accepted" {
			t.Fatalf("test %d: %+v", n+1, a)
		}
	}
	a := p.tryProvider(t, "inbox", `{"to":"lea@example.org"}`)
	if a.status != http.StatusTooManyRequests || a.Code != "limit_reached" || a.header.Get("Retry-After") == "" {
		t.Errorf("the sixth: %+v", a)
	}
	if w := p.call(t, "POST", "/v1/passcodes", `{"to":"lea@example.org"}`, nil); w.Code != http.StatusTooManyRequests {
		t.Errorf("a passcode after five tests: %d %s", w.Code, w.Body)
	}
	if a := p.tryProvider(t, "outbox", `{"to":"lea@example.org"}`); a.status != 404 || a.Code != "unknown_provider" {
		t.Errorf("an unknown provider: %+v", a)
	}
}

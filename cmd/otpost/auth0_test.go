package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/registry"
)

// manage sends a request as Auth0's clients do, with an admin key.
func (p *inProcess) manage(method, body string) *httptest.ResponseRecorder {
	r := p.request(method, "/api/v2/emails/provider", body)
	r.Header.Set("Authorization", "Bearer "+p.adminKey)
	return p.do(r)
}

// TestAuth0sEmailProviderIsTheOneThatSends sets a provider up by Auth0's names on a whole server: it is what mail goes
// through, and it is there after a restart.
func TestAuth0sEmailProviderIsTheOneThatSends(t *testing.T) {
	p := startInProcess(t, nil)
	if w := p.manage("POST", `{"name":"resend","default_from_address":"no-reply@id.example.org","credentials":{"api_key":"re_verysecret"}}`); w.Code != http.StatusCreated {
		t.Fatal(w.Code, w.Body)
	}
	way := func(settings *registry.Registry) string {
		r := settings.Current().Route(passcode.Destination{Channel: outbox.Email, To: "lea@example.org"})
		return strings.Join(r.Providers, " ")
	}
	if got := way(p.registry); got != "auth0" {
		t.Errorf("mail goes through %q", got)
	}
	composer, err := p.openComposer()
	if err != nil {
		t.Fatal(err)
	}
	again, err := openRegistry(t.Context(), p.settings, p.db, composer, p.log)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if got := way(again); got != "auth0" {
		t.Errorf("after a restart mail goes through %q", got)
	}
	for _, method := range []string{"GET", "PATCH"} {
		body := map[string]string{"PATCH": `{"enabled":false}`}[method]
		if w := p.manage(method, body); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "verysecret") {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
	if got := way(p.registry); got != inboxName {
		t.Errorf("while it is disabled mail goes through %q", got)
	}
	if w := p.manage("DELETE", ""); w.Code != http.StatusNoContent || w.Body.Len() != 0 {
		t.Errorf("DELETE: %d %q", w.Code, w.Body)
	}
}

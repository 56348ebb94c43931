package auth0_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/front/auth0"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/registry"
)

// ask sends a request as an administrator.
func ask(settings auth0.Settings, method, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/api/v2/emails/provider", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+adminKey)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	(&auth0.Handler{Settings: settings, Access: doorkeeper{}}).ServeHTTP(w, r)
	return w
}

const (
	resendBody  = `{"name":"resend","default_from_address":"a@example.org","credentials":{"api_key":"re_1"}}`
	anotherBody = `{"name":"resend","default_from_address":"b@example.org","credentials":{"api_key":"re_2"}}`
)

// TestTwoNodesDoNotOverwriteEachOther has another node change the provider between the door's look and its change.
func TestTwoNodesDoNotOverwriteEachOther(t *testing.T) {
	for _, c := range []struct{ method, body, others, want string }{
		{"POST", resendBody, "POST", "email_provider_conflict"},
		{"PATCH", `{"enabled":false}`, "PATCH", "email_provider_changed"},
		{"DELETE", "", "PATCH", "email_provider_changed"},
	} {
		s := &shelf{}
		here, there := s.open(t), s.open(t)
		if c.method != "POST" {
			if w := ask(here, "POST", resendBody); w.Code != http.StatusCreated {
				t.Fatal(w.Code, w.Body)
			}
		}
		s.before = func() {
			if w := ask(there, c.others, anotherBody); w.Code/100 != 2 {
				t.Errorf("the other node: %d %s", w.Code, w.Body)
			}
		}
		w := ask(here, c.method, c.body)
		if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s: %d %s, want %s", c.method, w.Code, w.Body, c.want)
		}
		if text := s.text(t); !strings.Contains(text, "re_2") || strings.Contains(text, "re_1") {
			t.Errorf("%s: what the other node wrote is not what is stored: %s", c.method, text)
		}
	}
}

// TestAnotherNodesProviderIsSeenAtOnce looks through a node that has not polled since.
func TestAnotherNodesProviderIsSeenAtOnce(t *testing.T) {
	s := &shelf{}
	here, there := s.open(t), s.open(t)
	if w := ask(there, "POST", resendBody); w.Code != http.StatusCreated {
		t.Fatal(w.Code, w.Body)
	}
	if w := ask(here, "GET", ""); w.Code != http.StatusOK {
		t.Errorf("GET: %d %s", w.Code, w.Body)
	}
}

// TestMailGoesThroughTheProvider follows the route of a message through the life of a provider.
func TestMailGoesThroughTheProvider(t *testing.T) {
	s := &shelf{}
	settings := s.open(t, registry.Given{Name: "environment", Kind: "smtp", Channels: []outbox.Channel{outbox.Email},
		Settings: map[string]string{"host": "mail.example.org", "from": "a@example.org"}})
	for _, step := range []struct{ method, body, want string }{
		{"", "", "environment"},
		{"POST", resendBody, "auth0"},
		{"PATCH", `{"enabled":false}`, "environment"},
		{"PATCH", `{"enabled":true}`, "auth0"},
		{"DELETE", "", "environment"},
	} {
		if step.method != "" {
			if w := ask(settings, step.method, step.body); w.Code/100 != 2 {
				t.Fatal(step, w.Code, w.Body)
			}
		}
		way := settings.Current().Route(passcode.Destination{Channel: outbox.Email, To: "lea@example.org"})
		if len(way.Providers) != 1 || way.Providers[0] != step.want {
			t.Errorf("after %s %s mail goes to %v, want %s", step.method, step.body, way.Providers, step.want)
		}
	}
}

// away is what a store answers that cannot be reached.
type away struct{ error }

func (away) Temporary() bool { return true }

func TestADatabaseThatIsAwayIsSaidToBe(t *testing.T) {
	s := &shelf{}
	settings := s.open(t)
	s.fails = away{errors.New("dial: postgres://user:password@db")}
	w := ask(settings, "POST", resendBody)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" || strings.Contains(w.Body.String(), "postgres") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/passcode"
)

const testFunctionKey = "function-key-of-the-test"

// sixDigits is a code in a message.
var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// inProcess is a whole server in this process, with every door open and the built-in inbox as its provider.
type inProcess struct {
	*server
	handler http.Handler
	// key is an application's, adminKey is of none and may change settings.
	key, adminKey string
	token         string

	mu     sync.Mutex
	events []passcode.Event
}

// startInProcess opens a server on SQLite. change alters the settings before it is opened.
func startInProcess(t *testing.T, change func(*config.Config)) *inProcess {
	t.Helper()
	c := config.Default()
	folder := t.TempDir()
	c.Database = config.Database{Driver: config.SQLite, Source: filepath.Join(folder, "otpost.db")}
	c.Keys = filepath.Join(folder, "otpost.keys")
	c.Inbox = config.InboxOn
	c.EntraAudience = []string{demoAudience}
	c.EntraFunctionKey = testFunctionKey
	c.B2CPolicies, c.B2CPage = filepath.Join("testdata", "policies"), true
	if change != nil {
		change(c)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	issuer, err := extension.NewIssuer("http://127.0.0.1", demoTenant, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := openServer(t.Context(), c, slog.New(slog.DiscardHandler), issuer.Trusted(extension.V2))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	p := &inProcess{server: s}
	if p.key, _, err = s.keys.Create(t.Context(), tenant, "Shop", ""); err != nil {
		t.Fatal(err)
	}
	if p.adminKey, _, err = s.keys.Make(t.Context(), access.Request{Tenant: tenant, Admin: true}); err != nil {
		t.Fatal(err)
	}
	if p.token, err = issuer.Mint(extension.Grant{Audience: demoAudience}); err != nil {
		t.Fatal(err)
	}
	s.engine.Observe = p.note
	if p.handler, err = s.public(); err != nil {
		t.Fatal(err)
	}
	p.deliver(t)
	return p
}

// deliver sends what is issued until the test ends.
func (p *inProcess) deliver(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- p.server.work(ctx, context.Background()) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("outbox: %v", err)
		}
	})
}

func (p *inProcess) note(e passcode.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, e)
}

// happened returns what the engine did since the last call.
func (p *inProcess) happened() []passcode.Event {
	p.mu.Lock()
	defer p.mu.Unlock()
	events := p.events
	p.events = nil
	return events
}

// request makes a request with the key of the application.
func (p *inProcess) request(method, path, body string) *http.Request {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+p.key)
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func (p *inProcess) do(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	return w
}

// call sends a request with the key and reads the JSON that comes back.
func (p *inProcess) call(t *testing.T, method, path, body string, into any) *httptest.ResponseRecorder {
	t.Helper()
	w := p.do(p.request(method, path, body))
	if into != nil {
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatalf("%s %s: %d %s: %v", method, path, w.Code, w.Body, err)
		}
	}
	return w
}

// issue sends a passcode and reads its code out of the inbox. The answer comes once the message is kept.
func (p *inProcess) issue(t *testing.T, to string) (id, code string) {
	t.Helper()
	var issued struct {
		ID       string
		Delivery struct{ State string }
	}
	w := p.call(t, "POST", "/v1/passcodes", `{"to":"`+to+`","purpose":"sign_in","wait_ms":10000}`, &issued)
	if w.Code != http.StatusCreated || issued.Delivery.State != "accepted" {
		t.Fatalf("issue for %s: %d %s", to, w.Code, w.Body)
	}
	message := p.message(t, to)
	code = sixDigits.FindString(message.Text)
	if code == "" {
		t.Fatalf("no code in %q", message.Text)
	}
	return issued.ID, code
}

type inboxMessage struct{ To, Subject, Text, HTML string }

// message is the newest one that was kept for an address.
func (p *inProcess) message(t *testing.T, to string) inboxMessage {
	t.Helper()
	var inbox struct{ Messages []inboxMessage }
	w := p.call(t, "GET", "/v1/inbox?to="+url.QueryEscape(to), "", &inbox)
	if len(inbox.Messages) == 0 {
		t.Fatalf("nothing was kept for %s: %s", to, w.Body)
	}
	return inbox.Messages[0]
}

// state is the state of a passcode.
func (p *inProcess) state(t *testing.T, id string) passcode.State {
	t.Helper()
	line, err := p.engine.Status(t.Context(), passcode.Ref{Tenant: tenant, ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return line.Challenge.State
}

// otherCode is a code of the same form that is not code.
func otherCode(code string) string {
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code)
}

package provider_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

const (
	entraClient = "5e2b0c1a-1f7c-4d0e-9a53-0c7f3e2d1b4a"
	entraSecret = "Vx8Q~s3cretValue.of-the-app"
)

// authority is a fake of Microsoft Entra's token endpoint, for the tenant contoso.example.
type authority struct {
	t     testing.TB
	url   string
	scope string
	given atomic.Int32 // tokens

	mu sync.Mutex
	// instead answers in place of a token, when it is set.
	instead http.HandlerFunc
	// proof refuses a request that does not prove who asks; it is the client secret when nil.
	proof func(form map[string][]string) error
	// life is expires_in.
	life time.Duration
	// made makes a token from its number; nil for tok-1 and so on.
	made func(n int32) string
}

func startAuthority(t testing.TB, scope string) *authority {
	a := &authority{t: t, scope: scope, life: 3599 * time.Second}
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	a.url = s.URL
	return a
}

func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	instead, proof, life, made := a.instead, a.proof, a.life, a.made
	a.mu.Unlock()
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.URL.String() != "/contoso.example/oauth2/v2.0/token" {
		a.t.Errorf("the authority is asked %s %s: %v", r.Method, r.URL, err)
	}
	if r.PostForm.Get("grant_type") != "client_credentials" || r.PostForm.Get("client_id") != entraClient || !a.knows(r.PostForm.Get("scope")) {
		a.t.Errorf("the authority refuses the form %v", r.PostForm)
	}
	if instead != nil {
		instead(w, r)
		return
	}
	if proof == nil {
		proof = func(form map[string][]string) error {
			if len(form["client_secret"]) != 1 || form["client_secret"][0] != entraSecret || form["client_assertion"] != nil {
				return fmt.Errorf("AADSTS7000215: Invalid client secret provided")
			}
			return nil
		}
	}
	if err := proof(r.PostForm); err != nil {
		a.t.Error(err)
	}
	n := a.given.Add(1)
	token := fmt.Sprintf("tok-%d", n)
	if made != nil {
		token = made(n)
	}
	json.NewEncoder(w).Encode(map[string]any{"token_type": "Bearer", "expires_in": int(life.Seconds()), "ext_expires_in": 3599, "access_token": token})
}

// knows tells whether a scope is one this authority gives tokens for; without one of its own it is that of any service.
func (a *authority) knows(scope string) bool {
	return scope == a.scope || a.scope == "" && strings.HasPrefix(scope, "http://127.0.0.1:") && strings.HasSuffix(scope, "/.default") &&
		strings.Count(scope, "/") == 3
}

func (a *authority) says(h http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.instead = h
}

// entraError is what Entra answers to a refused request.
func entraError(status int, name, description string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		body, _ := json.Marshal(map[string]any{"error": name, "error_description": description + "\r\nTrace ID: 0\r\nTimestamp: 2026-11-22 10:00:00Z", "error_codes": []int{1}})
		answer{status: status, body: string(body)}.write(w)
	}
}

// bearers answers every request with a 202, and remembers the tokens that came.
type bearers struct {
	mu     sync.Mutex
	came   []string
	refuse map[string]bool
}

func (b *bearers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	b.mu.Lock()
	defer b.mu.Unlock()
	b.came = append(b.came, token)
	if b.refuse[token] || b.refuse["all"] {
		answer{status: 401, body: `{"error":{"code":"InvalidAuthenticationToken","message":"not with ` + token + `"}}`}.write(w)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// openEntra opens a sender that brings tokens of the authority, whose vendor takes them, and whose clock can be set.
func openEntra(t *testing.T, a *authority, b *bearers) (outbox.Sender, *atomic.Int64) {
	t.Helper()
	var clock atomic.Int64
	clock.Store(examNow.Unix())
	s := openKind(t, "azure_communication_email", map[string]string{"from": "codes@id.example.org", "endpoint": serveHTTP(t, b.ServeHTTP),
		"tenant_id": "contoso.example", "client_id": entraClient, "client_secret": entraSecret, "authority": a.url,
		"allow_http": "true", "allow_private": "true"}, provider.Environment{Now: func() time.Time { return time.Unix(clock.Load(), 0) }})
	return s, &clock
}

const azureScope = "https://communication.azure.com//.default"

func TestEntraTokenIsKeptUntilItEnds(t *testing.T) {
	a, b := startAuthority(t, azureScope), &bearers{}
	s, clock := openEntra(t, a, b)
	send := func() {
		t.Helper()
		if _, err := s.Send(t.Context(), deliveryID, sampleMessage()); err != nil {
			t.Fatal(err)
		}
	}
	send()
	send()
	clock.Add(3599 - 5*60 - 1)
	send()
	if a.given.Load() != 1 {
		t.Errorf("%d tokens for three messages in one lifetime, want 1", a.given.Load())
	}
	clock.Add(5*60 + 1) // its very end
	send()
	if got := strings.Join(b.came, " "); got != "tok-1 tok-1 tok-1 tok-2" {
		t.Errorf("tokens %s", got)
	}
}

func TestEntraTokenIsRenewedWhileItStillWorks(t *testing.T) {
	a, b := startAuthority(t, azureScope), &bearers{}
	s, clock := openEntra(t, a, b)
	if _, err := s.Send(t.Context(), deliveryID, sampleMessage()); err != nil {
		t.Fatal(err)
	}
	clock.Add(3599 - 4*60)
	asked := make(chan struct{})
	a.says(func(w http.ResponseWriter, r *http.Request) { // Entra is down
		close(asked)
		answer{status: 503}.write(w)
	})
	if _, err := s.Send(t.Context(), deliveryID, sampleMessage()); err != nil {
		t.Errorf("a message was held up though the token has four minutes to go: %v", err)
	}
	<-asked
	if got := strings.Join(b.came, " "); got != "tok-1 tok-1" {
		t.Errorf("tokens %s", got)
	}
}

func TestEntraTokenIsFetchedOnceForMany(t *testing.T) {
	a, b := startAuthority(t, azureScope), &bearers{}
	s, _ := openEntra(t, a, b)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := s.Send(t.Context(), deliveryID, sampleMessage()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if a.given.Load() != 1 {
		t.Errorf("%d tokens were fetched, want 1", a.given.Load())
	}
}

func TestEntraTokenThatIsRefusedIsRenewedOnce(t *testing.T) {
	a, b := startAuthority(t, azureScope), &bearers{refuse: map[string]bool{"tok-1": true}}
	s, _ := openEntra(t, a, b)
	if _, err := s.Send(t.Context(), deliveryID, sampleMessage()); err != nil {
		t.Error(err)
	}
	b.refuse["all"] = true
	_, err := s.Send(t.Context(), deliveryID, sampleMessage())
	if f := fault(t, err); f.Class != outbox.Account || f.Code != "401 InvalidAuthenticationToken" || f.Detail != "not with ..." {
		t.Errorf("got %v", f)
	}
	if got := strings.Join(b.came, " "); got != "tok-1 tok-2 tok-2 tok-3" {
		t.Errorf("tokens %s", got)
	}
}

func TestEntraRefusals(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, test := range []struct {
		name   string
		say    http.HandlerFunc
		class  outbox.Class
		code   string
		detail string
	}{
		{"wrong secret", entraError(401, "invalid_client", "AADSTS7000215: Invalid client secret provided. Ensure "+entraSecret), outbox.Account, "AADSTS7000215", "the secret's value, not its id"},
		{"expired secret", entraError(401, "invalid_client", "AADSTS7000222: The provided client secret keys are expired."), outbox.Account, "AADSTS7000222", "expired"},
		{"no such application", entraError(400, "unauthorized_client", "AADSTS700016: Application not found"), outbox.Account, "AADSTS700016", "check client_id"},
		{"no such tenant", entraError(400, "invalid_request", "AADSTS90002: Tenant not found"), outbox.Account, "AADSTS90002", "check tenant_id"},
		{"unknown code", entraError(400, "invalid_request", "AADSTS123456: Something about "+entraSecret+" new."), outbox.Account, "AADSTS123456", "Something about ... new."},
		{"no code", entraError(400, "invalid_scope", "No."), outbox.Account, "invalid_scope", "No."},
		{"of the moment", entraError(400, "temporarily_unavailable", "AADSTS90033: A transient error has occurred."), outbox.Transient, "AADSTS90033", "transient"},
		{"not Entra at all", func(w http.ResponseWriter, _ *http.Request) { answer{status: 404, body: "<html>"}.write(w) }, outbox.Account, "404", "check authority"},
		{"no token", func(w http.ResponseWriter, _ *http.Request) { answer{status: 200, body: "{}"}.write(w) }, outbox.Transient, "", "no token"},
		{"a token that breaks the header", func(w http.ResponseWriter, _ *http.Request) {
			answer{status: 200, body: `{"access_token":"a\r\nb: c","expires_in":3599}`}.write(w)
		}, outbox.Transient, "", "no token"},
		{"throttled", func(w http.ResponseWriter, _ *http.Request) {
			answer{status: 429, header: http.Header{"Retry-After": {"9"}}}.write(w)
		}, outbox.Throttled, "429", "too many requests"},
		{"down", func(w http.ResponseWriter, _ *http.Request) { answer{status: 503}.write(w) }, outbox.Transient, "503", "unavailable"},
		{"reset", resetAfterRequest(nil), outbox.Transient, "", "connection"},
		{"silent", hang, outbox.Transient, "", "in time"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a, b := startAuthority(t, azureScope), &bearers{}
			a.says(test.say)
			timeout := "10s"
			if test.name == "silent" {
				timeout = "300ms"
			}
			s := openKind(t, "azure_communication_email", map[string]string{"from": "codes@id.example.org", "endpoint": serveHTTP(t, b.ServeHTTP),
				"tenant_id": "contoso.example", "client_id": entraClient, "client_secret": entraSecret, "authority": a.url, "timeout": timeout,
				"allow_http": "true", "allow_private": "true"}, provider.Environment{Now: func() time.Time { return examNow }})
			_, err := s.Send(t.Context(), deliveryID, sampleMessage())
			f := fault(t, err)
			if f.Class != test.class || f.Code != test.code || !strings.Contains(f.Detail, test.detail) {
				t.Errorf("got %v, want %s %s with %q", f, test.class, test.code, test.detail)
			}
			if test.name == "throttled" && f.RetryAfter != 9*time.Second {
				t.Errorf("retry after %s", f.RetryAfter)
			}
			if strings.Contains(f.Error(), entraSecret) {
				t.Errorf("%v holds the secret", f)
			}
			if len(b.came) != 0 {
				t.Error("a message went out without a token")
			}
		})
	}
}

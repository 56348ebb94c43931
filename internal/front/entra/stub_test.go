package entra_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/front/entra"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

const (
	tenantID = "7c1d2f10-0000-4000-8000-0000000000aa"
	otherID  = "99999999-0000-4000-8000-0000000000aa"
	appID    = "3f2f1c6e-0000-4000-8000-000000000001"
)

var noon = time.Date(2026, 3, 4, 12, 3, 0, 0, time.UTC)

func frozen() time.Time { return noon }

// stub is an engine that does as it is told and remembers what it was asked.
type stub struct {
	mu      sync.Mutex
	relays  []passcode.Relay
	relayed passcode.Relayed
	err     error
}

func (s *stub) Relay(_ context.Context, r passcode.Relay) (passcode.Relayed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.relays = append(s.relays, r)
	return s.relayed, s.err
}

func (s *stub) last(t *testing.T) passcode.Relay {
	t.Helper()
	if len(s.relays) == 0 {
		t.Fatal("the engine was not asked")
	}
	return s.relays[len(s.relays)-1]
}

func verdict(v outbox.Verdict) passcode.Relayed {
	return passcode.Relayed{Delivery: outbox.Delivery{ID: "dlv_1"}, Outcome: outbox.Outcome{Verdict: v}}
}

var newKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func newIssuer(t testing.TB, tenant string) *extension.Issuer {
	t.Helper()
	i, err := extension.NewIssuer("https://issuer.example", tenant, newKey(), frozen)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// newHandler is the door with real token checks for two tenants.
func newHandler(t testing.TB, engine entra.Engine) *entra.Handler {
	t.Helper()
	v, err := extension.NewVerifier(extension.Trust{
		Audiences: extension.Audiences(appID, "otp.example.net"), Tenants: []string{tenantID, otherID}, Now: frozen,
		Issuers: []extension.TrustedIssuer{newIssuer(t, tenantID).Trusted(extension.V2),
			newIssuer(t, tenantID).Trusted(extension.V1), newIssuer(t, otherID).Trusted(extension.V2)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &entra.Handler{Engine: engine, Verifier: v, Tenant: "main", Now: frozen}
}

func mint(t testing.TB, tenant string, g extension.Grant) string {
	t.Helper()
	token, err := newIssuer(t, tenant).Mint(g)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

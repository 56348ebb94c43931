package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/registry"
)

// customer is a server that is told what happens, and believes only what is signed.
type customer struct {
	url  string
	told chan string // "type passcode_id", or what is wrong with a post
}

func startCustomer(t *testing.T, secret []byte) *customer {
	c := &customer{told: make(chan string, 100)}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var e struct {
			Type      string
			Timestamp time.Time
			Data      map[string]any
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(r.Header.Get("webhook-id") + "." + r.Header.Get("webhook-timestamp") + "." + string(body)))
		signed := base64.StdEncoding.EncodeToString(mac.Sum(nil))
		switch {
		case r.Header.Get("webhook-signature") != "v1,"+signed:
			c.told <- "the signature does not fit"
		case json.Unmarshal(body, &e) != nil || e.Timestamp.IsZero():
			c.told <- "not an event: " + string(body)
		default:
			id, _ := e.Data["passcode_id"].(string)
			c.told <- e.Type + " " + id
		}
	}))
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

// subscribe has events sent to a customer.
func (p *inProcess) subscribe(t *testing.T, c *customer, secret []byte, events ...string) {
	t.Helper()
	settings := map[string]any{"url": c.url, "secrets": []string{"whsec_" + base64.StdEncoding.EncodeToString(secret)}, "allow_http": true, "allow_private": true}
	_, err := p.registry.Apply(t.Context(), "test", []registry.Change{
		{Kind: registry.ProviderKind, Name: "customer", Body: jsonOf(t, map[string]any{"kind": "webhook", "settings": settings})},
		{Kind: registry.SubscriptionKind, Name: "customer", Body: jsonOf(t, map[string]any{"provider": "customer", "events": events})},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func jsonOf(t *testing.T, v any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestCustomersAreToldWhatHappens(t *testing.T) {
	secret := []byte(strings.Repeat("k", 24))
	p := startInProcess(t, nil)
	c := startCustomer(t, secret)
	p.subscribe(t, c, secret)
	id, code := p.issue(t, "lea@example.org")
	const verify = "POST /v1/passcodes/{id}/verify"
	p.try(t, verify, id, "", code)
	locked, wrong := p.issue(t, "tom@example.org")
	for range 5 {
		p.try(t, verify, locked, "", otherCode(wrong))
	}
	p.received(t, id, outbox.ReportDelivered)
	p.received(t, locked, outbox.ReportBounced)
	want := map[string]bool{"passcode.issued " + id: true, "passcode.verified " + id: true, "passcode.delivered " + id: true,
		"passcode.issued " + locked: true, "passcode.locked " + locked: true, "passcode.failed " + locked: true}
	for len(want) > 0 {
		select {
		case told := <-c.told:
			if !want[told] {
				t.Fatalf("told %q, still want %v", told, want)
			}
			delete(want, told)
		case <-t.Context().Done():
			t.Fatalf("never told %v", want)
		}
	}
}

// received has the provider of a passcode's message report on it, twice: the second time is no news.
func (p *inProcess) received(t *testing.T, id string, report outbox.Report) {
	t.Helper()
	line, err := p.engine.Status(t.Context(), passcode.Ref{Tenant: tenant, ID: id})
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range []string{"e1", "e2"} {
		d := line.Deliveries[0]
		if _, err := p.db.Receive(t.Context(), d.Provider, []outbox.Receipt{{Event: event + id, Delivery: d.ID, Report: report}}, now()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnEventThatNobodyWantsIsNotWritten(t *testing.T) {
	secret := []byte(strings.Repeat("k", 24))
	p := startInProcess(t, nil)
	c := startCustomer(t, secret)
	p.subscribe(t, c, secret, "passcode.locked")
	id, code := p.issue(t, "lea@example.org")
	p.try(t, "POST /v1/passcodes/{id}/verify", id, "", code)
	due, err := p.db.Events().NextDue(t.Context(), "none")
	if err != nil || !due.IsZero() {
		t.Errorf("an event is due at %v, %v", due, err)
	}
}

package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/registry"
)

// report posts what became of a message, signed as the customer's webhooks are.
func (p *inProcess) report(secret []byte, event, delivery, kind, reason string) int {
	body := fmt.Sprintf(`{"type":"passcode.%s","timestamp":%q,"data":{"id":%q,"reason":%q}}`, kind, now().Format("2006-01-02T15:04:05Z"), delivery, reason)
	mac := hmac.New(sha256.New, secret)
	io.WriteString(mac, fmt.Sprintf("%s.%d.%s", event, now().Unix(), body))
	r := httptest.NewRequest("POST", "/receipts/customer", strings.NewReader(body))
	r.Header.Set("webhook-id", event)
	r.Header.Set("webhook-timestamp", fmt.Sprint(now().Unix()))
	r.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return p.do(r).Code
}

// TestAReportReachesTheTimeline follows a message from its issue over a provider's reports, of which one is forged and
// one comes twice, to the refusal of the next one.
func TestAReportReachesTheTimeline(t *testing.T) {
	secret := []byte(strings.Repeat("k", 24))
	p := startInProcess(t, nil)
	p.subscribe(t, startCustomer(t, secret), secret)
	_, err := p.registry.Apply(t.Context(), "test", []registry.Change{{Kind: registry.RouteKind, Name: "mail",
		Body: jsonOf(t, map[string]any{"channel": "email", "providers": []map[string]any{{"provider": "customer"}}})}})
	if err != nil {
		t.Fatal(err)
	}
	var made struct {
		ID       string
		Delivery struct{ State outbox.State }
	}
	if w := p.call(t, "POST", "/v1/passcodes", `{"to":"lea@example.org","purpose":"sign_in","wait_ms":10000}`, &made); w.Code != 201 || made.Delivery.State != outbox.Accepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	p.try(t, "POST /v1/passcodes/{id}/verify", made.ID, "", "no code")
	type history struct {
		Delivery struct{ State outbox.State }
		Timeline []struct{ Event, Delivery string }
	}
	look := func() (h history, events []string) {
		p.call(t, "GET", "/v1/passcodes/"+made.ID, "", &h)
		for _, e := range h.Timeline {
			events = append(events, e.Event)
		}
		return h, events
	}
	h, _ := look()
	delivery := h.Timeline[1].Delivery
	for i, step := range []struct {
		secret      []byte
		event, kind string
		answer      int
		state       outbox.State
	}{
		{[]byte(strings.Repeat("x", 24)), "e1", "bounced", http.StatusUnauthorized, outbox.Accepted},
		{secret, "e1", "delivered", http.StatusOK, outbox.Delivered},
		{secret, "e1", "bounced", http.StatusOK, outbox.Delivered}, // e1 is told already
		{secret, "e2", "bounced", http.StatusOK, outbox.Bounced},
	} {
		if got := p.report(step.secret, step.event, delivery, step.kind, "invalid_recipient"); got != step.answer {
			t.Errorf("report %d is answered %d, want %d", i, got, step.answer)
		}
		if h, _ := look(); h.Delivery.State != step.state {
			t.Errorf("after report %d it is %s, want %s", i, h.Delivery.State, step.state)
		}
	}
	_, events := look()
	for _, want := range []string{"asked", "created", "handed", "accepted", "tried", "delivered", "bounced"} {
		if !slices.Contains(events, want) {
			t.Errorf("the timeline is %q, without %s", events, want)
		}
	}
	if len(events) != 7 {
		t.Errorf("the timeline is %q", events)
	}
	if w := p.do(p.request("POST", "/v1/passcodes", `{"to":"Lea@example.org"}`)); w.Code != 422 || !strings.Contains(w.Body.String(), `"code":"recipient_suppressed"`) {
		t.Errorf("after it bounced: %d %s", w.Code, w.Body)
	}
	r := p.entra(t, "/entra/otp-send", "lea@example.org", "482913")
	if w := p.do(r); w.Code != 422 || !strings.Contains(w.Body.String(), `recipient_suppressed`) {
		t.Errorf("Entra is told %d %s", w.Code, w.Body)
	}
}

package provider_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

func TestWebhookReceipts(t *testing.T) {
	event := func(kind, more string) string {
		return `{"type":"` + kind + `","timestamp":"2026-11-22T09:59:58Z","data":{"id":"` + deliveryID + `","ref":"msg_77"` + more + `}}`
	}
	at := time.Date(2026, 11, 22, 9, 59, 58, 0, time.UTC)
	receipt := func(r outbox.Report, class outbox.Class) []outbox.Receipt {
		return []outbox.Receipt{{Event: "rep_1", Ref: "msg_77", Delivery: deliveryID, Report: r, Class: class, At: at}}
	}
	sitReceipts(t, reports{
		kind:     "webhook",
		settings: map[string]string{"url": "https://hook.example.org/otpost", "secrets": secretText(oldSecret, newSecret)},
		post: func(body string, at time.Time) provider.Posted {
			h, err := provider.SignWebhook(secretText(newSecret), "rep_1", at, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			h.Set("Content-Type", "application/json")
			return provider.Posted{URL: "https://otp.example.org/receipts/hook", Method: "POST", Header: h, Body: []byte(body)}
		},
		tell: []report{
			{"delivered", event("passcode.delivered", ""), receipt(outbox.ReportDelivered, "")},
			{"delayed", event("passcode.delayed", `,"reason":"suppressed"`), receipt(outbox.ReportDelayed, "")},
			{"complained", event("passcode.complained", ""), receipt(outbox.ReportComplained, "")},
			{"bounced", event("passcode.bounced", `,"reason":"invalid_recipient"`), receipt(outbox.ReportBounced, outbox.InvalidRecipient)},
			{"bounced without a reason", event("passcode.bounced", ""), receipt(outbox.ReportBounced, outbox.Transient)},
			{"bounced for a reason of its own", event("passcode.bounced", `,"reason":"jane@example.com 482913"`), receipt(outbox.ReportBounced, outbox.Transient)},
			{"a message of ours, posted back", event("passcode.send", ""), nil},
		},
		forge: map[string]func(*provider.Posted){
			"other id":    func(p *provider.Posted) { p.Header.Set("webhook-id", "rep_2") },
			"other names": func(p *provider.Posted) { rename(p.Header, "webhook", "svix") },
			"other secret": func(p *provider.Posted) {
				h, err := provider.SignWebhook(secretText(bytes.Repeat([]byte{3}, 24)), "rep_1", examNow, p.Body)
				if err != nil {
					t.Fatal(err)
				}
				p.Header = h
			},
		},
		timed: true, bodySigned: true,
	})
}

// rename gives the three headers of a signature another prefix.
func rename(h http.Header, from, to string) {
	for _, name := range []string{"-id", "-timestamp", "-signature"} {
		h.Set(to+name, h.Get(from+name))
		h.Del(from + name)
	}
}

// What could only fail at every message is refused when it is set. A name is judged when it is connected.
func TestWebhookToAPrivateAddressIsRefusedWhenSet(t *testing.T) {
	k := kind(t, "webhook")
	for url, refused := range map[string]bool{
		"https://127.0.0.1/x": true, "https://[::1]/x": true, "https://[::ffff:10.0.0.1]:8443": true, "https://169.254.169.254": true,
		"https://0.0.0.0": true, "https://localhost": true, "https://LocalHost.:8443": true, "https://hook.localhost": true,
		"https://metadata.google.internal": true,
		"https://hook.example.org":         false, "https://8.8.8.8": false, "https://internal.example.org": false,
	} {
		for _, allowed := range []string{"false", "true"} {
			parsed := parsed(t, "webhook", map[string]string{"url": url, "secrets": secretText(newSecret), "allow_private": allowed})
			_, err := k.Open(parsed, provider.Environment{})
			if want := refused && allowed == "false"; (err != nil) != want {
				t.Errorf("%s with allow_private %s: got %v", url, allowed, err)
			}
		}
	}
}

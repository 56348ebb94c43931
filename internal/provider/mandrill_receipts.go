package provider

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" // the vendor signs so, and HMAC-SHA1 is not broken
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/otpost/otpost/internal/outbox"
)

func readMandrill(s mandrillSettings, _ Environment) (Receipts, error) {
	if len(s.ReceiptSecret) == 0 {
		return nil, nil
	}
	return mandrillReceipts{s.ReceiptSecret}, nil
}

type mandrillReceipts struct{ keys []string }

// Read reads a form whose field mandrill_events is an array of events. The signature covers no time.
func (r mandrillReceipts) Read(_ context.Context, p Posted) (Told, error) {
	form, err := url.ParseQuery(string(p.Body))
	if err != nil {
		return Told{}, fmt.Errorf("%w: it is not a form", ErrForged)
	}
	given, err := base64.StdEncoding.DecodeString(p.Header.Get("X-Mandrill-Signature"))
	if err != nil || len(given) == 0 {
		return Told{}, fmt.Errorf("%w: its X-Mandrill-Signature is missing", ErrForged)
	}
	if !slices.ContainsFunc(r.keys, func(key string) bool { return hmac.Equal(given, signMandrill(key, p.URL, form)) }) {
		return Told{}, fmt.Errorf("%w: its X-Mandrill-Signature fits no key; it covers the address that the webhook was set to", ErrForged)
	}
	return readBatch([]byte(form.Get("mandrill_events")), tellMandrill)
}

// signMandrill is HMAC-SHA1 over the address of the webhook and then each field's name and value, sorted by name (Mailchimp
// Transactional docs, "Authenticating webhook requests").
func signMandrill(key, address string, form url.Values) []byte {
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write([]byte(address))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			mac.Write([]byte(name + value))
		}
	}
	return mac.Sum(nil)
}

// mandrillEvent is an event of a message (Mailchimp Transactional docs, "Webhook format"). An object that is empty comes as
// an array, so what may be empty is not typed.
type mandrillEvent struct {
	Event string  `json:"event"`
	ID    string  `json:"_id"`
	At    float64 `json:"ts"`
	Msg   struct {
		ID       string `json:"_id"`
		Metadata any    `json:"metadata"`
		Bounce   any    `json:"bounce_description"`
		Reject   any    `json:"reject"`
	} `json:"msg"`
}

func tellMandrill(e *mandrillEvent) (outbox.Receipt, bool) {
	ref := e.ID
	if ref == "" {
		ref = e.Msg.ID
	}
	r := outbox.Receipt{Event: eventOf(ref, e.Event, fmt.Sprint(e.At)), Ref: ref, Delivery: member(e.Msg.Metadata, mandrillDelivery), At: unixTime(e.At)}
	switch e.Event {
	case "delivered":
		r.Report = outbox.ReportDelivered
	case "deferral":
		r.Report = outbox.ReportDelayed
	case "spam":
		r.Report = outbox.ReportComplained
	case "hard_bounce":
		r.Report, r.Class, r.Code = outbox.ReportBounced, outbox.InvalidRecipient, word(e.Msg.Bounce)
	case "soft_bounce":
		r.Report, r.Class, r.Code = outbox.ReportBounced, outbox.Transient, word(e.Msg.Bounce)
	case "reject":
		reason := wordOf(member(e.Msg.Reject, "reason"))
		r.Report, r.Class, r.Code = outbox.ReportBounced, mandrillReject(reason), reason
	default: // send, open, click, unsub: nothing that a passcode cares for
		return outbox.Receipt{}, false
	}
	return r, true
}

// member is the text of an object's member; empty for anything else.
func member(object any, name string) string {
	members, _ := object.(map[string]any)
	text, _ := members[name].(string)
	return text
}

func word(v any) string {
	text, _ := v.(string)
	return wordOf(text)
}

package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// readBrevo reads Brevo's webhooks, which are not signed.
func readBrevo(s brevoSettings, _ Environment) (Receipts, error) {
	if s.ReceiptSecret == "" {
		return nil, nil
	}
	return brevoReceipts{s.ReceiptSecret}, nil
}

type brevoReceipts struct{ secret string }

// Read reads one event, or an array of them from a webhook that collects (developers.brevo.com, "Transactional webhooks",
// "Batched webhooks").
func (r brevoReceipts) Read(_ context.Context, p Posted) (Told, error) {
	if !p.knows(r.secret) {
		return Told{}, fmt.Errorf("%w: it does not have the setting receipt_secret", ErrForged)
	}
	body := bytes.TrimSpace(p.Body)
	if len(body) > 0 && body[0] == '{' {
		body = append(append([]byte{'['}, body...), ']')
	}
	return readBatch(body, tellBrevo)
}

// brevoEvent is an event of a mail or of an SMS.
type brevoEvent struct {
	Event   string    `json:"event"`
	MailID  looseText `json:"message-id"`
	Custom  looseText `json:"X-Mailin-custom"`
	At      looseText `json:"ts_event"`
	SMS     string    `json:"msg_status"`
	SMSID   looseText `json:"messageId"`
	Tag     looseText `json:"tag"`
	SMSDate looseText `json:"date"`
}

func tellBrevo(e *brevoEvent) (outbox.Receipt, bool) {
	seconds, _ := strconv.ParseFloat(string(e.At), 64)
	receipt := outbox.Receipt{Ref: brevoRef(string(e.MailID)), Delivery: string(e.Custom), At: unixTime(seconds)}
	event := e.Event
	if e.SMS != "" {
		event = e.SMS
		receipt.Ref, receipt.Delivery = string(e.SMSID), string(e.Tag)
	}
	receipt.Event = eventOf(receipt.Ref, receipt.Delivery, event, string(e.At), string(e.SMSDate))
	receipt.Report, receipt.Class = brevoReport(event)
	if receipt.Class != "" {
		receipt.Code = wordOf(event)
	}
	return receipt, receipt.Report != ""
}

// brevoReport is what an event means. Brevo writes them as hard_bounce, hardBounce and, for SMS, hard_bounces.
func brevoReport(event string) (outbox.Report, outbox.Class) {
	switch strings.TrimSuffix(strings.ToLower(strings.ReplaceAll(event, "_", "")), "s") {
	case "delivered":
		return outbox.ReportDelivered, ""
	case "deferred":
		return outbox.ReportDelayed, ""
	case "spam", "complaint":
		return outbox.ReportComplained, ""
	case "hardbounce", "invalid", "invalidemail":
		return outbox.ReportBounced, outbox.InvalidRecipient
	case "softbounce", "error":
		return outbox.ReportBounced, outbox.Transient
	case "blocked", "blacklisted":
		return outbox.ReportBounced, outbox.Suppressed
	case "rejected", "skip", "skipped":
		return outbox.ReportBounced, outbox.RejectedContent
	}
	return "", "" // request, sent, accepted, opened, click, unsubscribed, replied: nothing that a passcode cares for
}

// looseText is a field that a vendor writes now as text and now as a number; anything else is empty.
type looseText string

// UnmarshalJSON never fails.
func (t *looseText) UnmarshalJSON(data []byte) error {
	var v any
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return nil
	}
	switch v := v.(type) {
	case string:
		*t = looseText(v)
	case json.Number:
		*t = looseText(v.String())
	}
	return nil
}

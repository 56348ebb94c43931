package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/otpost/otpost/internal/outbox"
)

// readMailjet reads the posts of Mailjet's event API, which are not signed.
func readMailjet(s mailjetSettings, _ Environment) (Receipts, error) {
	if s.ReceiptSecret == "" {
		return nil, nil
	}
	return mailjetReceipts{s.ReceiptSecret}, nil
}

type mailjetReceipts struct{ secret string }

// Read reads an array of events, or a single one from an address that was set with version 1 (Mailjet guides, "Event
// API", "Grouping events").
func (r mailjetReceipts) Read(_ context.Context, p Posted) (Told, error) {
	if !p.knows(r.secret) {
		return Told{}, fmt.Errorf("%w: it does not have the setting receipt_secret", ErrForged)
	}
	body := bytes.TrimSpace(p.Body)
	if len(body) > 0 && body[0] == '{' {
		body = append(append([]byte{'['}, body...), ']')
	}
	return readBatch(body, tellMailjet)
}

type mailjetEvent struct {
	Event     string      `json:"event"`
	Time      float64     `json:"time"`
	MessageID json.Number `json:"MessageID"`
	OldID     string      `json:"mj_message_id"` // the same as text, where MessageID is missing
	CustomID  string      `json:"CustomID"`
	Hard      bool        `json:"hard_bounce"`
	RelatedTo string      `json:"error_related_to"`
	Error     string      `json:"error"`
}

func tellMailjet(e *mailjetEvent) (outbox.Receipt, bool) {
	ref := e.MessageID.String()
	if ref == "" {
		ref = e.OldID
	}
	r := outbox.Receipt{Event: eventOf(ref, e.CustomID, e.Event, fmt.Sprint(e.Time)), Ref: ref, Delivery: e.CustomID, At: unixTime(e.Time)}
	switch e.Event {
	case "sent": // the recipient's server took it
		r.Report = outbox.ReportDelivered
	case "spam":
		r.Report = outbox.ReportComplained
	case "bounce", "blocked":
		r.Report, r.Class, r.Code = outbox.ReportBounced, mailjetBounce(e), wordOf(e.Error)
	default: // open, click, unsub: nothing that a passcode cares for
		return outbox.Receipt{}, false
	}
	return r, true
}

// mailjetBounce reads Mailjet's words for an error (Mailjet guides, "Event API", "Possible values for errors").
func mailjetBounce(e *mailjetEvent) outbox.Class {
	switch e.Error {
	case "preblocked":
		return outbox.Suppressed
	case "content blocked", "duplicate in campaign":
		return outbox.RejectedContent
	case "user unknown", "mailbox inactive", "invalid domain", "no mail host":
		if e.Hard || e.Event == "blocked" {
			return outbox.InvalidRecipient
		}
	}
	if e.Hard && e.RelatedTo == "recipient" && e.Error != "quota exceeded" {
		return outbox.InvalidRecipient
	}
	return outbox.Transient
}

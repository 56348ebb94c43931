package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// readPostmark reads Postmark's webhooks, which are not signed.
func readPostmark(s postmarkSettings, _ Environment) (Receipts, error) {
	if s.ReceiptSecret == "" {
		return nil, nil
	}
	return postmarkReceipts{s.ReceiptSecret}, nil
}

type postmarkReceipts struct{ secret string }

// postmarkEvent is one webhook (postmarkapp.com/developer, "Webhooks": Delivery, Bounce, Spam complaint).
type postmarkEvent struct {
	RecordType  string
	ID          json.Number
	Type        string
	MessageID   string
	Metadata    map[string]any
	DeliveredAt time.Time
	BouncedAt   time.Time
}

func (r postmarkReceipts) Read(_ context.Context, p Posted) (Told, error) {
	if !p.knows(r.secret) {
		return Told{}, fmt.Errorf("%w: it does not have the setting receipt_secret", ErrForged)
	}
	var e postmarkEvent
	if json.Unmarshal(p.Body, &e) != nil || e.RecordType == "" && e.Type == "" {
		return Told{}, fmt.Errorf("%w: want an event of Postmark", ErrMalformed)
	}
	receipt := outbox.Receipt{Ref: e.MessageID, At: e.BouncedAt, Event: eventOf(e.RecordType, e.MessageID, e.ID.String(), e.DeliveredAt.String(), e.BouncedAt.String())}
	receipt.Delivery, _ = e.Metadata[postmarkDelivery].(string)
	switch e.RecordType {
	case "Delivery":
		receipt.Report, receipt.At = outbox.ReportDelivered, e.DeliveredAt
	case "SpamComplaint":
		receipt.Report = outbox.ReportComplained
	case "Bounce", "": // webhooks set in the days before there were record types have none
		receipt.Report, receipt.Class = postmarkBounce(e.Type)
		receipt.Code = wordOf(e.Type)
	}
	if receipt.Report == "" { // opens, clicks, changes of subscriptions
		return Told{}, nil
	}
	if receipt.Ref == "" && receipt.Delivery == "" {
		return Told{}, fmt.Errorf("%w: it names no message", ErrMalformed)
	}
	return Told{Receipts: []outbox.Receipt{receipt}}, nil
}

// postmarkBounce says what a type of bounce means (postmarkapp.com/developer, "Bounce types"). What a mail program
// answers by itself is no bounce.
func postmarkBounce(kind string) (outbox.Report, outbox.Class) {
	switch kind {
	case "HardBounce", "BadEmailAddress":
		return outbox.ReportBounced, outbox.InvalidRecipient
	case "ManuallyDeactivated", "Unsubscribe":
		return outbox.ReportBounced, outbox.Suppressed
	case "SpamNotification", "VirusNotification", "Blocked", "DMARCPolicy", "TemplateRenderingFailed":
		return outbox.ReportBounced, outbox.RejectedContent
	case "SoftBounce", "DnsError", "Unknown":
		return outbox.ReportBounced, outbox.Transient
	case "Transient": // Postmark still tries
		return outbox.ReportDelayed, ""
	case "SpamComplaint":
		return outbox.ReportComplained, ""
	}
	return "", ""
}

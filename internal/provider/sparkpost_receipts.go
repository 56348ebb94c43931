package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// readSparkpost reads the batches of SparkPost's webhooks, which are not signed.
func readSparkpost(s sparkpostSettings, _ Environment) (Receipts, error) {
	if s.ReceiptSecret == "" {
		return nil, nil
	}
	return sparkpostReceipts{s.ReceiptSecret}, nil
}

type sparkpostReceipts struct{ secret string }

// Read reads a batch, an array of events (SparkPost API, "Webhooks").
func (r sparkpostReceipts) Read(_ context.Context, p Posted) (Told, error) {
	if !p.knows(r.secret) {
		return Told{}, fmt.Errorf("%w: it does not have the setting receipt_secret", ErrForged)
	}
	return readBatch(p.Body, tellSparkpost)
}

// sparkpostEvent holds one event of messages; events of other kinds have another name in msys.
type sparkpostEvent struct {
	Msys struct {
		Message struct {
			Type         string         `json:"type"`
			EventID      string         `json:"event_id"`
			Transmission loose          `json:"transmission_id"`
			Timestamp    loose          `json:"timestamp"`
			Metadata     map[string]any `json:"rcpt_meta"`
			ErrorCode    loose          `json:"error_code"`
			BounceClass  loose          `json:"bounce_class"`
			Reason       string         `json:"raw_reason"`
		} `json:"message_event"`
	} `json:"msys"`
}

func tellSparkpost(e *sparkpostEvent) (outbox.Receipt, bool) {
	m := &e.Msys.Message
	delivery, _ := m.Metadata[sparkpostDelivery].(string)
	r := outbox.Receipt{Event: m.EventID, Ref: string(m.Transmission), Delivery: delivery, At: m.Timestamp.time()}
	if r.Event == "" {
		r.Event = eventOf(r.Ref, delivery, m.Type, string(m.Timestamp))
	}
	switch m.Type {
	case "delivery":
		r.Report = outbox.ReportDelivered
	case "delay":
		r.Report = outbox.ReportDelayed
	case "spam_complaint":
		r.Report = outbox.ReportComplained
	case "bounce", "out_of_band", "policy_rejection", "generation_failure", "generation_rejection":
		r.Report, r.Class = outbox.ReportBounced, sparkpostBounce(m.Type, string(m.BounceClass), m.Reason)
	default: // injection, open, click: nothing that a passcode cares for
		return outbox.Receipt{}, false
	}
	r.Code = statusOf(string(m.ErrorCode))
	return r, true
}

// sparkpostBounce reads a bounce class (SparkPost docs, "Bounce Classification Codes"). What SparkPost itself rejected for
// the suppression list has class 25, administrative failure, and a reason in words.
func sparkpostBounce(kind, class, reason string) outbox.Class {
	switch {
	case class == "10", class == "30":
		return outbox.InvalidRecipient
	case class == "90", class == "25" && strings.Contains(strings.ToLower(reason), "suppress"):
		return outbox.Suppressed
	case class == "23", class == "51", class == "52", class == "53", strings.HasPrefix(kind, "generation_"), kind == "policy_rejection":
		return outbox.RejectedContent
	}
	return outbox.Transient
}

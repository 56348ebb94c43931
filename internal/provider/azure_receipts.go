package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// gridReceipts reads what Azure Event Grid posts in its own schema (learn.microsoft.com, "Event Grid event schema" and
// "Webhook event delivery"). It signs nothing, so the secret in the webhook's address, or the bearer token of the
// subscription's delivery properties, is what makes a report believed. Delivery that Entra protects, whose token would be
// ours to verify, and the CloudEvents schema are not understood.
type gridReceipts struct {
	secret string
	// kind is the type of the events that are reports; others mean nothing.
	kind string
	// read reads the data of one. A receipt without a Report means nothing.
	read func(data json.RawMessage) (outbox.Receipt, error)
}

type gridEvent struct {
	ID   string          `json:"id"`
	Type string          `json:"eventType"`
	Time string          `json:"eventTime"`
	Data json.RawMessage `json:"data"`
}

// gridValidation is the type of the first event of a subscription, whose code is to be given back.
const gridValidation = "Microsoft.EventGrid.SubscriptionValidationEvent"

func (g gridReceipts) Read(_ context.Context, p Posted) (Told, error) {
	if !p.knows(g.secret) {
		return Told{}, fmt.Errorf("%w: it brings no secret, or another one", ErrForged)
	}
	var events []gridEvent
	if json.Unmarshal(p.Body, &events) != nil {
		return Told{}, fmt.Errorf("%w: want an array of events in the Event Grid schema", ErrMalformed)
	}
	var told Told
	for _, e := range events {
		switch {
		case e.ID == "" || e.Type == "":
			return Told{}, fmt.Errorf("%w: an event has no id or no eventType", ErrMalformed)
		case e.Type == gridValidation:
			return e.handshake()
		case e.Type != g.kind:
			continue
		}
		receipt, err := g.read(e.Data)
		if err != nil {
			return Told{}, err
		}
		if receipt.Report == "" {
			continue
		}
		receipt.Event = e.ID
		if receipt.At.IsZero() {
			receipt.At = gridTime(e.Time)
		}
		told.Receipts = append(told.Receipts, receipt)
	}
	return told, nil
}

// handshake answers the question whether we want events at all.
func (e gridEvent) handshake() (Told, error) {
	var asked struct {
		Code string `json:"validationCode"`
	}
	if json.Unmarshal(e.Data, &asked) != nil || asked.Code == "" {
		return Told{}, fmt.Errorf("%w: the validation event has no code", ErrMalformed)
	}
	answer, err := json.Marshal(map[string]string{"validationResponse": asked.Code})
	if err != nil {
		return Told{}, fmt.Errorf("%w: the validation code cannot be given back", ErrMalformed)
	}
	return Told{Answer: answer}, nil
}

// gridTime reads a time; one that cannot be read is none.
func gridTime(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

func readAzureEmail(s azureEmailSettings, _ Environment) (Receipts, error) {
	if s.ReceiptSecret == "" {
		return nil, nil
	}
	return gridReceipts{s.ReceiptSecret, "Microsoft.Communication.EmailDeliveryReportReceived", readAzureEmailReport}, nil
}

// readAzureEmailReport reads a report (learn.microsoft.com, "Azure Communication Services - Email events"), whose
// messageId is the operation's.
func readAzureEmailReport(data json.RawMessage) (outbox.Receipt, error) {
	var d struct {
		MessageID string `json:"messageId"`
		Recipient string `json:"recipient"`
		Status    string `json:"status"`
		Details   struct {
			Message string `json:"statusMessage"`
		} `json:"deliveryStatusDetails"`
		At string `json:"deliveryAttemptTimeStamp"`
	}
	if json.Unmarshal(data, &d) != nil || d.MessageID == "" || d.Status == "" {
		return outbox.Receipt{}, fmt.Errorf("%w: the report names no message or no status", ErrMalformed)
	}
	r := outbox.Receipt{Ref: d.MessageID, At: gridTime(d.At)}
	switch d.Status {
	case "Delivered":
		r.Report = outbox.ReportDelivered
		return r, nil
	case "Bounced": // hard bounces alone
		r.Class = outbox.InvalidRecipient
	case "Suppressed":
		r.Class = outbox.Suppressed
	case "FilteredSpam", "Quarantined":
		r.Class = outbox.RejectedContent
	case "Failed":
		r.Class = outbox.Transient
	default: // Expanded: a list was put in place of itself
		return outbox.Receipt{}, nil
	}
	r.Report, r.Code = outbox.ReportBounced, d.Status
	r.Detail = scrub(d.Details.Message, &outbox.Message{To: d.Recipient}, nil)
	return r, nil
}

package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// webhookReport is what a receiver of webhooks posts to say what became of a message. It is signed as the message was,
// in the Standard Webhooks form, with one of the same secrets; its webhook-id is the receiver's own and names the report.
//
//	{"type": "passcode.bounced", "timestamp": "2026-11-22T10:00:05Z",
//	 "data": {"id": "dl_01jd...", "ref": "msg_77", "reason": "invalid_recipient"}}
//
// The type is passcode.delivered, passcode.bounced, passcode.delayed or passcode.complained; any other is answered with
// success and does nothing, so that a message of ours that is posted back is no report. The timestamp, in the form of
// RFC 3339, is when it happened. Of data, id is the data.id of the message and ref the id that the receiver answered it
// with; one of them is enough. The reason of a bounce is a class of failure, such as invalid_recipient for an address or
// number that does not exist, or suppressed for one that must not be sent to. Without one, or with any other word, the
// bounce is no reason to stop sending there.
type webhookReport struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		ID     string       `json:"id"`
		Ref    string       `json:"ref"`
		Reason outbox.Class `json:"reason"`
	} `json:"data"`
}

var webhookReports = map[string]outbox.Report{
	"passcode.delivered":  outbox.ReportDelivered,
	"passcode.bounced":    outbox.ReportBounced,
	"passcode.delayed":    outbox.ReportDelayed,
	"passcode.complained": outbox.ReportComplained,
}

// readWebhook reads the reports of a receiver, which have the form of webhookReport.
func readWebhook(s webhookSettings, env Environment) (Receipts, error) {
	secrets, err := parseSecrets(s.Secrets)
	if err != nil {
		return nil, fmt.Errorf("provider webhook: setting secrets: %w", err)
	}
	return webhookReceipts{secrets, env.clock()}, nil
}

type webhookReceipts struct {
	secrets []webhookSecret
	now     func() time.Time
}

func (r webhookReceipts) Read(_ context.Context, p Posted) (Told, error) {
	id, err := verifyWebhook(r.secrets, "webhook", p, r.now())
	if err != nil {
		return Told{}, err
	}
	var w webhookReport
	if json.Unmarshal(p.Body, &w) != nil || w.Type == "" {
		return Told{}, fmt.Errorf("%w: want an object with type, timestamp and data", ErrMalformed)
	}
	report, known := webhookReports[w.Type]
	if !known {
		return Told{}, nil
	}
	if w.Data.ID == "" && w.Data.Ref == "" {
		return Told{}, fmt.Errorf("%w: data has neither id nor ref", ErrMalformed)
	}
	receipt := outbox.Receipt{Event: id, Ref: w.Data.Ref, Delivery: w.Data.ID, Report: report, At: w.Timestamp}
	if report == outbox.ReportBounced {
		receipt.Class = outbox.Transient
		if slices.Contains(outbox.Classes(), w.Data.Reason) {
			receipt.Class = w.Data.Reason
		}
	}
	return Told{Receipts: []outbox.Receipt{receipt}}, nil
}

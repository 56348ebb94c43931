package provider

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

func readMailgun(s mailgunSettings, env Environment) (Receipts, error) {
	if len(s.ReceiptSecret) == 0 {
		return nil, nil
	}
	return mailgunReceipts{s.ReceiptSecret, env.clock()}, nil
}

type mailgunReceipts struct {
	keys []string
	now  func() time.Time
}

// mailgunReport is the body of a webhook (Mailgun documentation, "Webhooks").
type mailgunReport struct {
	Signature struct {
		Timestamp string `json:"timestamp"`
		Token     string `json:"token"`
		Signature string `json:"signature"`
	} `json:"signature"`
	Data json.RawMessage `json:"event-data"`
}

type mailgunEvent struct {
	Event     string  `json:"event"`
	Severity  string  `json:"severity"`
	Reason    string  `json:"reason"`
	Timestamp float64 `json:"timestamp"`
	Message   struct {
		Headers struct {
			ID string `json:"message-id"`
		} `json:"headers"`
	} `json:"message"`
	Variables map[string]any `json:"user-variables"`
	Status    struct {
		Code     int    `json:"code"`
		Enhanced string `json:"enhanced-code"`
	} `json:"delivery-status"`
}

// Read reads one event. The signature covers a time and a token and not the event, so the token is what tells one report
// from another: whoever repeats it with another event says nothing new.
func (r mailgunReceipts) Read(_ context.Context, p Posted) (Told, error) {
	var report mailgunReport
	if json.Unmarshal(p.Body, &report) != nil {
		return Told{}, fmt.Errorf("%w: it is not signed", ErrForged)
	}
	if err := r.verify(&report); err != nil {
		return Told{}, err
	}
	var e mailgunEvent
	if json.Unmarshal(report.Data, &e) != nil || e.Event == "" {
		return Told{}, fmt.Errorf("%w: want an event of Mailgun", ErrMalformed)
	}
	receipt, ok := tellMailgun(&e)
	if !ok {
		return Told{}, nil
	}
	if receipt.Ref == "" && receipt.Delivery == "" {
		return Told{}, fmt.Errorf("%w: it names no message", ErrMalformed)
	}
	receipt.Event = eventOf(report.Signature.Timestamp, report.Signature.Token)
	return Told{Receipts: []outbox.Receipt{receipt}}, nil
}

// verify checks the hex HMAC-SHA256 of timestamp and token (Mailgun documentation, "Securing webhooks").
func (r mailgunReceipts) verify(report *mailgunReport) error {
	s := report.Signature
	at, err := strconv.ParseInt(s.Timestamp, 10, 64)
	if err != nil || s.Token == "" || s.Signature == "" {
		return fmt.Errorf("%w: it is not signed", ErrForged)
	}
	if age := r.now().Unix() - at; age > maxReportAge || age < -maxReportAge {
		return fmt.Errorf("%w: its timestamp is too far from now", ErrForged)
	}
	given, err := hex.DecodeString(s.Signature)
	if err != nil {
		return fmt.Errorf("%w: its signature is not hex", ErrForged)
	}
	for _, key := range r.keys {
		mac := hmac.New(sha256.New, []byte(key))
		mac.Write([]byte(s.Timestamp + s.Token))
		if hmac.Equal(given, mac.Sum(nil)) {
			return nil
		}
	}
	return fmt.Errorf("%w: its signature fits no key", ErrForged)
}

func tellMailgun(d *mailgunEvent) (outbox.Receipt, bool) {
	delivery, _ := d.Variables[mailgunDelivery].(string)
	r := outbox.Receipt{Ref: strings.Trim(d.Message.Headers.ID, "<>"), Delivery: delivery, At: unixTime(d.Timestamp)}
	switch d.Event {
	case "delivered":
		r.Report = outbox.ReportDelivered
	case "complained":
		r.Report = outbox.ReportComplained
	case "rejected": // Mailgun did not try
		r.Report, r.Class = outbox.ReportBounced, outbox.RejectedContent
	case "failed", "permanent_fail", "temporary_fail":
		if d.Event == "temporary_fail" || d.Severity == "temporary" {
			r.Report = outbox.ReportDelayed
		} else {
			r.Report, r.Class = outbox.ReportBounced, mailgunBounce(d)
		}
		if d.Status.Code > 0 {
			r.Code = strconv.Itoa(min(d.Status.Code, 999))
		}
	default: // accepted, opened, clicked, unsubscribed: nothing that a passcode cares for
		return outbox.Receipt{}, false
	}
	return r, true
}

// mailgunBounce reads a reason of a permanent failure, and of a bounce the enhanced status (RFC 3463 §3).
func mailgunBounce(d *mailgunEvent) outbox.Class {
	switch {
	case strings.HasPrefix(d.Reason, "suppress-"), d.Status.Code >= 605 && d.Status.Code <= 607:
		return outbox.Suppressed
	case d.Reason != "bounce":
		return outbox.Transient
	case d.Status.Enhanced == "", strings.HasPrefix(d.Status.Enhanced, "5.1."), d.Status.Enhanced == "5.2.1":
		return outbox.InvalidRecipient
	}
	return outbox.Transient
}

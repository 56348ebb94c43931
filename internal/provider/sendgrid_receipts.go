package provider

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

func readSendgrid(s sendgridSettings, env Environment) (Receipts, error) {
	if len(s.ReceiptPublicKey) == 0 {
		return nil, nil
	}
	r := sendgridReceipts{now: env.clock()}
	for _, text := range s.ReceiptPublicKey {
		key, err := sendgridKey(text)
		if err != nil {
			return nil, fmt.Errorf("provider sendgrid: setting receipt_public_key: %w", err)
		}
		r.keys = append(r.keys, key)
	}
	return r, nil
}

// sendgridKey reads a key as the console of SendGrid shows it.
func sendgridKey(text string) (*ecdsa.PublicKey, error) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("want the base64 that SendGrid shows as the verification key, without the lines of a PEM file")
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, errors.New("want a public key (base64 of DER)")
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("want a key on the curve P-256")
	}
	return key, nil
}

type sendgridReceipts struct {
	keys []*ecdsa.PublicKey
	now  func() time.Time
}

// Read reads a post of the event webhook, an array of events.
func (r sendgridReceipts) Read(_ context.Context, p Posted) (Told, error) {
	if err := r.verify(p); err != nil {
		return Told{}, err
	}
	return readBatch(p.Body, tellSendgrid)
}

// verify checks an ECDSA signature over the time and the body as it came (sendgrid-go, helpers/eventwebhook).
func (r sendgridReceipts) verify(p Posted) error {
	const prefix = "X-Twilio-Email-Event-Webhook-"
	timestamp := p.Header.Get(prefix + "Timestamp")
	at, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: its %sTimestamp is missing", ErrForged, prefix)
	}
	if age := r.now().Unix() - at; age > maxReportAge || age < -maxReportAge {
		return fmt.Errorf("%w: its %sTimestamp is too far from now", ErrForged, prefix)
	}
	signature, err := base64.StdEncoding.DecodeString(p.Header.Get(prefix + "Signature"))
	if err != nil || len(signature) == 0 {
		return fmt.Errorf("%w: its %sSignature is missing", ErrForged, prefix)
	}
	hash := sha256.New()
	hash.Write([]byte(timestamp))
	hash.Write(p.Body)
	sum := hash.Sum(nil)
	for _, key := range r.keys {
		if ecdsa.VerifyASN1(key, sum, signature) {
			return nil
		}
	}
	return fmt.Errorf("%w: its %sSignature fits no key", ErrForged, prefix)
}

// sendgridEvent is one event (SendGrid docs, "Event webhook reference"); the custom arguments stand beside its fields.
type sendgridEvent struct {
	Event          string  `json:"event"`
	EventID        string  `json:"sg_event_id"`
	MessageID      string  `json:"sg_message_id"`
	Delivery       string  `json:"delivery"`
	Timestamp      float64 `json:"timestamp"`
	Type           string  `json:"type"`
	Status         string  `json:"status"`
	Reason         string  `json:"reason"`
	Classification string  `json:"bounce_classification"`
}

func tellSendgrid(e *sendgridEvent) (outbox.Receipt, bool) {
	r := outbox.Receipt{Event: e.EventID, Ref: sendgridRef(e.MessageID), Delivery: e.Delivery, At: unixTime(e.Timestamp)}
	if r.Event == "" {
		r.Event = eventOf(e.MessageID, e.Event, strconv.FormatFloat(e.Timestamp, 'f', -1, 64))
	}
	switch e.Event {
	case "delivered":
		r.Report = outbox.ReportDelivered
	case "deferred":
		r.Report = outbox.ReportDelayed
	case "spamreport":
		r.Report = outbox.ReportComplained
	case "bounce":
		r.Report, r.Class, r.Code = outbox.ReportBounced, sendgridBounce(e), statusOf(e.Status)
	case "dropped":
		r.Report = outbox.ReportBounced
		r.Class, r.Code = sendgridDropped(e.Reason)
	default: // processed, opened, clicked, unsubscribed: nothing that a passcode cares for
		return outbox.Receipt{}, false
	}
	return r, true
}

// sendgridRef finds what X-Message-Id said at the beginning of an event's message id, which names the servers behind it.
func sendgridRef(id string) string {
	for _, mark := range []string{".filter", ".recvd"} {
		if ref, _, ok := strings.Cut(id, mark); ok {
			return ref
		}
	}
	ref, _, _ := strings.Cut(id, ".")
	return ref
}

// sendgridBounce tells a mailbox that does not exist from a server that would not have this mail now. SendGrid calls the
// second blocked, and gives later events a classification (SendGrid docs, "Bounce classifications").
func sendgridBounce(e *sendgridEvent) outbox.Class {
	switch e.Classification {
	case "Invalid Address":
		return outbox.InvalidRecipient
	case "Content":
		return outbox.RejectedContent
	case "", "Unclassified":
		if e.Type != "blocked" && !strings.HasPrefix(e.Status, "4") {
			return outbox.InvalidRecipient
		}
	}
	return outbox.Transient
}

// sendgridDropped reads why SendGrid never sent a mail. The code is one of SendGrid's own reasons.
func sendgridDropped(reason string) (outbox.Class, string) {
	for _, known := range []struct {
		reason string
		class  outbox.Class
	}{
		{"Bounced Address", outbox.Suppressed},
		{"Unsubscribed Address", outbox.Suppressed},
		{"Spam Reporting Address", outbox.Suppressed},
		{"Invalid SMTPAPI header", outbox.RejectedContent},
		{"Invalid", outbox.InvalidRecipient},
		{"Spam Content", outbox.RejectedContent},
		{"Recipient List over Package Quota", outbox.Quota},
	} {
		if strings.HasPrefix(reason, known.reason) {
			return known.class, known.reason
		}
	}
	return outbox.RejectedContent, "dropped"
}

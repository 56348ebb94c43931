package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

type resendSettings struct {
	APIKey        string   `name:"api_key" required:"true" secret:"true" help:"API key with sending access, re_ and more."`
	From          string   `name:"from" required:"true" help:"Sender address at a domain that is verified with Resend, with or without a name."`
	ReplyTo       string   `name:"reply_to" help:"Address for replies."`
	ReceiptSecret []string `name:"receipt_secret" secret:"true" help:"Signing secrets of the webhook that reports deliveries, whsec_ and base64."`
	Endpoint      string   `name:"endpoint" default:"https://api.resend.com" help:"Address of the API."`
	connection
}

func resend() Kind {
	return Kind{
		Name:     "resend",
		Channels: []outbox.Channel{outbox.Email},
		Doc:      "Sends email through Resend.",
		Settings: resendSettings{},
		Open:     opener(openResend),
		Receipts: reader(readResend),
	}
}

type resendSender struct {
	*vendor
	settings resendSettings
	from     sender
}

func openResend(s resendSettings, env Environment) (outbox.Sender, error) {
	from, err := openSender("resend", s.From)
	if err != nil {
		return nil, err
	}
	v, err := newVendor("resend", s.Endpoint, s.connection, env, s.APIKey)
	if err != nil {
		return nil, err
	}
	return &resendSender{vendor: v, settings: s, from: from}, nil
}

// resendMail is the body of POST /emails (resend-openapi 1.5.0, SendEmailRequest).
type resendMail struct {
	From    string            `json:"from"`
	To      []string          `json:"to"`
	Subject string            `json:"subject"`
	Text    string            `json:"text"`
	HTML    string            `json:"html,omitempty"`
	ReplyTo string            `json:"reply_to,omitempty"`
	Headers map[string]string `json:"headers"`
	Tags    []resendTag       `json:"tags"`
}

type resendTag struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// resendDelivery is the tag that carries a delivery's id to Resend and back.
const resendDelivery = "delivery"

// Send posts the mail. The delivery's id is the idempotency key, which Resend keeps for 24 hours.
func (s *resendSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	header := http.Header{"Authorization": {"Bearer " + s.settings.APIKey}, "Idempotency-Key": {id}}
	r, fault := s.postJSON(ctx, "/emails", header, resendMail{
		From: s.from.header(&m), To: []string{m.To}, Subject: oneLine(m.Subject), Text: m.Text, HTML: m.HTML,
		ReplyTo: s.settings.ReplyTo, Headers: automaticHeaders(id), Tags: []resendTag{{resendDelivery, id}},
	})
	if fault != nil {
		return "", s.understand(r, fault, &m)
	}
	var taken struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(r.Body, &taken) // an answer that cannot be read has no reference, and is a 200 all the same
	return taken.ID, nil
}

// understand reads Resend's own error names (resend.com/docs, "Errors").
func (s *resendSender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	var e struct {
		Name    string `json:"name"`
		Message string `json:"message"`
	}
	if json.Unmarshal(r.Body, &e) != nil || e.Name == "" {
		return fault
	}
	var class outbox.Class
	switch e.Name {
	case "daily_quota_exceeded", "monthly_quota_exceeded":
		class = outbox.Quota
	case "concurrent_idempotent_requests": // the same message is being taken right now
		class = outbox.Transient
	case "invalid_api_key", "missing_api_key", "restricted_api_key", "invalid_from_address":
		class = outbox.Account
	}
	return s.explain(fault, class, fmt.Sprintf("%d %s", r.Status, e.Name), e.Message, m)
}

// readResend reads Resend's webhooks, which are signed as Svix does it (resend.com/docs, "Verify webhooks requests").
func readResend(s resendSettings, env Environment) (Receipts, error) {
	if len(s.ReceiptSecret) == 0 {
		return nil, nil
	}
	secrets, err := parseSecrets(s.ReceiptSecret)
	if err != nil {
		return nil, fmt.Errorf("provider resend: setting receipt_secret: %w", err)
	}
	return resendReceipts{secrets, env.clock()}, nil
}

type resendReceipts struct {
	secrets []webhookSecret
	now     func() time.Time
}

type resendEvent struct {
	Type      string    `json:"type"`
	CreatedAt time.Time `json:"created_at"`
	Data      struct {
		EmailID string            `json:"email_id"`
		Tags    map[string]string `json:"tags"`
		Bounce  struct {
			Type    string `json:"type"`
			SubType string `json:"subType"`
		} `json:"bounce"`
	} `json:"data"`
}

func (r resendReceipts) Read(_ context.Context, p Posted) (Told, error) {
	id, err := verifyWebhook(r.secrets, "svix", p, r.now())
	if err != nil {
		return Told{}, err
	}
	var e resendEvent
	if json.Unmarshal(p.Body, &e) != nil || e.Type == "" {
		return Told{}, fmt.Errorf("%w: want an event of Resend", ErrMalformed)
	}
	receipt := outbox.Receipt{Event: id, Ref: e.Data.EmailID, Delivery: e.Data.Tags[resendDelivery], At: e.CreatedAt}
	switch e.Type {
	case "email.delivered":
		receipt.Report = outbox.ReportDelivered
	case "email.delivery_delayed":
		receipt.Report = outbox.ReportDelayed
	case "email.complained":
		receipt.Report = outbox.ReportComplained
	case "email.suppressed":
		receipt.Report, receipt.Class = outbox.ReportBounced, outbox.Suppressed
	case "email.failed":
		receipt.Report, receipt.Class = outbox.ReportBounced, outbox.RejectedContent
	case "email.bounced":
		receipt.Report, receipt.Class, receipt.Code = outbox.ReportBounced, outbox.Transient, e.Data.Bounce.SubType
		if e.Data.Bounce.Type == "Permanent" {
			receipt.Class = outbox.InvalidRecipient
		}
	default: // sent, opened, clicked: nothing that a passcode cares for
		return Told{}, nil
	}
	if receipt.Ref == "" && receipt.Delivery == "" {
		return Told{}, fmt.Errorf("%w: it names no message", ErrMalformed)
	}
	return Told{Receipts: []outbox.Receipt{receipt}}, nil
}

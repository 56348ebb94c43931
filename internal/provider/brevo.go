package provider

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

type brevoSettings struct {
	APIKey        string `name:"api_key" required:"true" secret:"true" help:"API key, xkeysib- and more."`
	From          string `name:"from" help:"Sender address that is verified with Brevo, with or without a name; needed for email."`
	ReplyTo       string `name:"reply_to" help:"Address for replies."`
	SMSSender     string `name:"sms_sender" help:"Name of 1 to 11 letters and digits, or number, that SMS come from; needed for SMS."`
	ReceiptSecret string `name:"receipt_secret" secret:"true" help:"Secret that Brevo's webhook carries: its bearer token, the password in its address, or what follows the provider's name."`
	Endpoint      string `name:"endpoint" default:"https://api.brevo.com" help:"Address of the API."`
	connection
}

func brevo() Kind {
	return Kind{
		Name:     "brevo",
		Channels: []outbox.Channel{outbox.Email, outbox.SMS},
		Doc:      "Sends email and SMS through Brevo.",
		Settings: brevoSettings{},
		Open:     opener(openBrevo),
		Receipts: reader(readBrevo),
	}
}

type brevoSender struct {
	*vendor
	settings brevoSettings
	from     sender // without an address when there is no email
	replyTo  *brevoAddress
}

// brevoSMSSender is what SMS can come from (brevo-go swagger 3.0.0, sendTransacSms.sender).
var brevoSMSSender = regexp.MustCompile(`^([A-Za-z0-9]{1,11}|[0-9]{1,15})$`)

func openBrevo(s brevoSettings, env Environment) (outbox.Sender, error) {
	if s.From == "" && s.SMSSender == "" {
		return nil, errors.New("provider brevo: want the setting from for email, sms_sender for SMS, or both")
	}
	s.SMSSender = withoutPlus(s.SMSSender)
	if s.SMSSender != "" && !brevoSMSSender.MatchString(s.SMSSender) {
		return nil, errors.New("provider brevo: setting sms_sender: want at most 11 letters and digits, or at most 15 digits")
	}
	out := &brevoSender{settings: s}
	if s.From != "" {
		from, err := openSender("brevo", s.From)
		if err != nil {
			return nil, err
		}
		out.from = from
	}
	replyTo, err := openReplyTo("brevo", s.ReplyTo)
	if err != nil {
		return nil, err
	}
	if replyTo != nil {
		out.replyTo = &brevoAddress{replyTo.Address, brevoName(replyTo.Name)}
	}
	out.vendor, err = newVendor("brevo", s.Endpoint, s.connection, env, s.APIKey)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// brevoMail is the body of POST /v3/smtp/email (brevo-go swagger 3.0.0, sendSmtpEmail).
type brevoMail struct {
	Sender  brevoAddress      `json:"sender"`
	To      []brevoAddress    `json:"to"`
	ReplyTo *brevoAddress     `json:"replyTo,omitempty"`
	Subject string            `json:"subject"`
	Text    string            `json:"textContent"`
	HTML    string            `json:"htmlContent,omitempty"`
	Headers map[string]string `json:"headers"`
}

type brevoAddress struct {
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
}

// brevoSMS is the body of POST /v3/transactionalSMS/sms (brevo-go swagger 3.0.0, sendTransacSms).
type brevoSMS struct {
	Sender    string `json:"sender"`
	Recipient string `json:"recipient"`
	Content   string `json:"content"`
	Type      string `json:"type"`
	Tag       string `json:"tag"`
	Unicode   bool   `json:"unicodeEnabled"`
}

// brevoDelivery is the header that carries a delivery's id to Brevo and back. For SMS, the tag does.
const brevoDelivery = "X-Mailin-custom"

func (s *brevoSender) header() http.Header {
	return http.Header{"Api-Key": {s.settings.APIKey}, "Accept": {"application/json"}}
}

// Send posts the message.
func (s *brevoSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	path, body, fault := s.message(id, &m)
	if fault != nil {
		return "", fault
	}
	r, fault := s.postJSON(ctx, path, s.header(), body)
	if fault != nil {
		return "", s.understand(r, fault, &m)
	}
	var taken struct {
		MessageID looseText `json:"messageId"`
	}
	_ = json.Unmarshal(r.Body, &taken) // an answer that cannot be read has no reference, and is a 2xx all the same
	return brevoRef(string(taken.MessageID)), nil
}

func (s *brevoSender) message(id string, m *outbox.Message) (path string, body any, fault *outbox.Fault) {
	if m.Channel == outbox.SMS {
		from := s.settings.SMSSender
		if own := withoutPlus(m.From); brevoSMSSender.MatchString(own) { // anything else that a message brings is for mail
			from = own
		}
		if from == "" {
			return "", nil, outbox.Faultf(outbox.Account, "", "the setting sms_sender is missing, which SMS need")
		}
		// Without Unicode, Brevo replaces characters that the default alphabet lacks.
		return "/v3/transactionalSMS/sms", brevoSMS{Sender: from, Recipient: withoutPlus(m.To), Content: m.Text, Type: "transactional",
			Tag: id, Unicode: !gsm(m.Text)}, nil
	}
	if s.settings.From == "" {
		return "", nil, outbox.Faultf(outbox.Account, "", "the setting from is missing, which email needs")
	}
	from := s.from.of(m)
	headers := automaticHeaders(id)
	headers[brevoDelivery], headers["idempotencyKey"] = id, brevoKey(id)
	// Brevo's template language is looked for in mails without a template, too.
	return "/v3/smtp/email", brevoMail{Sender: brevoAddress{from.Address, brevoName(bracesApart(from.Name))}, To: []brevoAddress{{Email: m.To}},
		ReplyTo: s.replyTo, Subject: bracesApart(oneLine(m.Subject)), Text: bracesApart(m.Text), HTML: bracesApart(m.HTML), Headers: headers}, nil
}

// brevoName shortens a name to the 70 characters that Brevo takes.
func brevoName(name string) string {
	n := 0
	for i := range name {
		if n++; n > 70 {
			return name[:i]
		}
	}
	return name
}

// brevoKey makes the idempotency key of a delivery, a UUID of version 8 (RFC 9562 §5.8; developers.brevo.com, "Idempotency
// for batch emails"). Brevo keeps it for 15 minutes at least.
func brevoKey(id string) string {
	u := sha256.Sum256([]byte("otpost brevo " + id))
	u[6], u[8] = u[6]&0x0F|0x80, u[8]&0x3F|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:16])
}

// brevoRef is a message's id. Brevo writes a mail's with angle brackets in some places and without in others.
func brevoRef(id string) string {
	return strings.TrimSuffix(strings.TrimPrefix(id, "<"), ">")
}

// understand reads Brevo's error codes (brevo-go swagger 3.0.0, errorModel), some of which come with more than one status.
func (s *brevoSender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	if fault.Class == outbox.Throttled && fault.RetryAfter == 0 {
		if seconds, err := time.ParseDuration(r.Header.Get("X-Sib-Ratelimit-Reset") + "s"); err == nil && seconds > 0 {
			fault.RetryAfter = min(seconds, maxRetryAfter)
		}
	}
	var e struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(r.Body, &e) != nil || e.Code == "" {
		return fault
	}
	return s.explain(fault, brevoClass(e.Code, strings.ToLower(e.Message)), fmt.Sprintf("%d %s", r.Status, e.Code), e.Message, m)
}

func brevoClass(code, text string) outbox.Class {
	switch code {
	case "not_enough_credits":
		return outbox.Quota
	case "unauthorized", "permission_denied", "reseller_permission_denied", "account_under_validation", "document_not_found", "method_not_allowed",
		"not_acceptable":
		return outbox.Account
	case "duplicate_request":
		// The key was seen before, by a try whose answer was lost. Whether that one was sent is not said.
		return outbox.Ambiguous
	case "invalid_parameter", "missing_parameter", "out_of_range", "bad_request", "duplicate_parameter", "unprocessable_entity":
		switch {
		case strings.Contains(text, "sender"):
			return outbox.Account
		case strings.Contains(text, "blacklisted"), strings.Contains(text, "unsubscribed"):
			return outbox.Suppressed
		case strings.Contains(text, "not valid in to"), strings.Contains(text, "phone"), strings.Contains(text, "recipient"):
			return outbox.InvalidRecipient
		}
		return outbox.RejectedContent
	}
	return ""
}

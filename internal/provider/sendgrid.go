package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

type sendgridSettings struct {
	APIKey           string   `name:"api_key" required:"true" secret:"true" help:"API key with the permission Mail Send, SG. and more."`
	From             string   `name:"from" required:"true" help:"Sender address at an authenticated domain or of a verified sender, with or without a name."`
	ReplyTo          string   `name:"reply_to" help:"Address for replies."`
	TemplateID       string   `name:"template_id" help:"Dynamic template to fill instead of sending our own mail, d- and more."`
	ReceiptPublicKey []string `name:"receipt_public_key" help:"Verification keys of the signed event webhook, base64."`
	Endpoint         string   `name:"endpoint" default:"https://api.sendgrid.com" help:"Address of the API; https://api.eu.sendgrid.com for subusers in the EU."`
	connection
}

func sendgrid() Kind {
	return Kind{
		Name:     "sendgrid",
		Channels: []outbox.Channel{outbox.Email},
		Doc:      "Sends email through Twilio SendGrid, with our own mails or a dynamic template of yours.",
		Settings: sendgridSettings{},
		Open:     opener(openSendgrid),
		Receipts: reader(readSendgrid),
	}
}

type sendgridSender struct {
	*vendor
	settings sendgridSettings
	from     sender
	replyTo  *sendgridAddress
}

func openSendgrid(s sendgridSettings, env Environment) (outbox.Sender, error) {
	from, err := openSender("sendgrid", s.From)
	if err != nil {
		return nil, err
	}
	replyTo, err := openReplyTo("sendgrid", s.ReplyTo)
	if err != nil {
		return nil, err
	}
	v, err := newVendor("sendgrid", s.Endpoint, s.connection, env, s.APIKey)
	if err != nil {
		return nil, err
	}
	out := &sendgridSender{vendor: v, settings: s, from: from}
	if replyTo != nil {
		out.replyTo = &sendgridAddress{replyTo.Address, replyTo.Name}
	}
	return out, nil
}

// sendgridMail is the body of POST /v3/mail/send (sendgrid-oai tsg_mail_v3, SendMail).
type sendgridMail struct {
	Personalizations []sendgridPerson  `json:"personalizations"`
	From             sendgridAddress   `json:"from"`
	ReplyTo          *sendgridAddress  `json:"reply_to,omitempty"`
	Subject          string            `json:"subject,omitempty"`
	Content          []sendgridContent `json:"content,omitempty"`
	TemplateID       string            `json:"template_id,omitempty"`
	Tracking         sendgridTracking  `json:"tracking_settings"`
	Settings         sendgridMode      `json:"mail_settings"`
}

type sendgridPerson struct {
	To           []sendgridAddress `json:"to"`
	Headers      map[string]string `json:"headers"`
	CustomArgs   map[string]string `json:"custom_args"`
	TemplateData map[string]string `json:"dynamic_template_data,omitempty"`
}

type sendgridAddress struct {
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
}

type sendgridContent struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

type sendgridSwitch struct {
	Enable bool `json:"enable"`
}

// sendgridTracking switches off, for one mail, what an account may have switched on: a link that is rewritten, a picture
// that counts, a footer for unsubscribing.
type sendgridTracking struct {
	Click        sendgridSwitch `json:"click_tracking"`
	Open         sendgridSwitch `json:"open_tracking"`
	Subscription sendgridSwitch `json:"subscription_tracking"`
	Analytics    sendgridSwitch `json:"ganalytics"`
}

type sendgridMode struct {
	Sandbox sendgridSwitch `json:"sandbox_mode"`
}

// sendgridDelivery is the custom argument that carries a delivery's id to SendGrid and back.
const sendgridDelivery = "delivery"

// Send posts the mail. SendGrid answers 202 with the id of the message in a header.
func (s *sendgridSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	r, fault := s.postJSON(ctx, "/v3/mail/send", s.header(), s.mail(id, &m))
	if fault != nil {
		return "", s.understand(r, fault, &m)
	}
	return r.Header.Get("X-Message-Id"), nil
}

func (s *sendgridSender) header() http.Header {
	return http.Header{"Authorization": {"Bearer " + s.settings.APIKey}, "Accept": {"application/json"}}
}

func (s *sendgridSender) mail(id string, m *outbox.Message) sendgridMail {
	from := s.from.of(m)
	person := sendgridPerson{To: []sendgridAddress{{Email: m.To}}, Headers: automaticHeaders(id),
		CustomArgs: map[string]string{sendgridDelivery: id}}
	out := sendgridMail{From: sendgridAddress{from.Address, from.Name}, ReplyTo: s.replyTo}
	if s.settings.TemplateID != "" { // the template has the subject and the content
		person.TemplateData = sendgridData(m)
		out.TemplateID = s.settings.TemplateID
	} else {
		out.Subject = oneLine(m.Subject)
		out.Content = append(out.Content, sendgridContent{"text/plain", m.Text}) // plain text must be the first
		if m.HTML != "" {
			out.Content = append(out.Content, sendgridContent{"text/html", m.HTML})
		}
	}
	out.Personalizations = []sendgridPerson{person}
	return out
}

// sendgridData fills a dynamic template. Templates written for Microsoft's samples read the code as otp (the OnOtpSend
// sample; the B2C custom email page, which has email and subject too, and verify-email in its JSON page).
func sendgridData(m *outbox.Message) map[string]string {
	return map[string]string{
		"code": m.Code, "otp": m.Code, "verificationCode": m.Code,
		"email": m.To, "verify-email": m.To, "subject": oneLine(m.Subject),
		"application": m.Application, "purpose": m.Purpose, "language": m.Language,
	}
}

// understand reads SendGrid's errors, which have a field and a text and no code of their own.
func (s *sendgridSender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	if fault.Class == outbox.Throttled && fault.RetryAfter == 0 {
		fault.RetryAfter = sendgridReset(r.Header, s.now())
	}
	var e struct {
		Errors []struct {
			Message string  `json:"message"`
			Field   *string `json:"field"`
		} `json:"errors"`
	}
	if json.Unmarshal(r.Body, &e) != nil || len(e.Errors) == 0 {
		return fault
	}
	first, code, field := e.Errors[0], strconv.Itoa(r.Status), ""
	if first.Field != nil && *first.Field != "" {
		field = *first.Field
		code += " " + field
	}
	var class outbox.Class
	switch {
	case strings.HasPrefix(strings.ToLower(first.Message), "maximum credits exceeded"): // a 401, though the key is good
		class = outbox.Quota
	case r.Status != http.StatusBadRequest:
	case strings.HasPrefix(field, "personalizations.0.to"):
		class = outbox.InvalidRecipient
	case field == "from" || strings.HasPrefix(field, "from."), field == "template_id":
		class = outbox.Account
	}
	return s.explain(fault, class, code, first.Message, m)
}

// sendgridReset reads when a rate limit ends, in seconds since 1970 (SendGrid docs, "Rate limits").
func sendgridReset(h http.Header, now time.Time) time.Duration {
	at, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return 0
	}
	return min(max(time.Unix(at, 0).Sub(now), 0), maxRetryAfter)
}

package provider

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

type mailjetSettings struct {
	APIKey        string `name:"api_key" required:"true" secret:"true" help:"API key of the account or subaccount."`
	SecretKey     string `name:"secret_key" required:"true" secret:"true" help:"Secret key that belongs to the API key."`
	From          string `name:"from" required:"true" help:"Sender address that is active with Mailjet, with or without a name."`
	ReplyTo       string `name:"reply_to" help:"Address for replies."`
	TemplateID    int    `name:"template_id" help:"Template to fill instead of sending our own mail, with the code as {{var:otp}}."`
	ReceiptSecret string `name:"receipt_secret" secret:"true" help:"Secret that Mailjet is given with the address for events, as the password in the URL or after the provider's name."`
	Endpoint      string `name:"endpoint" default:"https://api.mailjet.com" help:"Address of the API; https://api.us.mailjet.com for accounts in the US."`
	connection
}

func mailjet() Kind {
	return Kind{
		Name:     "mailjet",
		Channels: []outbox.Channel{outbox.Email},
		Doc:      "Sends email through Mailjet, with our own mails or a template of yours.",
		Settings: mailjetSettings{},
		Open:     opener(openMailjet),
		Receipts: reader(readMailjet),
	}
}

type mailjetSender struct {
	*vendor
	settings mailjetSettings
	from     sender
	replyTo  *mailjetAddress
}

func openMailjet(s mailjetSettings, env Environment) (outbox.Sender, error) {
	from, err := openSender("mailjet", s.From)
	if err != nil {
		return nil, err
	}
	replyTo, err := openReplyTo("mailjet", s.ReplyTo)
	if err != nil {
		return nil, err
	}
	v, err := newVendor("mailjet", s.Endpoint, s.connection, env, s.APIKey, s.SecretKey, s.APIKey+":"+s.SecretKey)
	if err != nil {
		return nil, err
	}
	out := &mailjetSender{vendor: v, settings: s, from: from}
	if replyTo != nil {
		out.replyTo = &mailjetAddress{replyTo.Address, replyTo.Name}
	}
	return out, nil
}

// mailjetMail is a message of POST /v3.1/send (Mailjet guides, "Send API v3.1").
type mailjetMail struct {
	From             mailjetAddress    `json:"From"`
	To               []mailjetAddress  `json:"To"`
	ReplyTo          *mailjetAddress   `json:"ReplyTo,omitempty"`
	Subject          string            `json:"Subject"`
	TextPart         string            `json:"TextPart,omitempty"`
	HTMLPart         string            `json:"HTMLPart,omitempty"`
	TemplateID       int               `json:"TemplateID,omitempty"`
	TemplateLanguage bool              `json:"TemplateLanguage,omitempty"`
	Variables        map[string]string `json:"Variables,omitempty"`
	CustomID         string            `json:"CustomID"`
	Headers          map[string]string `json:"Headers"`
	TrackOpens       string            `json:"TrackOpens"`
	TrackClicks      string            `json:"TrackClicks"`
}

type mailjetAddress struct {
	Email string `json:"Email"`
	Name  string `json:"Name,omitempty"`
}

// Send posts the mail. Mailjet answers for each message, and a refusal may stand in a 200.
func (s *mailjetSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	body := map[string]any{"Messages": []mailjetMail{s.mail(id, &m)}}
	r, fault := s.postJSON(ctx, "/v3.1/send", s.header(), body)
	if fault != nil {
		return "", s.understand(r, fault, &m)
	}
	var answer mailjetAnswer
	if fault := understood(r, &answer); fault != nil {
		return "", fault
	}
	if len(answer.Messages) == 1 && answer.Messages[0].Status == "success" {
		if to := answer.Messages[0].To; len(to) > 0 {
			return to[0].MessageID.String(), nil
		}
		return "", nil
	}
	if e, ok := answer.first(); ok {
		return "", s.refusal(e, &m)
	}
	return "", outbox.Faultf(outbox.Ambiguous, strconv.Itoa(r.Status), "the answer says neither success nor error")
}

func (s *mailjetSender) header() http.Header {
	basic := base64.StdEncoding.EncodeToString([]byte(s.settings.APIKey + ":" + s.settings.SecretKey))
	return http.Header{"Authorization": {"Basic " + basic}}
}

func (s *mailjetSender) mail(id string, m *outbox.Message) mailjetMail {
	from := s.from.of(m)
	out := mailjetMail{From: mailjetAddress{from.Address, from.Name}, To: []mailjetAddress{{Email: m.To}}, ReplyTo: s.replyTo,
		Subject: oneLine(m.Subject), CustomID: id, Headers: automaticHeaders(id), TrackOpens: "disabled", TrackClicks: "disabled"}
	if s.settings.TemplateID == 0 { // without TemplateLanguage, nothing in the mail is taken for a variable
		out.TextPart, out.HTMLPart = m.Text, m.HTML
		return out
	}
	out.Subject = bracesApart(out.Subject)
	out.TemplateID, out.TemplateLanguage = s.settings.TemplateID, true
	out.Variables = map[string]string{ // otp and email are what the B2C custom email page for Mailjet has
		"code": m.Code, "otp": m.Code, "verificationCode": m.Code, "email": m.To, "subject": oneLine(m.Subject),
		"application": m.Application, "purpose": m.Purpose, "language": m.Language,
	}
	return out
}

// mailjetAnswer is an answer to a send. A request that was refused as a whole has the fields of one error at the top.
type mailjetAnswer struct {
	mailjetError
	Messages []struct {
		Status string         `json:"Status"`
		Errors []mailjetError `json:"Errors"`
		To     []struct {
			MessageID json.Number `json:"MessageID"` // above 2^53
		} `json:"To"`
	} `json:"Messages"`
}

type mailjetError struct {
	Code      string   `json:"ErrorCode"`
	Status    int      `json:"StatusCode"`
	Message   string   `json:"ErrorMessage"`
	RelatedTo []string `json:"ErrorRelatedTo"`
}

func (a *mailjetAnswer) first() (mailjetError, bool) {
	for _, m := range a.Messages {
		if m.Status == "error" && len(m.Errors) > 0 {
			return m.Errors[0], true
		}
	}
	return a.mailjetError, a.Code != ""
}

// understand reads the errors of a refused request.
func (s *mailjetSender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	var answer mailjetAnswer
	if json.Unmarshal(r.Body, &answer) != nil {
		return fault
	}
	e, ok := answer.first()
	if !ok {
		return fault
	}
	if e.Status == 0 {
		e.Status = r.Status
	}
	refused := s.refusal(e, m)
	if fault.Class == outbox.Throttled || fault.Class == outbox.Transient {
		refused.Class = fault.Class // an overloaded Mailjet may say anything
	}
	refused.RetryAfter = fault.RetryAfter
	return refused
}

// refusal makes the fault of one of Mailjet's errors (Mailjet guides, "Send API v3.1", "Send API errors").
func (s *mailjetSender) refusal(e mailjetError, m *outbox.Message) *outbox.Fault {
	class := outbox.RejectedContent
	switch {
	case e.Code == "mj-0013" && len(e.RelatedTo) > 0 && !strings.HasPrefix(e.RelatedTo[0], "To"):
		class = outbox.Account // the sender's address or the one for replies
	case e.Code == "mj-0013":
		class = outbox.InvalidRecipient
	case e.Code == "mj-0001", e.Code == "mj-0015", e.Code == "send-0006", e.Code == "send-0007", e.Code == "send-0008":
		class = outbox.Account
	case e.Status == http.StatusTooManyRequests:
		class = outbox.Throttled
	case e.Status >= 500:
		class = outbox.Transient
	case e.Status == http.StatusUnauthorized, e.Status == http.StatusForbidden:
		class = outbox.Account
	}
	f := s.refused(class, strings.TrimSpace(strconv.Itoa(e.Status)+" "+e.Code), e.Message, m)
	if f.Detail == "" {
		f.Detail = "refused without a word"
	}
	return f
}

package provider

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

type mandrillSettings struct {
	APIKey        string   `name:"api_key" required:"true" secret:"true" help:"API key of Mailchimp Transactional."`
	From          string   `name:"from" required:"true" help:"Sender address at a verified domain, with or without a name."`
	ReplyTo       string   `name:"reply_to" help:"Address for replies."`
	Subaccount    string   `name:"subaccount" help:"Subaccount to send as."`
	ReceiptSecret []string `name:"receipt_secret" secret:"true" help:"Keys of the webhook that reports deliveries, which sign what it posts."`
	Endpoint      string   `name:"endpoint" default:"https://mandrillapp.com" help:"Address of the API."`
	connection
}

func mandrill() Kind {
	return Kind{
		Name:     "mandrill",
		Channels: []outbox.Channel{outbox.Email},
		Doc:      "Sends email through Mandrill (Mailchimp Transactional).",
		Settings: mandrillSettings{},
		Open:     opener(openMandrill),
		Receipts: reader(readMandrill),
	}
}

type mandrillSender struct {
	*vendor
	settings mandrillSettings
	from     sender
	replyTo  string
}

func openMandrill(s mandrillSettings, env Environment) (outbox.Sender, error) {
	from, err := openSender("mandrill", s.From)
	if err != nil {
		return nil, err
	}
	replyTo, err := openReplyTo("mandrill", s.ReplyTo)
	if err != nil {
		return nil, err
	}
	v, err := newVendor("mandrill", s.Endpoint, s.connection, env, s.APIKey)
	if err != nil {
		return nil, err
	}
	out := &mandrillSender{vendor: v, settings: s, from: from}
	if replyTo != nil {
		out.replyTo = replyTo.String()
	}
	return out, nil
}

// mandrillCall is the body of POST /messages/send (Mailchimp Transactional OpenAPI 1.4.0).
type mandrillCall struct {
	Key     string       `json:"key"`
	Async   bool         `json:"async"` // false: a refusal comes in the answer
	Message mandrillMail `json:"message"`
}

// mandrillMail has no omitempty where an account has a default that would change a mail: tracking, rewriting and the copy
// of the text that the activity log would show. Without merge, nothing in the mail is taken for a merge tag.
type mandrillMail struct {
	FromEmail       string            `json:"from_email"`
	FromName        string            `json:"from_name,omitempty"`
	To              []mandrillTo      `json:"to"`
	Subject         string            `json:"subject"`
	Text            string            `json:"text"`
	HTML            string            `json:"html,omitempty"`
	Headers         map[string]string `json:"headers"`
	Important       bool              `json:"important"`
	TrackOpens      bool              `json:"track_opens"`
	TrackClicks     bool              `json:"track_clicks"`
	AutoText        bool              `json:"auto_text"`
	AutoHTML        bool              `json:"auto_html"`
	InlineCSS       bool              `json:"inline_css"`
	Preserve        bool              `json:"preserve_recipients"`
	ViewContentLink bool              `json:"view_content_link"`
	Merge           bool              `json:"merge"`
	Subaccount      string            `json:"subaccount,omitempty"`
	Metadata        map[string]string `json:"metadata"`
}

type mandrillTo struct {
	Email string `json:"email"`
	Type  string `json:"type"`
}

// mandrillDelivery is the metadata that carries a delivery's id to Mandrill and back.
const mandrillDelivery = "delivery"

// Send posts the mail. Mandrill answers 200 for each recipient, and a refusal stands in its status.
func (s *mandrillSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	r, fault := s.postJSON(ctx, "/api/1.4/messages/send", nil, mandrillCall{Key: s.settings.APIKey, Message: s.mail(id, &m)})
	if fault != nil {
		return "", s.understand(r, fault, &m)
	}
	if !r.Whole {
		return "", unread(r)
	}
	var results []mandrillResult
	if json.Unmarshal(r.Body, &results) != nil || len(results) != 1 {
		unknown := outbox.Faultf(outbox.Ambiguous, strconv.Itoa(r.Status), "the answer does not name one recipient")
		return "", s.understand(r, unknown, &m) // older versions put errors into a 200
	}
	if fault := results[0].refusal(); fault != nil {
		return "", fault
	}
	return results[0].ID, nil
}

func (s *mandrillSender) mail(id string, m *outbox.Message) mandrillMail {
	from := s.from.of(m)
	headers := automaticHeaders(id)
	if s.replyTo != "" {
		headers["Reply-To"] = s.replyTo
	}
	return mandrillMail{
		FromEmail: from.Address, FromName: from.Name, To: []mandrillTo{{m.To, "to"}}, Subject: oneLine(m.Subject), Text: m.Text, HTML: m.HTML,
		Headers: headers, Important: true, Subaccount: s.settings.Subaccount, Metadata: map[string]string{mandrillDelivery: id},
	}
}

// mandrillResult is what became of one recipient (MessagesSendResult).
type mandrillResult struct {
	ID     string `json:"_id"`
	Status string `json:"status"`
	Reject string `json:"reject_reason"`
	Queued string `json:"queued_reason"`
}

// refusal is nil for a mail that is on its way. One that Mandrill keeps because the account may not send now counts as
// refused: it would come too late, and another provider can do better.
func (r *mandrillResult) refusal() *outbox.Fault {
	switch r.Status {
	case "sent", "scheduled":
		return nil
	case "queued":
		switch r.Queued {
		case "account-suspended", "sending-suspended", "sending-paused":
			return outbox.Faultf(outbox.Account, "queued "+r.Queued, "the account does not send now; the mail waits in its queue")
		case "monthly-limit-reached", "free-trial-sends-exhausted", "hourly-quota-exhausted":
			return outbox.Faultf(outbox.Quota, "queued "+r.Queued, "the account's limit is reached; the mail waits in its queue")
		}
		return nil
	case "invalid":
		return outbox.Faultf(outbox.InvalidRecipient, "invalid", "the recipient's address is invalid")
	case "rejected":
		reason := wordOf(r.Reject)
		return outbox.Faultf(mandrillReject(reason), strings.TrimSpace("rejected "+reason), "the recipient was rejected")
	}
	return outbox.Faultf(outbox.Ambiguous, "200", "the answer has a status that is not known")
}

// mandrillReject reads a reject_reason.
func mandrillReject(reason string) outbox.Class {
	switch reason {
	case "hard-bounce", "soft-bounce", "spam", "unsub", "custom":
		return outbox.Suppressed
	case "invalid":
		return outbox.InvalidRecipient
	case "invalid-sender", "unsigned":
		return outbox.Account
	case "test-mode-limit":
		return outbox.Quota
	}
	return outbox.RejectedContent // rule, and what may come
}

// understand reads Mandrill's errors by their names: the status of the same error has been a 500 and is another now.
func (s *mandrillSender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	var e struct {
		Status  string `json:"status"`
		Name    string `json:"name"`
		Message string `json:"message"`
	}
	if json.Unmarshal(r.Body, &e) != nil || e.Status != "error" || e.Name == "" {
		return fault
	}
	var class outbox.Class
	switch e.Name {
	case "Invalid_Key", "Unknown_Subaccount", "Unknown_Template":
		class = outbox.Account
	case "PaymentRequired":
		class = outbox.Quota
	case "ValidationError":
		class = mandrillInvalid(e.Message)
	case "GeneralError", "ServiceUnavailable":
		class = outbox.Transient
	default:
		if fault.Class == outbox.Ambiguous { // an error in a 200 is an error all the same
			class = outbox.RejectedContent
		}
	}
	return s.explain(fault, class, strconv.Itoa(r.Status)+" "+e.Name, e.Message, m)
}

// mandrillInvalid tells which field a ValidationError complains of; its text has the fields in JSON.
func mandrillInvalid(text string) outbox.Class {
	switch {
	case strings.Contains(text, `"from_email"`):
		return outbox.Account
	case strings.Contains(text, `"to"`):
		return outbox.InvalidRecipient
	}
	return outbox.RejectedContent
}

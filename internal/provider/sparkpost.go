package provider

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/otpost/otpost/internal/outbox"
)

type sparkpostSettings struct {
	APIKey        string `name:"api_key" required:"true" secret:"true" help:"API key with the permission Transmissions: Read/Write."`
	From          string `name:"from" required:"true" help:"Sender address at a verified sending domain, with or without a name."`
	ReplyTo       string `name:"reply_to" help:"Address for replies."`
	ReceiptSecret string `name:"receipt_secret" secret:"true" help:"Secret that SparkPost is given with the webhook, as the password of basic authentication or after the provider's name."`
	Endpoint      string `name:"endpoint" default:"https://api.sparkpost.com" help:"Address of the API; https://api.eu.sparkpost.com for accounts in the EU."`
	connection
}

func sparkpost() Kind {
	return Kind{
		Name:     "sparkpost",
		Channels: []outbox.Channel{outbox.Email},
		Doc:      "Sends email through SparkPost (Bird).",
		Settings: sparkpostSettings{},
		Open:     opener(openSparkpost),
		Receipts: reader(readSparkpost),
	}
}

type sparkpostSender struct {
	*vendor
	settings sparkpostSettings
	from     sender
	replyTo  string
}

func openSparkpost(s sparkpostSettings, env Environment) (outbox.Sender, error) {
	from, err := openSender("sparkpost", s.From)
	if err != nil {
		return nil, err
	}
	replyTo, err := openReplyTo("sparkpost", s.ReplyTo)
	if err != nil {
		return nil, err
	}
	v, err := newVendor("sparkpost", s.Endpoint, s.connection, env, s.APIKey)
	if err != nil {
		return nil, err
	}
	out := &sparkpostSender{vendor: v, settings: s, from: from}
	if replyTo != nil {
		out.replyTo = bracesApart(replyTo.String())
	}
	return out, nil
}

// sparkpostMail is the body of POST /api/v1/transmissions (SparkPost API, "Transmissions").
type sparkpostMail struct {
	Options    sparkpostOptions     `json:"options"`
	Recipients []sparkpostRecipient `json:"recipients"`
	Content    sparkpostContent     `json:"content"`
}

// sparkpostOptions has no omitempty: open and click tracking are on unless they are said to be off.
type sparkpostOptions struct {
	Transactional bool `json:"transactional"`
	OpenTracking  bool `json:"open_tracking"`
	ClickTracking bool `json:"click_tracking"`
}

type sparkpostRecipient struct {
	Address  sparkpostAddress  `json:"address"`
	Metadata map[string]string `json:"metadata"`
}

type sparkpostAddress struct {
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
}

type sparkpostContent struct {
	From    sparkpostAddress  `json:"from"`
	Subject string            `json:"subject"`
	Text    string            `json:"text"`
	HTML    string            `json:"html,omitempty"`
	ReplyTo string            `json:"reply_to,omitempty"`
	Headers map[string]string `json:"headers"`
}

// sparkpostDelivery is the metadata that carries a delivery's id to SparkPost and back.
const sparkpostDelivery = "delivery"

// Send posts a transmission with one recipient. SparkPost counts in a 200 whom it accepted and whom it rejected.
func (s *sparkpostSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	r, fault := s.postJSON(ctx, "/api/v1/transmissions", s.header(), s.mail(id, &m))
	if fault != nil {
		return "", s.understand(r, fault, &m)
	}
	var answer sparkpostAnswer
	if fault := understood(r, &answer); fault != nil {
		return "", fault
	}
	status := strconv.Itoa(r.Status)
	switch n := answer.Results; {
	case n.Accepted == 1:
		return string(n.ID), nil
	case n.Rejected > 0 || len(n.Recipients) > 0:
		return "", s.refusal(&answer, outbox.Faultf(outbox.InvalidRecipient, status, "the recipient was rejected"), &m)
	}
	return "", outbox.Faultf(outbox.Ambiguous, status, "the answer counts nobody as accepted or rejected")
}

func (s *sparkpostSender) header() http.Header {
	return http.Header{"Authorization": {s.settings.APIKey}, "Accept": {"application/json"}}
}

// mail writes a mail in which nothing is an expression: SparkPost's template language is at work in inline content too
// (SparkPost API, "Template Language").
func (s *sparkpostSender) mail(id string, m *outbox.Message) sparkpostMail {
	from := s.from.of(m)
	return sparkpostMail{
		Options:    sparkpostOptions{Transactional: true},
		Recipients: []sparkpostRecipient{{Address: sparkpostAddress{Email: m.To}, Metadata: map[string]string{sparkpostDelivery: id}}},
		Content: sparkpostContent{
			From: sparkpostAddress{from.Address, bracesApart(from.Name)}, Subject: bracesApart(oneLine(m.Subject)),
			Text: bracesApart(m.Text), HTML: bracesApart(m.HTML), ReplyTo: s.replyTo, Headers: automaticHeaders(id),
		},
	}
}

type sparkpostAnswer struct {
	Errors  []sparkpostError `json:"errors"`
	Results struct {
		ID         loose            `json:"id"`
		Accepted   int              `json:"total_accepted_recipients"`
		Rejected   int              `json:"total_rejected_recipients"`
		Recipients []sparkpostError `json:"rcpt_to_errors"`
	} `json:"results"`
}

type sparkpostError struct {
	Message     string `json:"message"`
	Description string `json:"description"`
	Code        loose  `json:"code"`
}

// understand reads the errors of a refused transmission (SparkPost API, "Errors" and "Transmissions").
func (s *sparkpostSender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	if r.Status == 420 { // the sending limit of an hour, a day or a month
		fault.Class, fault.Detail = outbox.Quota, "sending limit exceeded"
	}
	var answer sparkpostAnswer
	if json.Unmarshal(r.Body, &answer) != nil {
		return fault
	}
	return s.refusal(&answer, fault, m)
}

// refusal explains a fault by what stands in the answer: about the recipient where something is said of it.
func (s *sparkpostSender) refusal(answer *sparkpostAnswer, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	var e sparkpostError
	var class outbox.Class
	switch {
	case len(answer.Results.Recipients) > 0:
		e, class = answer.Results.Recipients[0], outbox.InvalidRecipient
	case len(answer.Errors) > 0:
		e = answer.Errors[0]
	default:
		return fault
	}
	switch {
	case e.Code == "1902": // generation rejected: the address is on the suppression list
		class = outbox.Suppressed
	case e.Code == "7001": // the sending domain is not configured or not verified
		class = outbox.Account
	case fault.Class == outbox.Throttled, fault.Class == outbox.Transient, fault.Class == outbox.Quota:
		class = ""
	}
	code := fault.Code
	if e.Code != "" {
		code += " " + string(e.Code)
	}
	text := e.Message
	if e.Description != "" {
		text += ": " + e.Description
	}
	return s.explain(fault, class, code, text, m)
}

package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

type sesSettings struct {
	awsAccount
	From             string   `name:"from" required:"true" help:"Sender address that is verified with Amazon SES in this region, with or without a name."`
	ReplyTo          string   `name:"reply_to" help:"Address for replies."`
	ConfigurationSet string   `name:"configuration_set" help:"Configuration set whose events report deliveries. One without open and click tracking keeps links as they are."`
	ReceiptTopic     []string `name:"receipt_topic" help:"ARNs of the SNS topics that report deliveries; reports and subscriptions of any other are refused."`
	Endpoint         string   `name:"endpoint" help:"Address of the API, if it is not the region's own."`
	connection
}

func ses() Kind {
	return Kind{
		Name:     "ses",
		Channels: []outbox.Channel{outbox.Email},
		Doc:      "Sends email through Amazon SES.",
		Settings: sesSettings{},
		Open:     opener(openSES),
		Receipts: reader(readSES),
	}
}

type sesSender struct {
	awsService
	settings sesSettings
	from     sender
}

// sesName is what a configuration set can be called (SES API v2, ConfigurationSetName).
var sesName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func openSES(s sesSettings, env Environment) (outbox.Sender, error) {
	from, err := openSender("ses", s.From)
	if err != nil {
		return nil, err
	}
	if s.ConfigurationSet != "" && !sesName.MatchString(s.ConfigurationSet) {
		return nil, errors.New("provider ses: setting configuration_set: want at most 64 letters, digits, - and _")
	}
	a, err := openAWS("ses", "email", "ses", s.Endpoint, s.awsAccount, s.connection, env)
	if err != nil {
		return nil, err
	}
	return &sesSender{awsService: a, settings: s, from: from}, nil
}

// sesMail is the body of POST /v2/email/outbound-emails (SES API v2, SendEmail).
type sesMail struct {
	FromEmailAddress     string
	Destination          sesDestination
	ReplyToAddresses     []string `json:",omitempty"`
	Content              sesContent
	EmailTags            []sesPair
	ConfigurationSetName string `json:",omitempty"`
}

type sesDestination struct {
	ToAddresses []string
}

type sesContent struct {
	Simple sesSimple
}

type sesSimple struct {
	Subject sesText
	Body    sesBody
	Headers []sesPair
}

type sesBody struct {
	Text sesText
	HTML *sesText `json:"Html,omitempty"`
}

type sesText struct {
	Data    string
	Charset string
}

type sesPair struct {
	Name  string
	Value string
}

// sesDelivery is the tag that carries a delivery's id to SES and back.
const sesDelivery = "delivery"

// Send posts the mail. SES has no idempotency key.
func (s *sesSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	body, err := json.Marshal(s.mail(id, &m))
	if err != nil {
		return "", outbox.Faultf(outbox.RejectedContent, "", "the message cannot be written as JSON")
	}
	r, fault := s.request(ctx, http.MethodPost, "/v2/email/outbound-emails", "application/json", body)
	if fault != nil {
		return "", s.understand(r, fault, &m)
	}
	var taken struct {
		MessageID string `json:"MessageId"`
	}
	_ = json.Unmarshal(r.Body, &taken) // an answer that cannot be read has no reference, and is a 200 all the same
	return taken.MessageID, nil
}

func (s *sesSender) mail(id string, m *outbox.Message) sesMail {
	simple := sesSimple{Subject: utf8Text(oneLine(m.Subject)), Body: sesBody{Text: utf8Text(m.Text)}}
	if m.HTML != "" {
		html := utf8Text(m.HTML)
		simple.Body.HTML = &html
	}
	for name, value := range automaticHeaders(id) {
		simple.Headers = append(simple.Headers, sesPair{name, value})
	}
	slices.SortFunc(simple.Headers, func(a, b sesPair) int { return strings.Compare(a.Name, b.Name) })
	mail := sesMail{
		FromEmailAddress: s.from.header(m), Destination: sesDestination{[]string{m.To}}, Content: sesContent{simple},
		EmailTags: []sesPair{{sesDelivery, id}}, ConfigurationSetName: s.settings.ConfigurationSet,
	}
	if s.settings.ReplyTo != "" {
		mail.ReplyToAddresses = []string{s.settings.ReplyTo}
	}
	return mail
}

func utf8Text(data string) sesText { return sesText{data, "UTF-8"} }

// understand reads the errors of SES (SES API v2, SendEmail, "Errors").
func (s *sesSender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	name, text := awsError(r)
	if name == "" {
		return fault
	}
	class := awsClass(name, text)
	switch strings.TrimSuffix(name, "Exception") {
	case "MessageRejected":
		class = outbox.RejectedContent
		if strings.Contains(text, "not verified") { // the sender, or anybody as long as the account is in the sandbox
			class = outbox.Account
		}
	case "MailFromDomainNotVerified", "NotFound", "AccountSuspended", "SendingPaused":
		class = outbox.Account
	case "LimitExceeded":
		class = outbox.Quota
	case "BadRequest":
		class = outbox.RejectedContent
		if slices.ContainsFunc(sesAddressWords, func(w string) bool { return strings.Contains(text, w) }) {
			class = outbox.InvalidRecipient
		}
	}
	return s.explain(fault, class, fmt.Sprintf("%d %s", r.Status, name), text, m)
}

// sesAddressWords are how SES begins to say that an address cannot be one. The sender's was read when it was set, so it
// is the recipient's.
var sesAddressWords = []string{"Missing final '@domain'", "Local address contains", "Domain contains", "Domain starts with",
	"Domain ends with", "Illegal address"}

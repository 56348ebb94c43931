package provider

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

type microsoft365Settings struct {
	TenantID        string `name:"tenant_id" required:"true" help:"Microsoft Entra tenant, its id or a domain."`
	ClientID        string `name:"client_id" required:"true" help:"Application (client) id of the application that has the permission Mail.Send."`
	ClientSecret    string `name:"client_secret" secret:"true" help:"Value of a client secret of the application; or set certificate."`
	Certificate     string `name:"certificate" secret:"true" help:"Certificate and RSA key of the application as PEM text or file, instead of client_secret."`
	From            string `name:"from" required:"true" help:"Sender address, with or without a name."`
	Mailbox         string `name:"mailbox" help:"User principal name or object id of the mailbox that sends, when it is not the sender address."`
	ReplyTo         string `name:"reply_to" help:"Address for replies, with or without a name."`
	Mode            string `name:"mode" default:"json" oneof:"json mime" help:"How a mail is handed over: json has one body, the HTML; mime has text and HTML, and Exchange always keeps a copy in Sent Items."`
	SaveToSentItems bool   `name:"save_to_sent_items" default:"false" help:"Keep a copy of every mail, codes included, in the mailbox's Sent Items."`
	Authority       string `name:"authority" place:"true" default:"https://login.microsoftonline.com" help:"Where Microsoft Entra gives tokens; another one in national clouds."`
	Endpoint        string `name:"endpoint" default:"https://graph.microsoft.com" help:"Address of Microsoft Graph; another one in national clouds."`
	connection
}

func microsoft365() Kind {
	return Kind{
		Name:     "microsoft365",
		Channels: []outbox.Channel{outbox.Email},
		Doc:      "Sends email from a mailbox of Microsoft 365 through Microsoft Graph.",
		Settings: microsoft365Settings{},
		Open:     opener(openMicrosoft365),
	}
}

// microsoft365Sender sends mail with POST /users/{id}/sendMail (learn.microsoft.com, "user: sendMail").
//
// Graph takes a mail in one of two forms. As JSON it has one body, text or HTML, and only headers that begin with x-; but
// saveToSentItems can be false. As MIME it is what we write, with both bodies and all headers; but then there is no place
// for saveToSentItems, and Exchange keeps a copy in Sent Items. A mailbox full of codes is worse than a mail without a text
// part, so JSON is the default, and MIME wants save_to_sent_items to be set as well, by somebody who knows what follows.
type microsoft365Sender struct {
	*vendor
	tokens   *entraTokens
	settings microsoft365Settings
	from     sender
	replyTo  *mail.Address // nil when it is not set
	composer *composer
}

func openMicrosoft365(s microsoft365Settings, env Environment) (outbox.Sender, error) {
	from, err := openSender("microsoft365", s.From)
	if err != nil {
		return nil, err
	}
	switch {
	case s.ClientSecret == "" && s.Certificate == "":
		return nil, errors.New("provider microsoft365: setting client_secret is missing; or set certificate")
	case s.ClientSecret != "" && s.Certificate != "":
		return nil, errors.New("provider microsoft365: setting client_secret and certificate are both set; take one of them away")
	case s.Mode == "mime" && !s.SaveToSentItems:
		return nil, errors.New("provider microsoft365: setting mode: with mime Exchange keeps every mail in Sent Items; set save_to_sent_items if that is meant, or mode json")
	}
	replyTo, err := openReplyTo("microsoft365", s.ReplyTo)
	if err != nil {
		return nil, err
	}
	v, err := newVendor("microsoft365", s.Endpoint, s.connection, env, s.ClientSecret)
	if err != nil {
		return nil, err
	}
	app := entraApp{tenant: s.TenantID, client: s.ClientID, secret: s.ClientSecret, authority: s.Authority, scope: graphScope(v.base)}
	if s.Certificate != "" {
		if app.certificate, err = readCertificate(s.Certificate, env); err != nil {
			return nil, fmt.Errorf("provider microsoft365: setting certificate: %w", err)
		}
	}
	tokens, err := newEntraTokens("microsoft365", app, s.connection, env)
	if err != nil {
		return nil, err
	}
	c, err := newComposer(smtpSettings{From: s.From}, env.clock())
	if err != nil {
		return nil, fmt.Errorf("provider microsoft365: %w", err)
	}
	c.replyTo = replyTo
	return &microsoft365Sender{vendor: v, tokens: tokens, settings: s, from: from, replyTo: replyTo, composer: c}, nil
}

// graphScope is what a token for Graph is asked for: all that was consented to, at the address it has in this cloud.
func graphScope(base string) string {
	u, err := url.Parse(base)
	if err != nil { // it was parsed before
		return base + "/.default"
	}
	return u.Scheme + "://" + u.Host + "/.default"
}

// graphMail is the body of sendMail in JSON.
type graphMail struct {
	Message graphMessage `json:"message"`
	Save    bool         `json:"saveToSentItems"`
}

type graphMessage struct {
	Subject string           `json:"subject"`
	Body    graphBody        `json:"body"`
	From    graphRecipient   `json:"from"`
	To      []graphRecipient `json:"toRecipients"`
	ReplyTo []graphRecipient `json:"replyTo,omitempty"`
	// MessageID can be set while a message is not sent yet; whether Exchange keeps it is not promised.
	MessageID string        `json:"internetMessageId"`
	Headers   []graphHeader `json:"internetMessageHeaders"`
}

type graphBody struct {
	Type    string `json:"contentType"`
	Content string `json:"content"`
}

type graphRecipient struct {
	Mailbox graphMailbox `json:"emailAddress"`
}

type graphMailbox struct {
	Address string `json:"address"`
	Name    string `json:"name,omitempty"`
}

type graphHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Send hands the mail to the mailbox. Graph answers 202 with nothing in it, so the reference is the Message-ID that we
// gave; a mail that cannot be delivered comes back to the mailbox as a mail.
func (s *microsoft365Sender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	if !plainAddress(m.To) {
		return "", outbox.Faultf(outbox.InvalidRecipient, "", "the address is not one that mail can be sent to")
	}
	from := s.from.of(&m)
	if !plainAddress(from.Address) || !idWord(id) {
		return "", outbox.Faultf(outbox.RejectedContent, "", "the sender's address or the delivery's id cannot be part of a mail")
	}
	path := "/v1.0/users/" + url.PathEscape(s.mailbox(from.Address)) + "/sendMail"
	var r reply
	var fault *outbox.Fault
	ref := "<" + id + "@" + domainOf(from.Address) + ">"
	if s.settings.Mode == "mime" {
		r, fault = s.sendMIME(ctx, path, id, &m)
	} else {
		r, fault = s.tokens.doJSON(ctx, s.vendor, path, s.jsonMail(id, ref, from, &m))
	}
	if fault != nil {
		return "", s.understand(r, fault, &m)
	}
	return ref, nil
}

// mailbox is the user whose mailbox sends: the one of the settings, or the one that the sender address belongs to.
func (s *microsoft365Sender) mailbox(from string) string {
	if s.settings.Mailbox != "" {
		return s.settings.Mailbox
	}
	return from
}

func (s *microsoft365Sender) jsonMail(id, messageID string, from mail.Address, m *outbox.Message) graphMail {
	message := graphMessage{
		Subject: oneLine(m.Subject), Body: graphBody{"HTML", m.HTML}, MessageID: messageID,
		From: graphRecipient{graphMailbox{from.Address, from.Name}}, To: []graphRecipient{{graphMailbox{Address: m.To}}},
	}
	if m.HTML == "" {
		message.Body = graphBody{"Text", m.Text}
	}
	if s.replyTo != nil {
		message.ReplyTo = []graphRecipient{{graphMailbox{s.replyTo.Address, s.replyTo.Name}}}
	}
	headers := automaticHeaders(id)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if strings.HasPrefix(name, "X-") { // Graph takes no other
			message.Headers = append(message.Headers, graphHeader{strings.ToLower(name), headers[name]})
		}
	}
	return graphMail{message, s.settings.SaveToSentItems}
}

// sendMIME sends the mail that an SMTP server would get, in base64.
func (s *microsoft365Sender) sendMIME(ctx context.Context, path, id string, m *outbox.Message) (reply, *outbox.Fault) {
	t, fault := s.composer.compose(id, m)
	if fault != nil {
		return reply{}, fault
	}
	defer t.release()
	body := base64.StdEncoding.AppendEncode(nil, t.plain.Bytes())
	return s.tokens.do(ctx, s.vendor, call{Path: path, Header: http.Header{"Content-Type": {"text/plain"}}, Body: body})
}

// Close closes the connections that are kept between requests.
func (s *microsoft365Sender) Close() error {
	s.tokens.close()
	return s.vendor.Close()
}

package provider

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

type mailgunSettings struct {
	APIKey        string   `name:"api_key" required:"true" secret:"true" help:"API key, or the sending key of the domain."`
	Domain        string   `name:"domain" required:"true" help:"Sending domain as Mailgun knows it."`
	From          string   `name:"from" required:"true" help:"Sender address, best at that domain, with or without a name."`
	ReplyTo       string   `name:"reply_to" help:"Address for replies."`
	ReceiptSecret []string `name:"receipt_secret" secret:"true" help:"HTTP webhook signing keys of the account, which sign delivery reports."`
	Endpoint      string   `name:"endpoint" default:"https://api.mailgun.net" help:"Address of the API; https://api.eu.mailgun.net for domains in the EU."`
	connection
}

func mailgun() Kind {
	return Kind{
		Name:     "mailgun",
		Channels: []outbox.Channel{outbox.Email},
		Doc:      "Sends email through Mailgun.",
		Settings: mailgunSettings{},
		Open:     opener(openMailgun),
		Receipts: reader(readMailgun),
	}
}

type mailgunSender struct {
	*vendor
	settings mailgunSettings
	from     sender
	replyTo  string
}

func openMailgun(s mailgunSettings, env Environment) (outbox.Sender, error) {
	from, err := openSender("mailgun", s.From)
	if err != nil {
		return nil, err
	}
	replyTo, err := openReplyTo("mailgun", s.ReplyTo)
	if err != nil {
		return nil, err
	}
	if !mailgunDomain.MatchString(s.Domain) {
		return nil, errors.New("provider mailgun: setting domain: want a domain such as mg.example.org")
	}
	v, err := newVendor("mailgun", s.Endpoint, s.connection, env, s.APIKey, "api:"+s.APIKey)
	if err != nil {
		return nil, err
	}
	out := &mailgunSender{vendor: v, settings: s, from: from}
	if replyTo != nil {
		out.replyTo = replyTo.String()
	}
	return out, nil
}

// mailgunDomain is what may stand in the path as a domain.
var mailgunDomain = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z.-]{0,251}[0-9A-Za-z])?$`)

// mailgunDelivery is the variable that carries a delivery's id to Mailgun and back.
const mailgunDelivery = "delivery"

// Send posts the mail as multipart/form-data, the only form that Mailgun's OpenAPI document has.
func (s *mailgunSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	body, contentType, err := mailgunForm(s.fields(id, &m))
	if err != nil {
		return "", outbox.Faultf(outbox.RejectedContent, "", "the message cannot be written as a form")
	}
	header := s.header()
	header.Set("Content-Type", contentType)
	r, fault := s.do(ctx, call{Path: "/v3/" + s.settings.Domain + "/messages", Header: header, Body: body})
	if fault != nil {
		return "", s.understand(r, fault, &m)
	}
	var taken struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(r.Body, &taken) // an answer that cannot be read has no reference, and is a 200 all the same
	return strings.Trim(taken.ID, "<>"), nil
}

func (s *mailgunSender) header() http.Header {
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("api:"+s.settings.APIKey))}}
}

// fields are those of POST /v3/{domain}/messages (Mailgun OpenAPI, Messages).
func (s *mailgunSender) fields(id string, m *outbox.Message) map[string]string {
	f := map[string]string{
		"from": s.from.header(m), "to": m.To, "subject": oneLine(m.Subject), "text": m.Text,
		"o:tracking": "no", "o:tracking-clicks": "no", "o:tracking-opens": "no",
		"v:" + mailgunDelivery: id,
	}
	if m.HTML != "" {
		f["html"] = m.HTML
	}
	for name, value := range automaticHeaders(id) {
		f["h:"+name] = value
	}
	if s.replyTo != "" {
		f["h:Reply-To"] = s.replyTo
	}
	return f
}

func mailgunForm(fields map[string]string) (body []byte, contentType string, err error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if err := w.WriteField(name, fields[name]); err != nil {
			return nil, "", err
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return b.Bytes(), w.FormDataContentType(), nil
}

// mailgunWait is how Mailgun says in words when a limit of a domain ends.
var mailgunWait = regexp.MustCompile(`try again after ([0-9]{1,6}) seconds`)

// understand reads Mailgun's answers, which are one sentence and no code.
func (s *mailgunSender) understand(r reply, fault *outbox.Fault, m *outbox.Message) *outbox.Fault {
	var e struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(r.Body, &e) != nil || e.Message == "" {
		return fault
	}
	said := strings.ReplaceAll(strings.ToLower(e.Message), "'", "")
	var class outbox.Class
	switch {
	case r.Status == http.StatusTooManyRequests && fault.RetryAfter == 0:
		if wait := mailgunWait.FindStringSubmatch(said); wait != nil {
			seconds, _ := strconv.Atoi(wait[1]) // six digits at most
			fault.RetryAfter = min(time.Duration(seconds)*time.Second, maxRetryAfter)
		}
	case r.Status != http.StatusBadRequest:
	case strings.HasPrefix(said, "to parameter"):
		class = outbox.InvalidRecipient
	case strings.HasPrefix(said, "from parameter"), strings.Contains(said, "authorized recipients"): // the second: a sandbox or a trial
		class = outbox.Account
	}
	return s.explain(fault, class, strconv.Itoa(r.Status), e.Message, m)
}

package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

type postmarkSettings struct {
	ServerToken   string `name:"server_token" required:"true" secret:"true" help:"API token of the server that sends."`
	From          string `name:"from" required:"true" help:"Sender address with a confirmed signature or domain, with or without a name."`
	ReplyTo       string `name:"reply_to" help:"Address for replies."`
	MessageStream string `name:"message_stream" default:"outbound" help:"Transactional message stream that sends."`
	ReceiptSecret string `name:"receipt_secret" secret:"true" help:"Secret in the webhook's address: the password, or what follows the provider's name."`
	Endpoint      string `name:"endpoint" default:"https://api.postmarkapp.com" help:"Address of the API."`
	connection
}

func postmark() Kind {
	return Kind{
		Name:     "postmark",
		Channels: []outbox.Channel{outbox.Email},
		Doc:      "Sends email through Postmark.",
		Settings: postmarkSettings{},
		Open:     opener(openPostmark),
		Receipts: reader(readPostmark),
	}
}

type postmarkSender struct {
	*vendor
	settings postmarkSettings
	from     sender
}

func openPostmark(s postmarkSettings, env Environment) (outbox.Sender, error) {
	from, err := openSender("postmark", s.From)
	if err != nil {
		return nil, err
	}
	v, err := newVendor("postmark", s.Endpoint, s.connection, env, s.ServerToken)
	if err != nil {
		return nil, err
	}
	return &postmarkSender{vendor: v, settings: s, from: from}, nil
}

// postmarkMail is the body of POST /email (postmarkapp.com/developer, "Email API").
type postmarkMail struct {
	From          string
	To            string
	Subject       string
	TextBody      string
	HTMLBody      string `json:"HtmlBody,omitempty"`
	ReplyTo       string `json:",omitempty"`
	Headers       []postmarkHeader
	Metadata      map[string]string
	TrackOpens    bool
	TrackLinks    string
	MessageStream string
}

type postmarkHeader struct {
	Name  string
	Value string
}

// postmarkDelivery is the metadata that carries a delivery's id to Postmark and back.
const postmarkDelivery = "delivery"

func (s *postmarkSender) header() http.Header {
	return http.Header{"X-Postmark-Server-Token": {s.settings.ServerToken}, "Accept": {"application/json"}}
}

// Send posts the mail. Postmark has no idempotency key.
func (s *postmarkSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	mail := postmarkMail{
		From: s.from.header(&m), To: m.To, Subject: oneLine(m.Subject), TextBody: m.Text, HTMLBody: m.HTML, ReplyTo: s.settings.ReplyTo,
		Metadata: map[string]string{postmarkDelivery: id}, TrackLinks: "None", MessageStream: s.settings.MessageStream,
	}
	for name, value := range automaticHeaders(id) {
		mail.Headers = append(mail.Headers, postmarkHeader{name, value})
	}
	slices.SortFunc(mail.Headers, func(a, b postmarkHeader) int { return strings.Compare(a.Name, b.Name) })
	r, fault := s.postJSON(ctx, "/email", s.header(), mail)
	var answer struct {
		MessageID string
		ErrorCode int
		Message   string
	}
	read := json.Unmarshal(r.Body, &answer) == nil
	switch {
	case read && answer.ErrorCode != 0:
		return "", s.refusal(r, fault, answer.ErrorCode, answer.Message, &m)
	case fault != nil:
		return "", fault
	}
	return answer.MessageID, nil
}

// refusal makes a fault of Postmark's own code, which may stand in an answer of any status.
func (s *postmarkSender) refusal(r reply, fault *outbox.Fault, code int, text string, m *outbox.Message) *outbox.Fault {
	if fault == nil {
		fault = outbox.Faultf(outbox.RejectedContent, "", "refused")
	}
	return s.explain(fault, postmarkClass(code, text), fmt.Sprintf("%d %d", r.Status, code), text, m)
}

// postmarkClass is what an error code means (postmarkapp.com/developer, "API error codes"), empty for one that says no
// more than the status.
func postmarkClass(code int, text string) outbox.Class {
	switch code {
	case 10, 400, 401, 412, 413: // token; sender signature missing or not confirmed; account pending, or closed
		return outbox.Account
	case 100: // maintenance
		return outbox.Transient
	case 405: // no credits left
		return outbox.Quota
	case 406:
		return outbox.Suppressed
	case 429:
		return outbox.Throttled
	case 300: // an address or the mail itself
		switch {
		case strings.Contains(text, "'From'"):
			return outbox.Account
		case strings.Contains(text, "'To'"):
			return outbox.InvalidRecipient
		}
		return outbox.RejectedContent
	}
	if strings.Contains(text, "MessageStream") {
		return outbox.Account
	}
	return ""
}

// Check asks for the server and the message stream (postmarkapp.com/developer, "Server API", "Message Streams API").
// Whether the sender is confirmed is told only to the account's token, which sending does not need.
func (s *postmarkSender) Check(ctx context.Context) []Finding {
	if s.settings.ServerToken == "POSTMARK_API_TEST" {
		return []Finding{{Subject: "credentials", Verdict: Bad, Found: "It is the token for tests: Postmark takes every mail and sends none.",
			Do: "Set the API token of a server."}}
	}
	var server struct {
		DeliveryType string
	}
	fault := s.ask(ctx, "/server", s.header(), &server)
	found := []Finding{credentials(fault, "Set server_token to the API token of a server, not that of the account.")}
	if fault != nil {
		return found
	}
	if server.DeliveryType == "Sandbox" {
		found = append(found, Finding{Subject: "server", Verdict: Bad, Found: "It is a sandbox: Postmark takes every mail and sends none.",
			Do: "Set the API token of a live server."})
	}
	return append(found, s.checkStream(ctx))
}

func (s *postmarkSender) checkStream(ctx context.Context) Finding {
	var stream struct {
		MessageStreamType string
		ArchivedAt        *string
	}
	fault := s.ask(ctx, "/message-streams/"+url.PathEscape(s.settings.MessageStream), s.header(), &stream)
	f := Finding{Subject: "message stream", Verdict: Good, Found: "It is there and carries transactional mail."}
	switch {
	case fault != nil && slices.Contains([]string{"404", "422"}, fault.Code):
		f.Verdict, f.Found, f.Do = Bad, "The server has no stream of that name.", "Set message_stream to the ID of a transactional stream, such as outbound."
	case fault != nil:
		return unseen(f.Subject, fault)
	case stream.ArchivedAt != nil && *stream.ArchivedAt != "":
		f.Verdict, f.Found, f.Do = Bad, "It is archived.", "Restore it, or set message_stream to another."
	case stream.MessageStreamType != "Transactional":
		f.Verdict, f.Found = Doubtful, "It is of the type "+strconv.Quote(cut(stream.MessageStreamType, 20))+"; a broadcast stream adds a way to unsubscribe."
		f.Do = "Set message_stream to a transactional stream, such as outbound."
	}
	return f
}

package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/otpost/otpost/internal/egress"
	"github.com/otpost/otpost/internal/outbox"
)

type webhookSettings struct {
	URL          string        `name:"url" required:"true" place:"true" help:"Where messages are posted; https unless allow_http is set."`
	Secrets      []string      `name:"secrets" required:"true" secret:"true" help:"Signing secrets, whsec_ and base64 of 24 to 64 bytes; with several, each one signs."`
	Timeout      time.Duration `name:"timeout" default:"5s" help:"How long one post may take."`
	AllowHTTP    bool          `name:"allow_http" place:"true" default:"false" help:"Allow an http URL: the code travels in clear."`
	AllowPrivate bool          `name:"allow_private" default:"false" help:"Allow hosts with private, loopback or reserved addresses."`
	RootCA       string        `name:"root_ca" help:"PEM text or file of the only authorities to trust, for a private one."`
}

func webhook() Kind {
	return Kind{
		Name:     "webhook",
		Channels: []outbox.Channel{outbox.Email, outbox.SMS},
		Doc:      "Posts each message to a URL of yours, signed in the Standard Webhooks form.",
		Settings: webhookSettings{},
		Open:     opener(openWebhook),
		Receipts: reader(readWebhook),
	}
}

type webhookSender struct {
	client  *http.Client
	url     string
	secrets []webhookSecret
	timeout time.Duration
	now     func() time.Time
}

func openWebhook(s webhookSettings, env Environment) (outbox.Sender, error) {
	if u, err := url.Parse(s.URL); err == nil {
		if err := checkHost(u.Hostname(), s.AllowPrivate); err != nil {
			return nil, fmt.Errorf("provider webhook: setting url: %w", err)
		}
	}
	control := egress.RefusePrivate
	if s.AllowPrivate {
		control = nil
	}
	return newWebhook(s, env, control)
}

func newWebhook(s webhookSettings, env Environment,
	control func(string, string, syscall.RawConn) error) (outbox.Sender, error) {
	if err := checkURL(s.URL, s.AllowHTTP); err != nil {
		return nil, fmt.Errorf("provider webhook: setting url: %w", err)
	}
	secrets, err := parseSecrets(s.Secrets)
	if err != nil {
		return nil, fmt.Errorf("provider webhook: setting secrets: %w", err)
	}
	roots, err := rootPool(s.RootCA, env)
	if err != nil {
		return nil, fmt.Errorf("provider webhook: setting root_ca: %w", err)
	}
	return &webhookSender{
		client: newHTTPClient(env, roots, control), url: s.URL, secrets: secrets, timeout: s.Timeout, now: env.clock(),
	}, nil
}

// checkURL never quotes the URL: its query may hold a token.
func checkURL(raw string, allowHTTP bool) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return errors.New("want a URL such as https://example.org/otpost")
	case u.User != nil:
		return errors.New("a user name in the URL is not used; the receiver checks the signature instead")
	case u.Scheme == "https", u.Scheme == "http" && allowHTTP:
		return nil
	case u.Scheme == "http":
		return errors.New("http shows the code to the network; use https, or set allow_http")
	}
	return errors.New("want an https URL")
}

type webhookEvent struct {
	Type      string      `json:"type"`
	Timestamp time.Time   `json:"timestamp"`
	Data      webhookData `json:"data"`
}

type webhookData struct {
	ID          string         `json:"id"`
	Channel     outbox.Channel `json:"channel"`
	To          string         `json:"to"`
	Subject     string         `json:"subject,omitempty"`
	Text        string         `json:"text"`
	HTML        string         `json:"html,omitempty"`
	Language    string         `json:"language"`
	Code        string         `json:"code"`
	Application string         `json:"application,omitempty"`
	Purpose     string         `json:"purpose,omitempty"`
}

// Send posts the message. Every try has the same webhook-id, so a receiver that keeps ids takes a message once; the
// timestamp and with it the signature are each try's own. An answer of 2xx means taken; if its body is an object with
// an "id", that is the reference.
func (s *webhookSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	now := s.now()
	if m.Channel == outbox.Event { // what happened is written already
		return s.post(ctx, id, &m, now, []byte(m.Text))
	}
	body, err := json.Marshal(webhookEvent{Type: "passcode.send", Timestamp: now.UTC(), Data: webhookData{
		ID: id, Channel: m.Channel, To: m.To, Subject: m.Subject, Text: m.Text, HTML: m.HTML, Language: m.Language,
		Code: m.Code, Application: m.Application, Purpose: m.Purpose,
	}})
	if err != nil {
		return "", outbox.Faultf(outbox.RejectedContent, "", "the message cannot be written as JSON")
	}
	return s.post(ctx, id, &m, now, body)
}

func (s *webhookSender) post(ctx context.Context, id string, m *outbox.Message, now time.Time, body []byte) (string, error) {
	header := signWebhook(s.secrets, id, now, body)
	header.Set("Content-Type", "application/json")
	header.Set("User-Agent", "otpost")
	r, fault := post(ctx, s.client, s.url, header, body, s.now)
	if fault != nil {
		return "", fault
	}
	return webhookRef(r.Body, m.Code), nil
}

// Close closes the connections that are kept between posts.
func (s *webhookSender) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// webhookRef reads the receiver's id for the message, empty when it gave none that can be shown: a reference is stored
// and answered, so one that holds the code is none.
func webhookRef(body []byte, code string) string {
	var answer struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.ID) > 128 || code != "" && indexFold(answer.ID, code) >= 0 ||
		strings.ContainsFunc(answer.ID, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return answer.ID
}

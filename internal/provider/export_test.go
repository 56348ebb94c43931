package provider

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/otpost/otpost/internal/egress"
	"github.com/otpost/otpost/internal/outbox"
)

// SignWebhook opens the signature to tests.
func SignWebhook(secret, id string, at time.Time, body []byte) (http.Header, error) {
	secrets, err := parseSecrets([]string{secret})
	if err != nil {
		return nil, err
	}
	return signWebhook(secrets, id, at, body), nil
}

// OpenGuardedWebhook opens a webhook that takes one address of this machine for a public one, since a test has no
// public address to offer.
func OpenGuardedWebhook(settings any, env Environment, stranger netip.Addr) (outbox.Sender, error) {
	return newWebhook(settings.(webhookSettings), env, func(network, address string, c syscall.RawConn) error {
		if ap, err := netip.ParseAddrPort(address); err == nil && ap.Addr() == stranger {
			return nil
		}
		return egress.RefusePrivate(network, address, c)
	})
}

// Composer is the part of the smtp kind that writes mails.
type Composer = composer

// NewComposer makes one.
func NewComposer(from string) (*Composer, error) {
	return newComposer(smtpSettings{From: from}, time.Now)
}

// Size writes a mail and throws it away.
func (c *composer) Size(id string, m outbox.Message) (int, error) {
	t, fault := c.compose(id, &m)
	if fault != nil {
		return 0, fault
	}
	defer t.release()
	return len(t.text), nil
}

// AgeConnections makes the kept connections of an smtp sender look unused for d.
func AgeConnections(s outbox.Sender, d time.Duration) {
	p := s.(*smtpSender).pool
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.kept {
		c.idleSince = c.idleSince.Add(-d)
	}
}

// Scrub opens to tests what is done to a stranger's text.
func Scrub(text string, m *outbox.Message, username, password string) string {
	return scrub(text, m, privateWords(username, password))
}

// SignAzure opens the signature of Azure's requests to tests.
func SignAzure(connection, method, path string, body []byte, now time.Time) (http.Header, error) {
	s, err := parseConnectionString(connection)
	if err != nil {
		return nil, err
	}
	a := &azureVendor{vendor: &vendor{base: strings.TrimSuffix(s.endpoint, "/"), now: func() time.Time { return now }}, key: s.key}
	c := call{Method: method, Path: path, Body: body}
	err = a.sign(&c)
	return c.Header, err
}

// OperationID opens to tests the UUID that stands for a delivery.
func OperationID(delivery string) string { return operationID(delivery) }

// AWSKey is a key of Amazon Web Services for one service.
type AWSKey struct{ AccessKey, SecretKey, SessionToken, Region, Service string }

// SignAWS opens Signature Version 4 to tests.
func SignAWS(k AWSKey, method string, u *url.URL, header http.Header, body []byte, at time.Time) {
	signer{k.AccessKey, k.SecretKey, k.SessionToken, k.Region, k.Service}.sign(method, u, header, body, at)
}

// OpenSESReceipts opens the reader of the ses kind with a way of its own to Amazon SNS. get returns a body and a status.
func OpenSESReceipts(settings any, now func() time.Time, get func(ctx context.Context, url string) (int, []byte)) (Receipts, error) {
	return newSESReceipts(settings.(sesSettings), now, func(ctx context.Context, url string) (reply, *outbox.Fault) {
		status, body := get(ctx, url)
		r := reply{Status: status, Body: body, Whole: true}
		return r, judge(r, now())
	})
}

// ReadSESEvent opens to tests what is made of an event whose signature was good.
func ReadSESEvent(id, message string) (Told, error) {
	return readSESEvent(snsNotice{MessageID: id, Message: message})
}

// GetOfSNS opens the client for what a notice names.
func GetOfSNS(ctx context.Context, env Environment, private bool, url string) error {
	if _, fault := newSNSGet(env, private)(ctx, url); fault != nil {
		return fault
	}
	return nil
}

// AWSEndpoint opens the addresses of services to tests.
func AWSEndpoint(endpoint, service, region string) string {
	return awsEndpoint(endpoint, service, region)
}

// PortAdvice opens to tests what to do about a port that does not answer.
func PortAdvice(port string) string { return portAdvice(port) }

// Whatever connects can be tried, or an examination would pass it unseen.
var _ = []Reacher{(*azureEmailSender)(nil), (*azureSMSSender)(nil), (*brevoSender)(nil), (*infobipSender)(nil), (*mailgunSender)(nil), (*mailjetSender)(nil),
	(*mandrillSender)(nil), (*microsoft365Sender)(nil), (*postmarkSender)(nil), (*resendSender)(nil), (*sendgridSender)(nil), (*sesSender)(nil), (*snsSender)(nil),
	(*sparkpostSender)(nil), (*twilioSender)(nil), (*vonageSender)(nil), (*webhookSender)(nil)}

var _ Checker = (*smtpSender)(nil)

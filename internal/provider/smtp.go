package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

type smtpSettings struct {
	Host           string        `name:"host" required:"true" place:"true" help:"Name or address of the mail server."`
	Port           int           `name:"port" place:"true" help:"Port; 465 when tls is implicit, 587 otherwise."`
	TLS            string        `name:"tls" place:"true" default:"starttls" oneof:"starttls implicit none" help:"How the connection is encrypted; none only to this machine unless insecure is set."`
	Username       string        `name:"username" help:"Who logs in; empty for a server that asks for no login."`
	Password       string        `name:"password" secret:"true" help:"Password, or the access token for xoauth2."`
	Auth           string        `name:"auth" default:"auto" oneof:"auto plain login xoauth2 none" help:"How to log in; auto takes plain where the server offers it, else login."`
	From           string        `name:"from" required:"true" help:"Sender's address, alone or as Name <address>."`
	FromName       string        `name:"from_name" help:"Sender's name; replaces one given in from."`
	EnvelopeSender string        `name:"envelope_sender" help:"Address that bounces go to; the sender's own when empty."`
	Helo           string        `name:"helo" help:"How otpost greets the server; this machine's full name, or the sender's domain, when empty."`
	Connections    int           `name:"connections" default:"8" help:"Most connections open at once; they are kept between messages."`
	Idle           time.Duration `name:"idle" default:"60s" help:"How long an unused connection is kept."`
	ConnectTimeout time.Duration `name:"connect_timeout" default:"10s" help:"How long connecting, TLS and login may take."`
	Timeout        time.Duration `name:"timeout" default:"30s" help:"How long one message may take, connecting included."`
	RootCA         string        `name:"root_ca" help:"PEM text or file of the only authorities to trust, for a private one."`
	Insecure       bool          `name:"insecure" place:"true" default:"false" help:"Allow tls none to other machines, and a login in clear."`
	smtpOAuth
}

func smtp() Kind {
	return Kind{
		Name:     "smtp",
		Channels: []outbox.Channel{outbox.Email},
		Doc:      "Submits mail to any SMTP server, with STARTTLS or implicit TLS and the PLAIN, LOGIN or XOAUTH2 login.",
		Settings: smtpSettings{},
		Open:     opener(openSMTP),
	}
}

func openSMTP(s smtpSettings, env Environment) (outbox.Sender, error) {
	c, err := newComposer(s, env.clock())
	if err != nil {
		return nil, fmt.Errorf("provider smtp: %w", err)
	}
	d, err := newSMTPDialer(s, env, c.domain)
	if err != nil {
		return nil, fmt.Errorf("provider smtp: %w", err)
	}
	if d.tokens, err = openSMTPTokens(s, env); err != nil {
		return nil, err
	}
	if s.Connections < 1 || s.Connections > 1000 {
		return nil, errors.New("provider smtp: setting connections: want 1 to 1000")
	}
	return &smtpSender{
		composer: c,
		dialer:   d,
		pool:     newSMTPPool(d.dial, s.Connections, s.Idle),
		tokens:   d.tokens,
		timeout:  s.Timeout,
		private:  privateWords(s.Username, s.Password),
	}, nil
}

func newSMTPDialer(s smtpSettings, env Environment, domain string) (*smtpDialer, error) {
	if err := checkSMTPSafety(s); err != nil {
		return nil, err
	}
	roots, err := rootPool(s.RootCA, env)
	if err != nil {
		return nil, fmt.Errorf("setting root_ca: %w", err)
	}
	helo := s.Helo
	if helo == "" {
		helo = localName(domain)
	}
	if !plainWord(helo) {
		return nil, errors.New("setting helo: want a host name")
	}
	if s.Port == 0 {
		s.Port = 587
		if s.TLS == "implicit" {
			s.Port = 465
		}
	}
	if s.Port < 1 || s.Port > 65535 {
		return nil, errors.New("setting port: want 1 to 65535")
	}
	return &smtpDialer{
		net:      net.Dialer{Resolver: env.Resolver},
		host:     s.Host,
		address:  net.JoinHostPort(s.Host, strconv.Itoa(s.Port)),
		mode:     s.TLS,
		insecure: s.Insecure,
		// One write for each message of up to 16 KiB: splitting it into small records first would only help a page
		// that is drawn while it loads.
		tls: &tls.Config{ServerName: s.Host, RootCAs: roots, MinVersion: tls.VersionTLS12,
			DynamicRecordSizingDisabled: true, ClientSessionCache: tls.NewLRUClientSessionCache(0)},
		helo: helo, auth: s.Auth, username: s.Username, password: s.Password, timeout: s.ConnectTimeout,
	}, nil
}

// checkSMTPSafety refuses settings that would show a code or a password to the network.
func checkSMTPSafety(s smtpSettings) error {
	switch {
	case !plainWord(s.Host):
		return errors.New("setting host: want a host name or an address")
	case s.Auth != "auto" && s.Auth != "none" && s.Username == "":
		return fmt.Errorf("setting username is missing: auth is %s", s.Auth)
	case s.Username == "" && s.Password != "":
		return errors.New("setting username is missing: there is a password")
	case s.TLS != "none" || s.Insecure:
		return nil
	case !loopbackName(s.Host):
		return errors.New("setting tls: none shows codes to the network; use starttls or implicit, or set insecure")
	case s.Username != "" && s.Auth != "none":
		return errors.New("setting tls: none shows the password in clear; use starttls or implicit, or set insecure")
	}
	return nil
}

func loopbackName(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// localName is what a submission server is greeted with: RFC 5321 §4.1.4 wants a full name, and servers log it.
func localName(domain string) string {
	if name, err := os.Hostname(); err == nil && strings.Contains(name, ".") && plainWord(name) {
		return name
	}
	return domain
}

// plainWord reports whether s is printable ASCII without spaces, and so cannot end a command or a header line.
func plainWord(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}

// smtpSender submits mail over a few kept connections.
type smtpSender struct {
	composer *composer
	dialer   *smtpDialer
	pool     *smtpPool
	tokens   *entraTokens // nil unless the login gets its own
	timeout  time.Duration
	private  []string
}

// Send submits the message in one transaction. The reference is the server's queue id where its reply names one, and
// the Message-ID otherwise, or where the code stands in it.
//
// Until the final dot of the message has been written a failure is proved unsent. From then until a reply is read it
// is Ambiguous.
func (s *smtpSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	t, fault := s.composer.compose(id, &m)
	if fault != nil {
		return "", fault
	}
	defer t.release()
	reaching, reached := untilConnected(ctx)
	defer reached()
	c, err := s.pool.get(reaching)
	if err != nil {
		return "", s.fault(err, &m)
	}
	text, err := c.transact(ctx, t)
	if err != nil && c.kept && c.died(err) && ctx.Err() == nil {
		// The server closed the kept connection while nobody looked. It took nothing, so a new connection is free to try.
		c, err = s.pool.renew(reaching, c)
		if err == nil {
			text, err = c.transact(ctx, t)
		}
	}
	s.pool.put(c)
	if err != nil {
		return "", s.fault(err, &m)
	}
	if ref := queueID(text); ref != "" && (m.Code == "" || indexFold(ref, m.Code) < 0) { // a reference is stored and answered
		return ref, nil
	}
	return t.messageID, nil
}

func (s *smtpSender) fault(err error, m *outbox.Message) *outbox.Fault {
	f := smtpFault(err)
	f.Detail = scrub(f.Detail, m, s.private)
	return f
}

// Close says goodbye on the connections that are idle; those in use close after their message.
func (s *smtpSender) Close() error {
	s.pool.close()
	s.tokens.close()
	return nil
}

// parseSender reads an address alone or as Name <address>.
func parseSender(text string) (*mail.Address, error) {
	a, err := mail.ParseAddress(text)
	if err != nil || !plainAddress(a.Address) {
		return nil, errors.New("want an address such as codes@example.org, or Name <address>")
	}
	return a, nil
}

// plainAddress reports whether s is a mailbox of ASCII atoms, RFC 5321 §4.1.2 without quoted strings and address
// literals. Nothing that passes can end a path, a command or a header.
func plainAddress(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at == len(s)-1 || len(s) > 254 || at > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>[]:;,\"`, c) >= 0 || c == '@' && i != at {
			return false
		}
	}
	return true
}

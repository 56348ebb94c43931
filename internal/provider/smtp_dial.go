package provider

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	gosmtp "github.com/wneessen/go-mail/smtp"

	"github.com/otpost/otpost/internal/faultpoint"
)

// smtpDialer opens connections up to the point where mail can be submitted.
type smtpDialer struct {
	net      net.Dialer
	host     string
	address  string
	mode     string
	insecure bool
	tls      *tls.Config
	helo     string
	auth     string
	username string
	password string
	// tokens give what takes the place of password when it is not nil.
	tokens  *entraTokens
	timeout time.Duration
}

// setupError is a server that cannot be used as the settings ask.
type setupError struct{ text string }

func (e setupError) Error() string { return e.text }

// stepError says at which step of a conversation something failed.
type stepError struct {
	step string
	err  error
}

func (e *stepError) Error() string { return e.step + ": " + e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

var errInjected = errors.New("the server sent text between STARTTLS and TLS")

// dial connects, encrypts, greets and logs in.
func (d *smtpDialer) dial(ctx context.Context) (*smtpConn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	faultpoint.Here("send.before_dial")
	secret, err := d.secret(ctx)
	if err != nil {
		return nil, err
	}
	raw, err := d.net.DialContext(ctx, "tcp", d.address)
	if err != nil {
		return nil, &stepError{"connect", err}
	}
	if d.mode == "none" && !d.insecure && !loopbackPeer(raw) {
		raw.Close()
		return nil, &stepError{"connect", setupError{"tls is none and the host is not this machine; set insecure if that is meant"}}
	}
	w := &wire{Conn: raw, budget: replyBudget}
	stop := w.interruptedBy(ctx)
	c, err := d.converse(ctx, w, secret)
	if !stop() && err == nil {
		err = &stepError{"connect", context.Cause(ctx)}
	}
	if err != nil {
		raw.Close()
		return nil, endedBy(ctx, err)
	}
	return c, nil
}

func loopbackPeer(c net.Conn) bool {
	ap, err := netip.ParseAddrPort(c.RemoteAddr().String())
	return err == nil && ap.Addr().Unmap().IsLoopback()
}

func (d *smtpDialer) converse(ctx context.Context, w *wire, secret string) (*smtpConn, error) {
	var conn net.Conn = w
	if d.mode == "implicit" {
		t := tls.Client(w, d.tls)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, &stepError{"TLS", err}
		}
		conn = t
	}
	client, err := gosmtp.NewClient(conn, d.host)
	if err != nil {
		return nil, &stepError{"greeting", err}
	}
	if err := client.Hello(d.helo); err != nil {
		return nil, &stepError{"EHLO", err}
	}
	if d.mode == "starttls" {
		if err := startTLS(client, w, d.tls); err != nil {
			return nil, &stepError{"STARTTLS", err}
		}
	}
	if err := d.login(client, secret); err != nil {
		return nil, &stepError{"AUTH", err}
	}
	c := &smtpConn{wire: w, text: client.Text}
	c.pipelining, _ = client.Extension("PIPELINING")
	return c, nil
}

// startTLS upgrades the connection. What the server said before, the list of extensions first of all, is forgotten
// (RFC 3207 §4.2): the library greets again inside TLS. Text that arrived behind the reply to STARTTLS was put there
// by somebody who could not wait for TLS, so it ends the connection.
func startTLS(client *gosmtp.Client, w *wire, config *tls.Config) error {
	if ok, _ := client.Extension("STARTTLS"); !ok {
		return setupError{"the server offers no STARTTLS; check host, port and tls"}
	}
	plain := client.Text
	w.beforeTLS = func() error {
		if plain.R.Buffered() > 0 {
			return errInjected
		}
		return nil
	}
	return client.StartTLS(config)
}

func (d *smtpDialer) login(client *gosmtp.Client, secret string) error {
	if d.auth == "none" || d.username == "" {
		return nil
	}
	_, offered := client.Extension("AUTH")
	mechanism, err := chooseMechanism(d.auth, strings.Fields(strings.ToUpper(offered)))
	if err != nil {
		return err
	}
	var a gosmtp.Auth
	switch mechanism {
	case "PLAIN":
		a = gosmtp.PlainAuth("", d.username, secret, d.host, d.insecure)
	case "LOGIN":
		a = gosmtp.LoginAuth(d.username, secret, d.host, d.insecure)
	case "XOAUTH2":
		a = gosmtp.XOAuth2Auth(d.username, secret)
	}
	if err := client.Auth(a); err != nil {
		return d.refusedToken(secret, err)
	}
	return nil
}

// chooseMechanism picks how to log in. XOAUTH2 is taken only when the settings name it, because a password sent as a
// token tells nobody what is wrong.
func chooseMechanism(setting string, offered []string) (string, error) {
	wanted := []string{strings.ToUpper(setting)}
	if setting == "auto" {
		wanted = []string{"PLAIN", "LOGIN"}
	}
	for _, m := range wanted {
		if slices.Contains(offered, m) {
			return m, nil
		}
	}
	return "", setupError{"the server does not offer " + strings.Join(wanted, " or ")}
}

// replyBudget is how much a server may say while one connection is set up or one message is submitted.
const replyBudget = 256 << 10

var errTooMuch = errors.New("the server says too much")

// wire is the connection under TLS. It bounds what a server can make us read.
type wire struct {
	net.Conn
	budget int
	// beforeTLS is asked once, before the first byte of a TLS handshake leaves.
	beforeTLS func() error
}

const tlsHandshakeRecord = 22 // RFC 8446 §5.1

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if w.budget -= n; w.budget < 0 {
		return 0, errTooMuch
	}
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	if w.beforeTLS != nil && len(p) > 0 && p[0] == tlsHandshakeRecord {
		check := w.beforeTLS
		w.beforeTLS = nil
		if err := check(); err != nil {
			return 0, err
		}
	}
	return w.Conn.Write(p)
}

// interruptedBy makes every read and write fail once ctx ends. stop reports whether that did not happen; after it
// did, the connection is of no more use.
func (w *wire) interruptedBy(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { w.Conn.SetDeadline(time.Unix(1, 0)) })
}

package entra_test

import (
	"bytes"
	"io"
	"mime"
	"net"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// session is one connection's talk with the provider.
type session struct {
	provider *provider
	conn     *conn
	name     string
	closed   <-chan struct{}

	to     string
	meets  fault
	script script
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }
func (s *session) Reset()                               {}
func (s *session) Logout() error                        { return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	s.meets, s.script = s.provider.next(to)
	switch s.meets {
	case rcptLater:
		return reply(451, 4, 3, 0, "come back later")
	case rcptNever:
		return reply(550, 5, 1, 1, "no such user")
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	var m *mail // stays nil unless it is taken
	to := s.to
	s.provider.begin(to)
	s.conn.sent = func() { s.provider.answered(to, m) }
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	switch s.meets {
	case dataLater:
		return reply(451, 4, 3, 0, "come back later")
	case dataNever:
		return reply(554, 5, 7, 1, "not wanted here")
	case slowLater:
		s.wait()
		return reply(451, 4, 3, 0, "come back later")
	case slowNever:
		s.wait()
		return reply(550, 5, 1, 1, "no such user")
	case dropLost:
		return s.conn.Close()
	}
	m = &mail{code: codeOf(text), from: s.name, at: time.Now()}
	s.provider.take(to, m)
	switch s.meets {
	case dropTaken:
		return s.conn.Close()
	case mute:
		io.Copy(io.Discard, s.conn) // until the client closes
		return s.conn.Close()
	case slow:
		s.wait()
	}
	return nil
}

// wait lets the script's time pass, unless the provider cannot be reached any more.
func (s *session) wait() {
	timer := time.NewTimer(s.script.delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closed:
	}
}

func reply(code, class, subject, detail int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{class, subject, detail}, Message: text}
}

// codeOf is the code of a message, with which its subject begins.
func codeOf(text []byte) string {
	parsed, err := netmail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		return ""
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(parsed.Header.Get("Subject"))
	if err != nil {
		return ""
	}
	code, _, _ := strings.Cut(subject, " ")
	return code
}

// listener makes each connection one that knows whether an answer has left.
type listener struct{ net.Listener }

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

// conn calls sent once what is written next has been handed to the kernel, which brings it to a client that lives. A
// write to a connection that is closed is not handed over.
type conn struct {
	net.Conn
	sent func()
}

func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if sent := c.sent; sent != nil {
		c.sent = nil
		if err == nil {
			sent()
		}
	}
	return n, err
}

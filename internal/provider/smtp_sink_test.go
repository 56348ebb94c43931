package provider_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

// openKind opens a sender of the named kind and closes it with the test.
func openKind(t testing.TB, name string, settings map[string]string, env provider.Environment) outbox.Sender {
	t.Helper()
	k, err := provider.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := k.Parse(settings)
	if err != nil {
		t.Fatal(err)
	}
	if env.Files == nil {
		env.Files = os.ReadFile
	}
	s, err := k.Open(parsed, env)
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := s.(io.Closer); ok {
		t.Cleanup(func() { c.Close() })
	}
	return s
}

// openSMTP opens an smtp sender that sends as codes@example.org unless settings say otherwise.
func openSMTP(t testing.TB, settings map[string]string) outbox.Sender {
	t.Helper()
	all := map[string]string{"from": "Contoso <codes@example.org>", "helo": "otpost.example.org"}
	maps.Copy(all, settings)
	return openKind(t, "smtp", all, provider.Environment{})
}

func sampleMessage() outbox.Message {
	return outbox.Message{
		Channel: outbox.Email, To: "jane@example.com", Subject: "482913 is your Contoso code", Language: "en",
		Text: "Your code is 482913.\n\nIt works for 10 minutes.\n",
		HTML: "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"></head><body>" +
			strings.Repeat("<p style=\"color:#333\">Your code is <b>482913</b></p>\n", 30) + "</body></html>",
		Code: "482913", Application: "Contoso", Purpose: "sign_in",
	}
}

func fault(t testing.TB, err error) *outbox.Fault {
	t.Helper()
	var f *outbox.Fault
	if !errors.As(err, &f) {
		t.Fatalf("got error %v of %T, want a fault", err, err)
	}
	return f
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func portOf(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// startDevNull is the cheapest server there can be, so that a benchmark measures the client.
func startDevNull(t testing.TB) (port string) {
	l := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go devNull(c)
		}
	}()
	return portOf(l)
}

func devNull(c net.Conn) {
	defer c.Close()
	r, w := bufio.NewReaderSize(c, 64<<10), bufio.NewWriter(c)
	say := func(s string) {
		w.WriteString(s)
		if r.Buffered() == 0 {
			w.Flush()
		}
	}
	say("220 null\r\n")
	data := false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		switch {
		case data && string(line) == ".\r\n":
			data = false
			say("250 2.0.0 Ok: queued as 4F3B1C0A22\r\n")
		case data:
		case strings.HasPrefix(string(line), "EHLO"):
			say("250-null\r\n250-8BITMIME\r\n250 PIPELINING\r\n")
		case strings.HasPrefix(string(line), "DATA"):
			data = true
			say("354 go\r\n")
		default:
			say("250 2.0.0 ok\r\n")
		}
	}
}

// sink is a real SMTP server in this process that keeps what it is sent.
type sink struct {
	port string

	mu       sync.Mutex
	mails    []received
	sessions int
}

type received struct {
	from, to  string
	text      string
	tls       bool
	mechanism string
	user      string
}

func (s *sink) all() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.mails...)
}

type sinkOptions struct {
	tls        *tls.Config
	implicit   bool
	mechanisms []string
	// judge, when set, answers RCPT.
	judge func(to string) error
}

const sinkUser, sinkPassword = "otp@example.org", "s3cret pass"

func startSink(t testing.TB, o sinkOptions) *sink {
	t.Helper()
	k := &sink{}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		k.mu.Lock()
		k.sessions++
		k.mu.Unlock()
		return &sinkSession{sink: k, conn: c, options: o}, nil
	}))
	server.Domain = "sink.example.org"
	server.TLSConfig = o.tls
	server.AllowInsecureAuth = o.tls == nil
	l := listen(t)
	k.port = portOf(l)
	if o.implicit {
		l = tls.NewListener(l, o.tls)
	}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return k
}

type sinkSession struct {
	sink    *sink
	conn    *smtp.Conn
	options sinkOptions
	mail    received
	login   received
}

func (s *sinkSession) AuthMechanisms() []string { return s.options.mechanisms }

func (s *sinkSession) Auth(mechanism string) (sasl.Server, error) {
	check := func(user, password string) error {
		if user != sinkUser || password != sinkPassword {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "bad login for " + user + " with " + password}
		}
		s.login = received{mechanism: mechanism, user: user}
		return nil
	}
	switch mechanism {
	case "PLAIN":
		return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
	case "LOGIN":
		return &loginServer{check: check}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

func (s *sinkSession) Mail(from string, _ *smtp.MailOptions) error {
	s.mail = s.login
	s.mail.from = from
	return nil
}

func (s *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.to = to
	if s.options.judge != nil {
		return s.options.judge(to)
	}
	return nil
}

func (s *sinkSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.text = string(text)
	_, s.mail.tls = s.conn.TLSConnectionState()
	s.sink.mu.Lock()
	s.sink.mails = append(s.sink.mails, s.mail)
	s.sink.mu.Unlock()
	return nil
}

func (s *sinkSession) Reset()        {}
func (s *sinkSession) Logout() error { return nil }

// loginServer is the server's half of LOGIN, which the SASL library leaves out.
type loginServer struct {
	check func(user, password string) error
	user  *string
	begun bool
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case !l.begun:
		l.begun = true
		return []byte("Username:"), false, nil
	case l.user == nil:
		user := string(response)
		l.user = &user
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(*l.user, string(response))
}

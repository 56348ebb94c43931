package provider_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

func TestSMTPSendsOverTLSAndLogsIn(t *testing.T) {
	config, pem := testCertificate(t, "127.0.0.1")
	for _, mode := range []string{"starttls", "implicit"} {
		for _, test := range []struct {
			auth    string
			offered []string
			want    string
		}{
			{"auto", []string{"LOGIN", "PLAIN"}, "PLAIN"},
			{"auto", []string{"LOGIN"}, "LOGIN"},
			{"plain", []string{"LOGIN", "PLAIN"}, "PLAIN"},
			{"login", []string{"LOGIN", "PLAIN"}, "LOGIN"},
		} {
			t.Run(mode+" "+test.auth+" "+strings.Join(test.offered, " "), func(t *testing.T) {
				k := startSink(t, sinkOptions{tls: config, implicit: mode == "implicit", mechanisms: test.offered})
				s := openSMTP(t, map[string]string{"host": "127.0.0.1", "port": k.port, "tls": mode, "root_ca": pem,
					"auth": test.auth, "username": sinkUser, "password": sinkPassword})
				for range 2 {
					if _, err := s.Send(context.Background(), "dlv_1", sampleMessage()); err != nil {
						t.Fatal(err)
					}
				}
				got := k.all()
				if len(got) != 2 || !got[0].tls || got[0].mechanism != test.want || got[0].user != sinkUser {
					t.Errorf("got %+v, want 2 mails over TLS after %s", got, test.want)
				}
				if k.sessions > 2 { // STARTTLS begins a second session on the connection
					t.Errorf("got %d sessions, want one connection", k.sessions)
				}
			})
		}
	}
}

func TestSMTPRefusesWhatCannotBeTrusted(t *testing.T) {
	config, pem := testCertificate(t, "127.0.0.1")
	other, _ := testCertificate(t, "127.0.0.1")
	foreign, foreignPEM := testCertificate(t, "mail.example.net")
	tests := []struct {
		name     string
		server   *script
		settings map[string]string
		detail   string
	}{
		{"another authority", &script{extensions: []string{"STARTTLS"}, tls: other}, nil, "unknown authority"},
		{"another host", &script{extensions: []string{"STARTTLS"}, tls: foreign}, map[string]string{"root_ca": foreignPEM}, "another host"},
		{"no STARTTLS", &script{extensions: []string{"AUTH PLAIN"}}, nil, "offers no STARTTLS"},
		{"STARTTLS refused", &script{extensions: []string{"STARTTLS"}, at: on("STARTTLS", say("502 5.5.1 no"))}, nil, "STARTTLS: no"},
		{"no TLS at all", &script{}, map[string]string{"tls": "implicit"}, "does not speak TLS"},
		{"no mechanism", &script{extensions: []string{"STARTTLS", "AUTH CRAM-MD5"}, tls: config}, nil, "does not offer PLAIN or LOGIN"},
		{"no login", &script{extensions: []string{"STARTTLS"}, tls: config}, nil, "does not offer PLAIN or LOGIN"},
		{"wrong password", &script{extensions: []string{"STARTTLS", "AUTH PLAIN"}, tls: config, at: on("AUTH", say("535 5.7.8 bad"))}, nil, "bad"},
		{"weak mechanism", &script{extensions: []string{"STARTTLS", "AUTH PLAIN"}, tls: config, at: on("AUTH", say("534 5.7.9 too weak"))}, nil, "too weak"},
		{"mechanism not implemented", &script{extensions: []string{"STARTTLS", "AUTH PLAIN"}, tls: config, at: on("AUTH", say("504 5.5.4 no such"))}, nil, "no such"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			settings := map[string]string{"host": "127.0.0.1", "port": test.server.start(t), "root_ca": pem,
				"username": sinkUser, "password": sinkPassword}
			for k, v := range test.settings {
				settings[k] = v
			}
			_, err := openSMTP(t, settings).Send(context.Background(), "dlv_1", sampleMessage())
			f := fault(t, err)
			if f.Class != outbox.Account || !strings.Contains(f.Detail, test.detail) {
				t.Errorf("got %v, want config: %s", f, test.detail)
			}
			for _, line := range test.server.said() {
				if strings.HasPrefix(line, "MAIL") || strings.HasPrefix(line, "AUTH") && !strings.Contains(test.name, "password") && !strings.Contains(test.name, "mechanism") {
					t.Errorf("the server heard %q", line)
				}
			}
		})
	}
}

func TestSMTPTemporaryLoginFailure(t *testing.T) {
	for reply, want := range map[string]outbox.Class{
		"454 4.7.0 temporary authentication failure":                   outbox.Transient,
		"454 Throttling failure: Maximum sending rate exceeded.":       outbox.Throttled,
		"421 4.4.2 too many bad attempts\r\nthe rest is never read...": outbox.Transient,
	} {
		server := &script{extensions: []string{"AUTH PLAIN"}, at: on("AUTH", sayAndClose(reply))}
		settings := inClear(server.start(t))
		settings["username"], settings["password"], settings["insecure"] = sinkUser, sinkPassword, "true"
		_, err := openSMTP(t, settings).Send(context.Background(), "dlv_1", sampleMessage())
		if f := fault(t, err); f.Class != want {
			t.Errorf("%q: got %v, want %s", reply, f, want)
		}
	}
}

func TestSMTPTextBeforeTLSEndsTheConnection(t *testing.T) {
	config, pem := testCertificate(t, "127.0.0.1")
	for _, injected := range []string{"250-injected\r\n250 AUTH PLAIN", "235 2.7.0 welcome"} {
		server := &script{extensions: []string{"STARTTLS", "AUTH PLAIN"}, tls: config,
			at: on("STARTTLS", say("220 2.0.0 go ahead", injected))}
		s := openSMTP(t, map[string]string{"host": "127.0.0.1", "port": server.start(t), "root_ca": pem})
		_, err := s.Send(context.Background(), "dlv_1", sampleMessage())
		if f := fault(t, err); f.Class != outbox.Transient || !strings.Contains(f.Detail, "between STARTTLS and TLS") {
			t.Errorf("got %v, want a fault that names the injection", f)
		}
	}
}

func TestSMTPForgetsWhatWasOfferedBeforeTLS(t *testing.T) {
	config, pem := testCertificate(t, "127.0.0.1")
	hellos := 0
	server := &script{extensions: []string{"STARTTLS", "AUTH PLAIN"}, tls: config, at: func(step string, _ int) act {
		if step == "EHLO" {
			if hellos++; hellos == 2 {
				return say("250-script", "250 AUTH LOGIN")
			}
		}
		return nil
	}}
	s := openSMTP(t, map[string]string{"host": "127.0.0.1", "port": server.start(t), "root_ca": pem, "auth": "plain",
		"username": sinkUser, "password": sinkPassword})
	_, err := s.Send(context.Background(), "dlv_1", sampleMessage())
	if f := fault(t, err); f.Class != outbox.Account || hellos != 2 {
		t.Errorf("got %v after %d EHLO, want config after 2", f, hellos)
	}
}

// The vectors are those of RFC 4616 §2 and of Google's description of XOAUTH2, with a made-up user.
func TestSMTPLoginBytes(t *testing.T) {
	for _, test := range []struct{ auth, password, want string }{
		{"plain", "s3cret", "AUTH PLAIN AG90cEBleGFtcGxlLm9yZwBzM2NyZXQ="},
		{"xoauth2", "tok123", "AUTH XOAUTH2 dXNlcj1vdHBAZXhhbXBsZS5vcmcBYXV0aD1CZWFyZXIgdG9rMTIzAQE="},
	} {
		server := &script{extensions: []string{"AUTH PLAIN XOAUTH2"}}
		settings := inClear(server.start(t))
		settings["username"], settings["password"] = "otp@example.org", test.password
		settings["auth"], settings["insecure"] = test.auth, "true"
		if _, err := openSMTP(t, settings).Send(context.Background(), "dlv_1", sampleMessage()); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(server.said(), test.want) {
			t.Errorf("the server heard %q, want %q", server.said(), test.want)
		}
	}
}

func TestSMTPRejectedTokenIsAnAccountFault(t *testing.T) {
	// The server explains itself in a challenge; an empty line asks for the real answer.
	server := &script{extensions: []string{"AUTH XOAUTH2"}, at: on("AUTH", func(c *scriptConn) bool {
		say("334 " + base64.StdEncoding.EncodeToString([]byte(`{"status":"401","schemes":"Bearer"}`)))(c)
		line, _ := c.r.ReadString('\n')
		if line != "\r\n" {
			return say("501 5.5.2 want an empty line")(c)
		}
		return say("535 5.7.3 authentication unsuccessful")(c)
	})}
	settings := inClear(server.start(t))
	settings["username"], settings["password"] = "otp@example.org", "tok123"
	settings["auth"], settings["insecure"] = "xoauth2", "true"
	_, err := openSMTP(t, settings).Send(context.Background(), "dlv_1", sampleMessage())
	if f := fault(t, err); f.Class != outbox.Account || f.Code != "535 5.7.3" {
		t.Errorf("got %v, want config 535 5.7.3", f)
	}
}

func TestSMTPCredentialsNeedTLS(t *testing.T) {
	kind, err := provider.Find("smtp")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		settings map[string]string
		ok       bool
	}{
		{map[string]string{"host": "localhost", "tls": "none"}, true},
		{map[string]string{"host": "::1", "tls": "none"}, true},
		{map[string]string{"host": "mail.example.org", "tls": "none"}, false},
		{map[string]string{"host": "localhost.example.org", "tls": "none"}, false},
		{map[string]string{"host": "mail.example.org", "tls": "none", "insecure": "true"}, true},
		{map[string]string{"host": "localhost", "tls": "none", "username": "u", "password": "p"}, false},
		{map[string]string{"host": "localhost", "tls": "none", "username": "u", "password": "p", "insecure": "true"}, true},
		{map[string]string{"host": "mail.example.org", "password": "p"}, false},
		{map[string]string{"host": "mail.example.org", "auth": "login"}, false},
		{map[string]string{"host": "mail.example.org\r\nRSET"}, false},
		{map[string]string{"host": "mail.example.org", "helo": "a b"}, false},
		{map[string]string{"host": "mail.example.org", "port": "70000"}, false},
		{map[string]string{"host": "mail.example.org", "connections": "0"}, false},
		{map[string]string{"host": "mail.example.org", "envelope_sender": "not an address"}, false},
		{map[string]string{"host": "mail.example.org", "root_ca": "/does/not/exist"}, false},
	} {
		test.settings["from"] = "codes@example.org"
		parsed, err := kind.Parse(test.settings)
		if err != nil {
			t.Fatal(err)
		}
		_, err = kind.Open(parsed, provider.Environment{})
		if (err == nil) != test.ok {
			t.Errorf("%v: got error %v, want success to be %t", test.settings, err, test.ok)
		}
	}
}

func TestSMTPMailAsWritten(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	k := startSink(t, sinkOptions{})
	s := openKind(t, "smtp", map[string]string{"host": "127.0.0.1", "port": k.port, "tls": "none",
		"from": "Zoë <codes@example.org>", "envelope_sender": "bounces@example.org"},
		provider.Environment{Now: func() time.Time { return now }})
	m := outbox.Message{Channel: outbox.Email, To: "jane@example.com", Language: "de",
		Subject: "482913 ist Ihr Code für Contoso, das Haus mit dem langen Namen an der schönen blauen Donau",
		Text:    "Ihr Code für Contoso:\n\n482913\n\n.\n..\nFrom here on\n" + strings.Repeat("lang ", 60) + "\n",
		HTML:    "<p>Ihr Code: <b>482913</b></p>"}
	ref, err := s.Send(context.Background(), "dlv_0abc", m)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Send(context.Background(), "dlv_0abc", m); err != nil {
		t.Fatal(err)
	}
	got := k.all()
	if len(got) != 2 || got[0].text != got[1].text {
		t.Fatalf("two tries differ:\n%s\n%s", got[0].text, got[1].text)
	}
	if got[0].from != "bounces@example.org" || got[0].to != "jane@example.com" || ref != "<dlv_0abc@example.org>" {
		t.Errorf("got from %q to %q ref %q", got[0].from, got[0].to, ref)
	}
	parsed, parts := readMail(t, got[0].text)
	decode := new(mime.WordDecoder)
	subject, err := decode.DecodeHeader(parsed.Header.Get("Subject"))
	if err != nil || subject != m.Subject {
		t.Errorf("got subject %q, want %q", subject, m.Subject)
	}
	for name, want := range map[string]string{
		"Message-Id":               "<dlv_0abc@example.org>",
		"Date":                     "Sun, 22 Nov 2026 10:00:00 +0000",
		"To":                       "<jane@example.com>",
		"Auto-Submitted":           "auto-generated",
		"X-Auto-Response-Suppress": "All",
		"X-Entity-Ref-Id":          "dlv_0abc",
		"Content-Language":         "de",
		"Mime-Version":             "1.0",
		"Precedence":               "",
		"User-Agent":               "",
		"X-Mailer":                 "",
	} {
		if got := parsed.Header.Get(name); got != want {
			t.Errorf("got %s %q, want %q", name, got, want)
		}
	}
	from, err := parsed.Header.AddressList("From")
	if err != nil || from[0].Name != "Zoë" || from[0].Address != "codes@example.org" {
		t.Errorf("got From %v, %v", from, err)
	}
	want := []string{"text/plain; charset=UTF-8", m.Text, "text/html; charset=UTF-8", m.HTML}
	if !slices.Equal(parts, want) {
		t.Errorf("got parts %q, want %q", parts, want)
	}
	for line := range strings.SplitSeq(got[0].text, "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line %q is not RFC 5322", line)
		}
	}
}

func TestSMTPMailWithoutHTMLHasOnePart(t *testing.T) {
	k := startSink(t, sinkOptions{})
	m := sampleMessage()
	m.HTML, m.Text, m.From, m.FromName = "", "コードは 482913 です。\nد\n", "login@brand.example", "Brand"
	if _, err := openSMTP(t, inClear(k.port)).Send(context.Background(), "dlv_1", m); err != nil {
		t.Fatal(err)
	}
	parsed, parts := readMail(t, k.all()[0].text)
	if !slices.Equal(parts, []string{"text/plain; charset=UTF-8", m.Text}) {
		t.Errorf("got parts %q", parts)
	}
	if got := parsed.Header.Get("Message-Id"); got != "<dlv_1@brand.example>" || k.all()[0].from != "login@brand.example" {
		t.Errorf("got Message-ID %q, envelope %q", got, k.all()[0].from)
	}
}

// readMail parses a mail with the standard library and returns its parts as type, text, type, text.
func readMail(t testing.TB, text string) (*mail.Message, []string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatalf("read mail: %v in %q", err, text)
	}
	typ, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if typ != "multipart/alternative" {
		return m, []string{m.Header.Get("Content-Type"), readPart(t, m.Header.Get("Content-Transfer-Encoding"), m.Body)}
	}
	var parts []string
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return m, parts
		}
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, p.Header.Get("Content-Type"), readPart(t, p.Header.Get("Content-Transfer-Encoding"), p))
	}
}

func readPart(t testing.TB, encoding string, r io.Reader) string {
	t.Helper()
	switch encoding {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	default:
		t.Fatalf("transfer encoding %q", encoding)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

func TestSMTPKeepsAtMostItsConnections(t *testing.T) {
	k := startSink(t, sinkOptions{judge: func(to string) error {
		if strings.HasPrefix(to, "nobody") {
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
		}
		return nil
	}})
	settings := inClear(k.port)
	settings["connections"] = "3"
	s := openSMTP(t, settings)
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			m := sampleMessage()
			m.To = fmt.Sprintf("user%d@example.com", i)
			if i%5 == 0 {
				m.To = "nobody@example.com"
			}
			_, err := s.Send(context.Background(), fmt.Sprintf("dlv_%d", i), m)
			if i%5 == 0 {
				if fault(t, err).Class != outbox.InvalidRecipient {
					t.Errorf("got %v, want invalid_recipient", err)
				}
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := len(k.all()); got != 48 {
		t.Errorf("got %d mails, want 48", got)
	}
	if k.sessions > 3 {
		t.Errorf("got %d connections, want at most 3", k.sessions)
	}
	if err := s.(io.Closer).Close(); err != nil {
		t.Fatal(err)
	}
	_, err := s.Send(context.Background(), "dlv_x", sampleMessage())
	if f := fault(t, err); f.Class != outbox.Transient {
		t.Errorf("after Close: got %v, want transient", f)
	}
}

func TestSMTPWaitingForAConnectionEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	held, done := make(chan struct{}), make(chan error)
	server := &script{at: on("RCPT", hang(func() { close(held) }))}
	settings := inClear(server.start(t))
	settings["connections"] = "1"
	s := openSMTP(t, settings)
	go func() { _, err := s.Send(ctx, "dlv_1", sampleMessage()); done <- err }()
	<-held
	waiting, stop := context.WithCancel(context.Background())
	stop()
	_, err := s.Send(waiting, "dlv_2", sampleMessage())
	if f := fault(t, err); f.Class != outbox.Transient || !strings.Contains(f.Detail, "busy") {
		t.Errorf("got %v, want transient: all connections are busy", f)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want cancelled", err)
	}
}

func TestSMTPReferenceIsTheQueueIDWhereThereIsOne(t *testing.T) {
	for reply, want := range map[string]string{
		"250 2.0.0 Ok: queued as 4F3B1C0A22":                          "4F3B1C0A22",              // Postfix
		"250 OK id=1xUxiY-0004Hu-1G":                                  "1xUxiY-0004Hu-1G",        // Exim
		"250 Ok 0100018c1f-aa-bb-000000":                              "0100018c1f-aa-bb-000000", // Amazon SES
		"250-2.0.0 first line id=NOT-THIS-1\r\n250 2.0.0 ok 12345678": "12345678",
		"250 2.0.0 OK: queued":                                        "<dlv_1@example.org>",
		"250 2.6.0 <dlv_1@example.org> Queued mail for delivery":      "<dlv_1@example.org>", // Exchange
		"250": "<dlv_1@example.org>",
	} {
		server := &script{at: on("dot", say(reply))}
		ref, err := openSMTP(t, inClear(server.start(t))).Send(context.Background(), "dlv_1", sampleMessage())
		if err != nil || ref != want {
			t.Errorf("%q: got %q, %v, want %q", reply, ref, err, want)
		}
	}
}

func TestSMTPUnreachable(t *testing.T) {
	l := listen(t)
	port := portOf(l)
	l.Close()
	_, err := openSMTP(t, inClear(port)).Send(context.Background(), "dlv_1", sampleMessage())
	if f := fault(t, err); f.Class != outbox.Transient || f.Detail != "connect: connection refused" {
		t.Errorf("got %v, want transient: connection refused", f)
	}
}

func TestSMTPRefusesWhatItCannotCarry(t *testing.T) {
	s := openSMTP(t, inClear("1"))
	for _, test := range []struct {
		change func(*outbox.Message)
		want   outbox.Class
	}{
		{func(m *outbox.Message) { m.Channel = outbox.SMS }, outbox.Account},
		{func(m *outbox.Message) { m.To = "jane@example.com>\r\nRSET" }, outbox.InvalidRecipient},
		{func(m *outbox.Message) { m.To = "jane@example.com> SIZE=1" }, outbox.InvalidRecipient},
		{func(m *outbox.Message) { m.To = "jane" }, outbox.InvalidRecipient},
		{func(m *outbox.Message) { m.To = "a@b@c" }, outbox.InvalidRecipient},
		{func(m *outbox.Message) { m.To = "жени@example.com" }, outbox.InvalidRecipient},
		{func(m *outbox.Message) { m.From = "x\r\n" }, outbox.Account},
	} {
		m := sampleMessage()
		test.change(&m)
		_, err := s.Send(context.Background(), "dlv_1", m)
		if f := fault(t, err); f.Class != test.want {
			t.Errorf("%+v: got %v, want %s", m, f, test.want)
		}
	}
}

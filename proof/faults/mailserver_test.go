package faults_test

import (
	"bytes"
	"mime"
	"net/mail"
	"net/url"
	"strings"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

const mailUser, mailPassword = "the-login-of-the-proof", "the-password-of-the-proof"

// mailServer is an SMTP server with STARTTLS and a login, which misbehaves as its plan says.
type mailServer struct {
	*door
	plan
	truth *truth
	certs *certificates
	// pipelining is offered; without it commands come one by one.
	pipelining bool
}

func startMailServer(t testing.TB, w *truth, certs *certificates, pipelining bool) *mailServer {
	s := &mailServer{truth: w, certs: certs, pipelining: pipelining}
	s.door = openDoor(t, s.talk)
	return s
}

// settings make otpost send mail here.
func (s *mailServer) settings() rig.Settings {
	u := url.URL{Scheme: "smtp", Host: s.addr, User: url.UserPassword(mailUser, mailPassword),
		RawQuery: url.Values{"tls": {"starttls"}, "root_ca": {s.certs.authority},
			"connections": {"64"}, "idle": {"1s"}}.Encode()}
	return rig.Settings{"mail_url": u.String(), "mail_from": "Shop <codes@example.test>"}
}

// mailTalk is one conversation.
type mailTalk struct {
	*mailServer
	*line
	// fault is what goes wrong in the connection, and row what goes wrong in the message being talked about.
	fault, row *row
	// known is set once the recipient of the message is.
	known bool
	// refused is set while the transaction cannot go on.
	refused bool
	inTLS   bool
}

func (s *mailServer) talk(c *line) {
	fault := s.ofConnection()
	k := &mailTalk{mailServer: s, line: c, fault: fault, row: fault}
	if !k.step("connect", func(*line) bool { return true }) || !k.step("greeting", say("220 mail.example.test ESMTP")) {
		return
	}
	for {
		text, err := c.r.ReadString('\n')
		if err != nil || c.leaving.Load() || !k.command(strings.TrimRight(text, "\r\n")) {
			return
		}
	}
}

// step does what a well server does at this step, unless it is where this conversation goes wrong.
func (k *mailTalk) step(name string, usual act) bool {
	if k.row == nil || k.row.at != name {
		return usual(k.line)
	}
	k.truth.acted(k.row, k.to)
	return k.row.do(k.line)
}

func (k *mailTalk) command(text string) bool {
	verb, rest, _ := strings.Cut(strings.ToUpper(text), " ")
	switch verb {
	case "EHLO", "HELO":
		return k.hello(verb)
	case "STARTTLS":
		return k.step("STARTTLS", say("220 2.0.0 go ahead")) && k.begin()
	case "AUTH":
		return k.step("AUTH", say("235 2.7.0 welcome"))
	case "MAIL":
		return k.mail()
	case "RCPT":
		return k.recipient(text)
	case "DATA":
		return k.data()
	case "RSET":
		k.forget()
		return say("250 2.0.0 ok")(k.line)
	case "NOOP":
		return say("250 2.0.0 ok")(k.line)
	case "*": // the end of a login that was refused (RFC 4954 §4)
		return say("501 5.7.0 cancelled")(k.line)
	case "QUIT":
		say("221 2.0.0 bye")(k.line)
		return false
	}
	k.truth.complain("an unknown command: " + verb + " " + rest)
	return false
}

func (k *mailTalk) hello(verb string) bool {
	switch {
	case k.inTLS && k.pipelining:
		return k.step("EHLO in TLS", say("250-mail.example.test", "250-PIPELINING", "250 AUTH PLAIN LOGIN"))
	case k.inTLS:
		return k.step("EHLO in TLS", say("250-mail.example.test", "250 AUTH PLAIN LOGIN"))
	case verb == "HELO":
		return k.step("EHLO", say("250 mail.example.test"))
	}
	return k.step("EHLO", say("250-mail.example.test", "250 STARTTLS"))
}

func (k *mailTalk) begin() bool {
	k.line.begun, k.inTLS = false, true
	return k.step("TLS", func(*line) bool { return true }) && k.secured()
}

// secured begins TLS unless the step did it in its own way.
func (k *mailTalk) secured() bool {
	if !k.line.begun {
		k.line.secure(k.certs.good)
	}
	return true
}

// forget ends the transaction.
func (k *mailTalk) forget() {
	k.to, k.code, k.known, k.refused, k.row = "", "", false, false, k.fault
}

// know chooses the row of the message once its recipient is known.
func (k *mailTalk) know(to string) {
	k.to, k.known = to, true
	if k.row == nil {
		k.row = k.ofMessage(to, k.messages > 1)
	}
}

func (k *mailTalk) mail() bool {
	k.forget()
	k.messages++
	if next, err := k.r.Peek(k.r.Buffered()); err == nil {
		if to, ok := recipientIn(string(next)); ok { // pipelined behind this command
			k.know(to)
		}
	}
	ok := k.step("MAIL", say("250 2.1.0 ok"))
	k.refused = k.row != nil && k.row.at == "MAIL" && !k.row.allows(none)
	return ok
}

func (k *mailTalk) recipient(text string) bool {
	if k.refused {
		return say("503 5.5.1 MAIL first")(k.line)
	}
	to, ok := recipientIn(text)
	if !ok {
		k.truth.complain("a recipient that cannot be read: " + text)
		return false
	}
	if !k.known {
		k.know(to)
	}
	ok = k.step("RCPT", say("250 2.1.5 ok"))
	k.refused = k.row != nil && k.row.at == "RCPT" && !k.row.allows(none)
	return ok
}

func recipientIn(text string) (string, bool) {
	_, rest, ok := strings.Cut(text, "RCPT TO:<")
	to, _, closed := strings.Cut(rest, ">")
	return to, ok && closed
}

func (k *mailTalk) data() bool {
	if k.refused {
		return say("503 5.5.1 no recipients")(k.line)
	}
	if !k.step("DATA", say("354 go ahead")) {
		return false
	}
	if k.row != nil && k.row.at == "DATA" && !k.row.allows(none) {
		return true
	}
	return k.message()
}

func (k *mailTalk) message() bool {
	if _, err := k.r.Peek(1); err != nil {
		return false
	}
	if !k.step("body", func(*line) bool { return true }) {
		return false
	}
	var text bytes.Buffer
	for {
		next, err := k.r.ReadBytes('\n')
		if err != nil {
			return false
		}
		if string(next) == ".\r\n" {
			return k.whole(text.Bytes())
		}
		text.Write(next)
	}
}

// whole is where a message has arrived to its last byte.
func (k *mailTalk) whole(text []byte) bool {
	id, code, err := readMail(text)
	if err != nil {
		k.truth.complain("a mail that cannot be read: " + err.Error())
		return false
	}
	k.code = code
	k.truth.saw(code)
	if k.row == nil || k.row.takes || k.row.at != "dot" && k.row.at != "body" {
		k.truth.take(id, k.to, code)
	}
	if k.row != nil && k.row.at == "body" { // it was answered before it had arrived
		return true
	}
	return k.step("dot", say("250 2.0.0 Ok: queued as 4F3B1C0A22"))
}

// readMail finds the delivery's id and the code.
func readMail(text []byte) (id, code string, err error) {
	m, err := mail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		return "", "", err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return "", "", err
	}
	code, _, _ = strings.Cut(subject, " ")
	id, _, _ = strings.Cut(strings.TrimPrefix(m.Header.Get("Message-Id"), "<"), "@")
	return id, code, nil
}

package faults_test

import (
	"crypto/tls"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// These are the conclusions that several rows share.
var (
	taken      = []outbox.Class{none}
	notNow     = []outbox.Class{outbox.Transient}
	unknown    = []outbox.Class{outbox.Ambiguous}
	ourAccount = []outbox.Class{outbox.Account}
	ourQuota   = []outbox.Class{outbox.Quota}
	tooFast    = []outbox.Class{outbox.Throttled}
	nobody     = []outbox.Class{outbox.InvalidRecipient}
	refused    = []outbox.Class{outbox.RejectedContent}
	// cutShort depends on whether the last byte had left when the connection broke.
	cutShort = []outbox.Class{outbox.Ambiguous, outbox.Transient}
)

// mailRows is the matrix of the SMTP sender.
func mailRows(certs *certificates) []*row {
	var rows []*row
	rows = append(rows, mailConnections(certs)...)
	rows = append(rows, mailRefusals()...)
	rows = append(rows, mailBreaks()...)
	return append(rows, mailAnswers()...)
}

// beginning is an act that begins TLS with a certificate.
func beginning(config *tls.Config) act {
	return func(c *line) bool {
		c.secure(config)
		return true
	}
}

// mailConnections go wrong before there is a message.
func mailConnections(certs *certificates) []*row {
	rows := []*row{
		{name: "reset at once", at: "connect", do: reset, may: notNow},
		{name: "closed at once", at: "connect", do: finish, may: notNow, full: true},
		{name: "greeted with 421", at: "greeting", do: then(say("421 4.3.2 too many connections"), finish), may: notNow},
		{name: "greeted with 554", at: "greeting", do: then(say("554 5.7.1 your address is on a list"), finish), may: ourAccount},
		{name: "greeting never comes", at: "greeting", do: silent, may: notNow, slow: true},
		{name: "greeting never ends", at: "greeting", do: leak("220-wait "), may: notNow, slow: true, full: true},
		{name: "greeted by another protocol", at: "greeting", do: then(say("SSH-2.0-OpenSSH_9.9"), finish), may: notNow},
		{name: "greeting without end", at: "greeting", do: endless("220-and another thing\r\n"), may: notNow, full: true},
		{name: "greeting of one endless line", at: "greeting", do: endless("220-and another thing "), may: notNow, full: true},
		{name: "greeted slowly", at: "greeting", do: trickle("220-mail.example.test\r\n220 ESMTP\r\n"), may: taken, takes: true, full: true},
		{name: "greeted in several lines", at: "greeting", do: say("220-mail.example.test", "220-welcome", "220 ready"), may: taken, takes: true},

		{name: "EHLO 421", at: "EHLO", do: then(say("421 4.3.2 closing"), finish), may: notNow},
		{name: "EHLO 451", at: "EHLO", do: say("451 4.3.0 try later"), may: notNow, full: true},
		{name: "EHLO 550", at: "EHLO", do: say("550 5.7.1 go away"), may: ourAccount, full: true},
		{name: "EHLO not known", at: "EHLO", do: say("502 5.5.1 not implemented"), may: ourAccount, full: true},
		{name: "EHLO reset", at: "EHLO", do: reset, may: notNow, full: true},
		{name: "EHLO closed", at: "EHLO", do: finish, may: notNow, full: true},
		{name: "EHLO unanswered", at: "EHLO", do: silent, may: notNow, slow: true, full: true},
		{name: "EHLO answered with garbage", at: "EHLO", do: then(send("\x00\xff\xfe\r\n"), finish), may: notNow, full: true},
		{name: "EHLO answered without end", at: "EHLO", do: endless("250-X-SOMETHING\r\n"), may: notNow},

		{name: "STARTTLS stripped", at: "EHLO", do: say("250-mail.example.test", "250 AUTH PLAIN"), may: ourAccount},
		{name: "STARTTLS 454", at: "STARTTLS", do: say("454 4.7.0 TLS not available"), may: notNow, full: true},
		{name: "STARTTLS 502", at: "STARTTLS", do: then(say("502 5.5.1 not implemented"), finish), may: ourAccount, full: true},
		{name: "STARTTLS reset", at: "STARTTLS", do: reset, may: notNow, full: true},
		{name: "STARTTLS closed", at: "STARTTLS", do: finish, may: notNow, full: true},
		{name: "STARTTLS unanswered", at: "STARTTLS", do: silent, may: notNow, slow: true, full: true},
		{name: "text behind STARTTLS", at: "STARTTLS", do: say("220 2.0.0 go ahead", "250-mail.example.test", "250 AUTH PLAIN"), may: notNow},
		{name: "handshake unanswered", at: "TLS", do: silent, may: notNow, slow: true, full: true},
		{name: "handshake reset", at: "TLS", do: reset, may: notNow, full: true},
		{name: "handshake closed", at: "TLS", do: finish, may: notNow, full: true},
		{name: "handshake answered in clear", at: "TLS", do: then(hear, say("250 what is this?"), silent), may: ourAccount},
		{name: "handshake answered with a broken record", at: "TLS", do: then(hear, send("\x16\x03\x03\x00\x04\x02\x00\x00\xff"), silent), may: notNow, full: true},
		{name: "certificate for another name", at: "TLS", do: beginning(certs.otherName), may: ourAccount},
		{name: "certificate expired", at: "TLS", do: beginning(certs.expired), may: ourAccount},
		{name: "certificate self-signed", at: "TLS", do: beginning(certs.selfSigned), may: ourAccount},
		{name: "EHLO in TLS reset", at: "EHLO in TLS", do: reset, may: notNow, full: true},
		{name: "EHLO in TLS 421", at: "EHLO in TLS", do: then(say("421 4.3.2 closing"), finish), may: notNow, full: true},

		{name: "no login offered", at: "EHLO in TLS", do: say("250-mail.example.test", "250 PIPELINING"), may: ourAccount},
		{name: "unknown logins offered", at: "EHLO in TLS", do: say("250-mail.example.test", "250 AUTH GSSAPI SCRAM-SHA-256"), may: ourAccount, full: true},
		{name: "AUTH 535", at: "AUTH", do: say("535 5.7.8 bad credentials"), may: ourAccount},
		{name: "AUTH 534", at: "AUTH", do: say("534 5.7.9 too weak"), may: ourAccount, full: true},
		{name: "AUTH 454", at: "AUTH", do: say("454 4.7.0 temporary failure"), may: notNow},
		{name: "AUTH 421", at: "AUTH", do: then(say("421 4.7.0 too many logins"), finish), may: notNow, full: true},
		{name: "AUTH quoted back", at: "AUTH", do: say("535 5.7.8 " + mailUser + " with " + mailPassword + " refused"), may: ourAccount, full: true},
		{name: "AUTH reset", at: "AUTH", do: reset, may: notNow, full: true},
		{name: "AUTH closed", at: "AUTH", do: finish, may: notNow, full: true},
		{name: "AUTH unanswered", at: "AUTH", do: silent, may: notNow, slow: true, full: true},
		{name: "AUTH answered with garbage", at: "AUTH", do: then(say("welcome"), finish), may: notNow, full: true},
	}
	return rows
}

// mailRefusals are the replies that refuse a message, at each of its steps.
func mailRefusals() (rows []*row) {
	for _, r := range []struct {
		at, reply string
		may       []outbox.Class
		full      bool
	}{
		{"MAIL", "421 4.4.2 closing", notNow, true},
		{"MAIL", "451 4.3.0 try later", notNow, false},
		{"MAIL", "530 5.7.0 authentication required", ourAccount, true},
		{"MAIL", "550 5.7.60 no permission to send as this sender", ourAccount, true},
		{"MAIL", "550 5.4.5 daily user sending limit exceeded", ourQuota, true},
		{"MAIL", "454 4.7.0 Throttling failure: Maximum sending rate exceeded.", tooFast, true},
		{"MAIL", "552 5.3.4 message too big", refused, false},
		{"MAIL", "501 5.5.4 syntax", refused, true},
		{"RCPT", "421 4.4.2 closing", notNow, true},
		{"RCPT", "450 4.2.1 mailbox busy", notNow, true},
		{"RCPT", "450 4.7.1 greylisted, come back", notNow, false},
		{"RCPT", "452 4.5.3 too many recipients", notNow, true},
		{"RCPT", "454 4.7.0 Throttling failure: Maximum sending rate exceeded.", tooFast, false},
		{"RCPT", "454 4.7.0 Throttling failure: Daily message quota exceeded.", ourQuota, false},
		{"RCPT", "550 5.1.1 no such user", nobody, false},
		{"RCPT", "550 no such user", nobody, true},
		{"RCPT", "550 5.1.2 no such domain", nobody, true},
		{"RCPT", "553 5.1.3 bad syntax", nobody, true},
		{"RCPT", "556 5.1.10 takes no mail", nobody, true},
		{"RCPT", "552 5.2.2 mailbox full", notNow, true},
		{"RCPT", "550 5.4.5 daily user sending limit exceeded", ourQuota, true},
		{"RCPT", "550 5.7.1 relaying denied", refused, true},
		{"RCPT", "535 5.7.8 log in first", ourAccount, true},
		{"DATA", "421 4.3.0 closing", notNow, true},
		{"DATA", "451 4.3.1 no disk", notNow, false},
		{"DATA", "454 4.7.0 Throttling failure: Maximum sending rate exceeded.", tooFast, true},
		{"DATA", "554 5.5.1 no valid recipients", refused, true},
		{"dot", "421 4.3.0 closing", notNow, true},
		{"dot", "451 4.7.1 greylisted after all", notNow, false},
		{"dot", "452 4.3.1 no disk", notNow, true},
		{"dot", "454 4.7.0 Throttling failure: Daily message quota exceeded.", ourQuota, true},
		{"dot", "550 5.1.1 no such user after all", nobody, true},
		{"dot", "550 5.7.1 looks like spam", refused, false},
		{"dot", "554 refused", refused, true},
		{"dot", "552 5.2.2 mailbox full", notNow, true},
		{"dot", "552 5.3.4 too big", refused, true},
		{"dot", "550 5.7.26 sender does not pass authentication", ourAccount, false},
	} {
		do := say(r.reply)
		closes := strings.HasPrefix(r.reply, "421")
		if closes {
			do = then(do, finish)
		}
		rows = append(rows, &row{name: r.at + " " + r.reply, at: r.at, do: do, may: r.may, breaks: closes && r.at != "dot", full: r.full})
	}
	return rows
}

// mailBreaks are the ways a connection ends, or falls silent, while a message is given.
func mailBreaks() (rows []*row) {
	for _, at := range []string{"MAIL", "RCPT", "DATA"} {
		rows = append(rows,
			&row{name: at + " reset", at: at, do: reset, may: notNow, breaks: true, full: at != "RCPT"},
			&row{name: at + " closed", at: at, do: finish, may: notNow, breaks: true, full: at != "DATA"},
			&row{name: at + " unanswered", at: at, do: silent, may: notNow, slow: true, full: true},
			&row{name: at + " answered without end", at: at, do: endless("250-and more\r\n"), may: notNow, breaks: true, full: true},
			&row{name: at + " answered with garbage", at: at, do: then(send("\x00\x01\x02\r\n"), finish), may: notNow, breaks: true, full: at != "MAIL"})
	}
	return append(rows,
		&row{name: "accepted before it is sent", at: "DATA", do: say("354 go ahead", "250 2.0.0 Ok: queued as 1A2B3C4D5E"), may: notNow, breaks: true},
		&row{name: "reset amid the message", at: "body", do: reset, may: cutShort},
		&row{name: "closed amid the message", at: "body", do: finish, may: cutShort, full: true},
		&row{name: "421 amid the message", at: "body", do: then(say("421 4.3.0 closing"), finish), may: cutShort, full: true},
		&row{name: "silent amid the message", at: "body", do: silent, may: unknown, slow: true, full: true},
		&row{name: "refused amid the message", at: "body", do: say("550 5.7.1 enough"), may: refused, full: true},
		&row{name: "accepted amid the message", at: "body", do: say("250 2.0.0 Ok: queued as 1A2B3C4D5E"), may: taken, takes: true, full: true},
	)
}

// mailAnswers are odd, broken and lost answers to a whole message.
func mailAnswers() []*row {
	const ok = "250 2.0.0 Ok: queued as 4F3B1C0A22"
	lost := func(name string, do act) *row {
		return &row{name: name, at: "dot", do: do, may: unknown, takes: true, full: true}
	}
	odd := func(name string, do act) *row {
		return &row{name: name, at: "dot", do: do, may: taken, takes: true, full: true}
	}
	rows := []*row{
		lost("taken, then reset", reset),
		lost("taken, then closed", finish),
		lost("taken, then silent", silent),
		lost("taken, reset amid the answer", then(send("250 2.0"), reset)),
		lost("taken, closed amid the answer", then(send(ok), finish)),
		lost("taken, silent amid the answer", then(send("250-2.0.0 Ok\r\n250 "), silent)),
		lost("taken, answered forever", leak("250-wait ")),
		lost("taken, answered without end", endless("250-and another thing\r\n")),
		lost("taken, answered with one endless line", endless("250 and another thing ")),
		lost("taken, answered with garbage", then(send("\x00\xff\xfe\x80\r\n"), finish)),
		lost("taken, answered by another protocol", then(say("HTTP/1.1 200 OK"), finish)),
		lost("taken, answered 354", then(say("354 go on"), finish)),
		lost("taken, answered 199", then(say("199 odd"), finish)),
		lost("taken, answered 999", then(say("999 odd"), finish)),
		{name: "not taken, reset", at: "dot", do: reset, may: unknown},
		{name: "not taken, closed", at: "dot", do: finish, may: unknown, full: true},
		{name: "not taken, silent", at: "dot", do: silent, may: unknown, slow: true, full: true},
		{name: "refused, closed amid the answer", at: "dot", do: then(send("550 5.7.1 no"), finish), may: unknown, full: true},
		{name: "refused, quoting code and recipient", at: "dot", do: quoting, may: refused},

		odd("answered slowly", trickle(ok+"\r\n")),
		odd("answered in several lines", say("250-2.0.0 thank you", "250-2.0.0 very much", ok)),
		odd("answered with digits alone", say("250")),
		odd("answered 252", say("252 2.0.0 will try")),
		odd("answered with bare line feeds", send(ok+"\n")),
		odd("answered twice", say(ok, ok)),
		odd("answered, then refused", say(ok, "550 5.7.1 no, after all")),
		odd("answered, then 421", then(say(ok, "421 4.4.2 idle too long"), finish)),
		odd("answered, then closed", then(say(ok), finish)),
		odd("answered, then reset", then(say(ok), hear, reset)),
		odd("answered with eight-bit text", say("250 2.0.0 merci, re\xe7u")),
		odd("accepted, bounced later", say("250 2.0.0 Ok: queued as B0UNCE5")),
	}
	for _, r := range rows {
		switch r.name {
		case "taken, then reset", "taken, reset amid the answer", "taken, answered with garbage", "answered twice",
			"answered, then closed", "accepted, bounced later":
			r.full = false
		case "taken, then silent", "taken, silent amid the answer", "taken, answered forever":
			r.slow = true
			r.full = r.name != "taken, then silent"
		}
	}
	return rows
}

// quoting refuses as many servers do, with the very words that must not be kept.
func quoting(c *line) bool {
	return say("550 5.7.1 <" + c.to + ">: \"" + c.code + " is your code\" looks like spam to " + mailUser)(c)
}

package faults_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// reply is an answer of HTTP/1.1 with further header lines.
func reply(status, body string, header ...string) act {
	return send("HTTP/1.1 " + status + "\r\n" + strings.Join(append(header, fmt.Sprintf("Content-Length: %d", len(body))), "\r\n") +
		"\r\n\r\n" + body)
}

// receiverRows is the matrix of the webhook sender.
func receiverRows(certs *certificates) []*row {
	var rows []*row
	rows = append(rows, receiverConnections(certs)...)
	rows = append(rows, receiverStatuses()...)
	rows = append(rows, receiverLost()...)
	return append(rows, receiverOddities()...)
}

// receiverConnections go wrong before the request was read whole.
func receiverConnections(certs *certificates) []*row {
	alert := &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no") }}
	tooLarge := "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	return []*row{
		{name: "reset at once", at: "connect", do: reset, may: notNow},
		{name: "closed at once", at: "connect", do: finish, may: notNow, full: true},
		{name: "handshake unanswered", at: "TLS", do: silent, may: notNow, slow: true, full: true},
		{name: "handshake answered by HTTP in clear", at: "TLS", do: then(reply("400 Bad Request", "speak TLS"), silent), may: ourAccount},
		{name: "handshake answered by another protocol", at: "TLS", do: then(say("220 mail.example.test ESMTP"), silent), may: ourAccount, full: true},
		{name: "handshake answered with a broken record", at: "TLS", do: then(send("\x16\x03\x03\x00\x04\x02\x00\x00\xff"), silent), may: notNow, full: true},
		{name: "handshake broken off", at: "TLS", do: beginning(alert), may: notNow},
		{name: "certificate for another name", at: "TLS", do: beginning(certs.otherName), may: ourAccount},
		{name: "certificate expired", at: "TLS", do: beginning(certs.expired), may: ourAccount},
		{name: "certificate self-signed", at: "TLS", do: beginning(certs.selfSigned), may: ourAccount},
		{name: "reset amid the request", at: "headers", do: reset, may: cutShort},
		{name: "closed amid the request", at: "headers", do: finish, may: cutShort, full: true},
		{name: "accepted amid the request", at: "headers", do: reply("200 OK", "{}"), may: taken, takes: true, full: true},
		{name: "413 amid the request, then closed", at: "headers", do: then(send(tooLarge), finish),
			may: []outbox.Class{outbox.RejectedContent, outbox.Ambiguous, outbox.Transient}, full: true},
	}
}

// receiverStatuses are answers whose status refuses.
func receiverStatuses() (rows []*row) {
	for _, r := range []struct {
		status int
		may    []outbox.Class
		full   bool
	}{
		{400, refused, false}, {401, ourAccount, false}, {402, ourQuota, false}, {403, ourAccount, true},
		{404, ourAccount, false}, {405, ourAccount, true}, {406, refused, true}, {408, notNow, false}, {409, refused, true},
		{410, ourAccount, true}, {413, refused, true}, {415, refused, true}, {421, notNow, true}, {422, refused, false},
		{425, notNow, true}, {429, tooFast, false}, {451, refused, true}, {500, notNow, true}, {501, notNow, true},
		{502, notNow, true}, {503, notNow, false}, {504, notNow, true}, {599, notNow, true}, {999, notNow, true},
		{304, ourAccount, true},
	} {
		name := strings.TrimSpace(fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)))
		rows = append(rows, &row{name: name, at: "answer", do: reply(name, `{"error":"no"}`), may: r.may, full: r.full})
	}
	for _, status := range []int{300, 301, 302, 303, 307, 308} {
		name := fmt.Sprintf("%d %s", status, http.StatusText(status))
		rows = append(rows, &row{name: name, at: "answer", do: reply(name, "", "Location: /elsewhere"), may: ourAccount,
			full: status != 301 && status != 307})
	}
	return append(rows,
		&row{name: "429 with seconds", at: "answer", do: reply("429 Too Many Requests", "", "Retry-After: 2"), may: tooFast,
			wait: 2 * time.Second},
		&row{name: "429 with a date", at: "answer", do: retryAt, may: tooFast, wait: time.Second},
		&row{name: "503 with seconds", at: "answer", do: reply("503 Service Unavailable", "", "Retry-After: 3"), may: notNow,
			wait: 3 * time.Second, full: true},
		&row{name: "429 for a day", at: "answer", do: reply("429 Too Many Requests", "", "Retry-After: 86400"), may: tooFast,
			stale: true},
	)
}

// retryAt names a date that is between one and two seconds off, as dates have no fractions.
func retryAt(c *line) bool {
	at := time.Now().Add(2 * time.Second).UTC().Format(http.TimeFormat)
	return reply("429 Too Many Requests", "", "Retry-After: "+at)(c)
}

// receiverLost are conversations that end without an answer that can be read.
func receiverLost() []*row {
	const head = "HTTP/1.1 200 OK\r\n"
	lost := func(name string, do act) *row {
		return &row{name: name, at: "answer", do: do, may: unknown, takes: true, full: true}
	}
	rows := []*row{
		lost("taken, then reset", reset),
		lost("taken, then closed", finish),
		lost("taken, then silent", silent),
		lost("taken, reset amid the headers", then(send("HTTP/1.1 20"), reset)),
		lost("taken, closed amid the headers", then(send(head+"Content-Le"), finish)),
		lost("taken, silent amid the headers", then(send(head+"Content-Le"), silent)),
		lost("taken, headers that never end slowly", then(send(head), leak("X-Header: x\r\n"))),
		lost("taken, headers without end", then(send(head), endless("X-Header: and another thing\r\n"))),
		lost("taken, one header without end", then(send(head+"X-Header: "), endless("and another thing "))),
		lost("taken, 100 Continue without end", endless("HTTP/1.1 100 Continue\r\n\r\n")),
		lost("taken, garbage", then(send("\x00\xff\xfe\x80\r\n\r\n"), finish)),
		lost("taken, another protocol", then(say("220 mail.example.test ESMTP"), finish)),
		lost("taken, a body alone", then(send("<html>ok</html>"), finish)),
		lost("taken, a status of two digits", then(send("HTTP/1.1 20 OK\r\n\r\n"), finish)),
		lost("taken, a status of letters", then(send("HTTP/1.1 OK\r\n\r\n"), finish)),
		lost("taken, two different lengths", then(send(head+"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}"), finish)),
		lost("taken, a length below zero", then(send(head+"Content-Length: -2\r\n\r\n{}"), finish)),
		lost("taken, an unknown transfer coding", then(send(head+"Transfer-Encoding: gzip\r\n\r\n{}"), finish)),
		lost("taken, a header that is none", then(send(head+"no colon here\r\n\r\n{}"), finish)),
		lost("taken, 101 without being asked", then(send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"), finish)),
		{name: "not taken, reset", at: "answer", do: reset, may: unknown},
		{name: "not taken, closed", at: "answer", do: finish, may: unknown, full: true},
		{name: "not taken, silent", at: "answer", do: silent, may: unknown, slow: true, full: true},
		{name: "refused, closed amid the headers", at: "answer", do: then(send("HTTP/1.1 503 Serv"), finish), may: unknown, full: true},
	}
	for _, r := range rows {
		switch r.name {
		case "taken, then reset", "taken, garbage", "taken, headers without end", "taken, 101 without being asked":
			r.full = false
		case "taken, then silent", "taken, silent amid the headers", "taken, headers that never end slowly":
			r.slow = true
			r.full = r.name != "taken, then silent"
		}
	}
	return rows
}

// receiverOddities are answers that accept, each odd in its own way.
func receiverOddities() []*row {
	const head = "HTTP/1.1 200 OK\r\n"
	const chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
	odd := func(name string, do act) *row {
		return &row{name: name, at: "answer", do: do, may: taken, takes: true, full: true}
	}
	rows := []*row{
		odd("202, bounced later", reply("202 Accepted", "")),
		odd("201", reply("201 Created", `{"id":"x1"}`)),
		odd("204", send("HTTP/1.1 204 No Content\r\n\r\n")),
		odd("204 with a body", send("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}")),
		odd("299 without a reason", reply("299", "")),
		odd("200 with an odd body", reply("200 OK", `{"status":"error","id":{"a":[null,1e999]}}`)),
		odd("200 with HTML", reply("200 OK", "<html><body>login please</body></html>")),
		odd("200 with binary", reply("200 OK", "\x00\x01\xff\xfe")),
		odd("200 with deep JSON", reply("200 OK", strings.Repeat("[", 100_000))),
		odd("200 with a long body", reply("200 OK", strings.Repeat("x", 3<<20))),
		odd("200 with a body without end", then(send(head+"\r\n"), endless(strings.Repeat("x", 1<<16)))),
		odd("slow headers", trickle(head+"Content-Length: 2\r\n\r\n{}")),
		odd("slow body", then(send(head+"Content-Length: 20\r\n\r\n"), trickle(`{"id":"slowly_sent"}`))),
		odd("body that never ends slowly", then(send(head+"Content-Length: 9999\r\n\r\n"), leak("x"))),
		odd("body that never comes", then(send(head+"Content-Length: 9999\r\n\r\n"), silent)),
		odd("length too long", then(send(head+"Content-Length: 500\r\n\r\n{}"), finish)),
		odd("length too short", send(head+"Content-Length: 2\r\n\r\n{}{}{}")),
		odd("reset amid the body", then(send(head+"Content-Length: 500\r\n\r\n{"), reset)),
		odd("same length twice", send(head+"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}")),
		odd("chunked", send(chunked+"2\r\n{}\r\n0\r\n\r\n")),
		odd("chunked with a broken trailer", then(send(chunked+"2\r\n{}\r\n0\r\nbroken trailer\x00"), finish)),
		odd("chunked with a broken size", then(send(chunked+"zz\r\n{}\r\n0\r\n\r\n"), finish)),
		odd("chunked with a huge size", then(send(chunked+"ffffffffffffffff1\r\n{}"), finish)),
		odd("chunked and cut off", then(send(chunked+"400\r\n{}"), finish)),
		odd("chunked and with a length", send(head+"Transfer-Encoding: chunked\r\nContent-Length: 7\r\n\r\n2\r\n{}\r\n0\r\n\r\n")),
		odd("100 Continue unasked", send("HTTP/1.1 100 Continue\r\n\r\n"+head+"Content-Length: 2\r\n\r\n{}")),
		odd("100 Continue three times", send(strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 3)+head+"Content-Length: 2\r\n\r\n{}")),
		odd("103 before 200", send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"+head+"Content-Length: 2\r\n\r\n{}")),
		odd("HTTP/1.0", then(send("HTTP/1.0 200 OK\r\n\r\n{}"), finish)),
		odd("HTTP/1.0 kept alive", send("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}")),
		odd("two answers at once, the second quoting code and recipient", twice),
		odd("answered, then closed", then(reply("200 OK", "{}"), finish)),
		{name: "answered, then reset", at: "answer", do: then(reply("200 OK", "{}"), reset), may: []outbox.Class{none, outbox.Ambiguous},
			takes: true, full: true},
		odd("answered, says it closes and does not", reply("200 OK", "{}", "Connection: close")),
		odd("a cookie and a redirect", reply("200 OK", "{}", "Set-Cookie: a=b", "Location: /elsewhere", "Refresh: 0; url=/elsewhere")),
	}
	for _, r := range rows {
		switch r.name {
		case "202, bounced later", "200 with an odd body", "length too long", "length too short", "chunked with a broken trailer",
			"100 Continue unasked", "HTTP/1.0", "two answers at once, the second quoting code and recipient", "answered, then closed", "body that never comes":
			r.full = false
		}
		switch r.name {
		case "204 with a body", "length too short", "two answers at once, the second quoting code and recipient", "answered, then closed",
			"answered, then reset":
			r.alone = true
		}
	}
	return rows
}

// twice answers a second time, with the very words that must not be kept.
func twice(c *line) bool {
	return send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 503 " + c.code + " for " + c.to + "\r\nContent-Length: 0\r\n\r\n")(c)
}

// Package nameserver answers DNS queries on this machine, for tests.
package nameserver

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Start starts a name server that lives as long as the test, and returns a resolver that asks it alone. answer adds to
// the reply to a question; replies come in the order of the questions.
func Start(t testing.TB, answer func(q dnsmessage.Question, reply *dnsmessage.Message)) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply := replyTo(buf[:size], answer); reply != nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func replyTo(query []byte, answer func(q dnsmessage.Question, reply *dnsmessage.Message)) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	answer(m.Questions[0], &m)
	reply, err := m.Pack()
	if err != nil {
		return nil
	}
	return reply
}

// Add adds a record to a reply.
func Add(q dnsmessage.Question, reply *dnsmessage.Message, body dnsmessage.ResourceBody) {
	reply.Answers = append(reply.Answers, dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}, Body: body})
}

// Zone is what a name server knows: by name, records written as "TXT text", "MX 10 host.", "A 192.0.2.1". The record
// "FAIL" makes it answer that it failed.
type Zone map[string][]string

// Start starts a name server for the zone.
func (z Zone) Start(t testing.TB) *net.Resolver {
	t.Helper()
	for name, records := range z {
		for _, record := range records {
			if kind, value, _ := strings.Cut(record, " "); kind != "FAIL" && bodyOf(kind, value) == nil {
				t.Fatalf("the zone holds for %s the unknown record %q", name, record)
			}
		}
	}
	return Start(t, z.answer)
}

var types = map[string]dnsmessage.Type{"TXT": dnsmessage.TypeTXT, "MX": dnsmessage.TypeMX, "A": dnsmessage.TypeA}

func (z Zone) answer(q dnsmessage.Question, reply *dnsmessage.Message) {
	records, known := z[strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))]
	if !known {
		reply.RCode = dnsmessage.RCodeNameError
	}
	for _, record := range records {
		kind, value, _ := strings.Cut(record, " ")
		switch {
		case kind == "FAIL":
			reply.RCode = dnsmessage.RCodeServerFailure
		case types[kind] == q.Type:
			Add(q, reply, bodyOf(kind, value))
		}
	}
}

func bodyOf(kind, value string) dnsmessage.ResourceBody {
	switch kind {
	case "TXT":
		body := &dnsmessage.TXTResource{}
		for len(value) > 255 { // RFC 1035 §3.3: one string has at most 255 bytes
			body.TXT, value = append(body.TXT, value[:255]), value[255:]
		}
		body.TXT = append(body.TXT, value)
		return body
	case "MX":
		_, host, _ := strings.Cut(value, " ")
		return &dnsmessage.MXResource{Pref: 10, MX: dnsmessage.MustNewName(host)}
	case "A":
		return &dnsmessage.AResource{A: netip.MustParseAddr(value).As4()}
	}
	return nil
}

package doctor_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// zone is what a name server knows: by name, records written as "TXT text", "MX 10 host", "A 192.0.2.1". The record
// "FAIL" makes it answer that it failed.
type zone map[string][]string

// serve starts the name server and returns a resolver that asks it alone.
func (z zone) serve(t testing.TB) *net.Resolver {
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
			if reply := z.reply(t, buf[:size]); reply != nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func (z zone) reply(t testing.TB, query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	records, known := z[strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))]
	if !known {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, record := range records {
		kind, value, _ := strings.Cut(record, " ")
		body, of := bodyOf(t, kind, value)
		if kind == "FAIL" {
			m.RCode = dnsmessage.RCodeServerFailure
		} else if of == q.Type {
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: of, Class: q.Class, TTL: 60}, Body: body})
		}
	}
	reply, err := m.Pack()
	if err != nil {
		t.Errorf("answer %s: %v", q.Name, err)
	}
	return reply
}

func bodyOf(t testing.TB, kind, value string) (dnsmessage.ResourceBody, dnsmessage.Type) {
	switch kind {
	case "TXT":
		body := &dnsmessage.TXTResource{}
		for len(value) > 255 { // RFC 1035 §3.3: one string has at most 255 bytes
			body.TXT, value = append(body.TXT, value[:255]), value[255:]
		}
		body.TXT = append(body.TXT, value)
		return body, dnsmessage.TypeTXT
	case "MX":
		_, host, _ := strings.Cut(value, " ")
		return &dnsmessage.MXResource{Pref: 10, MX: dnsmessage.MustNewName(host)}, dnsmessage.TypeMX
	case "A":
		return &dnsmessage.AResource{A: netip.MustParseAddr(value).As4()}, dnsmessage.TypeA
	case "FAIL":
		return nil, 0
	}
	t.Errorf("a zone holds the unknown record %q", kind)
	return nil, 0
}

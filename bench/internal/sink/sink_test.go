package sink_test

import (
	"bufio"
	"fmt"
	"io"
	"mime"
	"net"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/otpost/otpost/bench/internal/sink"
)

// mailbox remembers what a sink received.
type mailbox struct {
	mu  sync.Mutex
	got []string
}

func (m *mailbox) receive(to, code []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = append(m.got, string(to)+" "+string(code))
}

func start(t *testing.T) (*sink.Sink, *mailbox) {
	t.Helper()
	box := &mailbox{}
	s, err := sink.Listen(box.receive)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, box
}

func TestTakesMailFromAnotherImplementation(t *testing.T) {
	s, box := start(t)
	for i := range 3 {
		to := fmt.Sprintf("user%d@bench.test", i)
		body := fmt.Sprintf("From: a@bench.test\r\nSubject: 12345%d is your code\r\n\r\n.dot\r\n..\r\n%s\r\n", i,
			strings.Repeat("x", 20000))
		if err := smtp.SendMail(s.Addr(), nil, "a@bench.test", []string{to}, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	want := "user0@bench.test 123450,user1@bench.test 123451,user2@bench.test 123452"
	if got := strings.Join(box.got, ","); got != want || s.Messages() != 3 {
		t.Errorf("got %q and %d messages, want %q and 3", got, s.Messages(), want)
	}
}

func TestConversations(t *testing.T) {
	for _, c := range []struct {
		name, say, replies, got string
	}{
		{"pipelined on one connection",
			"EHLO x\r\nMAIL FROM:<> BODY=8BITMIME\r\nRCPT TO:<a@b>\r\nDATA\r\n|subject: 4711\r\n\r\n.\r\n" +
				"MAIL FROM:<x@y>\r\nRCPT TO:<c@d>\r\nDATA\r\n|Subject: 4712\r\n\r\n.\r\nQUIT\r\n",
			"220 250 250 250 250 250 250 250 250 354 250 250 250 354 250 221", "a@b 4711,c@d 4712"},
		{"a folded subject", "HELO x\r\nMAIL FROM:<x@y>\r\nRCPT TO:<a@b>\r\nDATA\r\n|Subject:\r\n 4711\r\nTo: 9999\r\n" +
			" 8888\r\n\r\nbody\r\n.\r\nQUIT\r\n", "220 250 250 250 354 250 221", "a@b 4711"},
		{"no body at all", "HELO x\r\nMAIL FROM:<x@y>\r\nRCPT TO:<a@b>\r\nDATA\r\n|Subject: 4711\r\n.\r\nQUIT\r\n",
			"220 250 250 250 354 250 221", "a@b 4711"},
		{"no code", "HELO x\r\nMAIL FROM:<x@y>\r\nRCPT TO:<a@b>\r\nDATA\r\n|\r\nSubject: 4711\r\n.\r\nQUIT\r\n",
			"220 250 250 250 354 250 221", "a@b "},
		{"two recipients", "HELO x\r\nMAIL FROM:<x@y>\r\nRCPT TO:<a@b>\r\nRCPT TO:<c@d>\r\nQUIT\r\n",
			"220 250 250 250 452 221", ""},
		{"out of order", "DATA\r\nRCPT TO:<a@b>\r\nMAIL FROM:x@y\r\nMAIL FROM:<x@y>\r\nMAIL FROM:<x@y>\r\nRCPT TO:\r\n" +
			"DATA\r\nRSET\r\nNOOP\r\nVRFY a\r\n\r\nQUIT\r\n", "220 503 503 501 250 503 501 503 250 250 500 500 221", ""},
		{"a line without end", strings.Repeat("x", 20000), "220 500", ""},
		{"cut inside a message", "HELO x\r\nMAIL FROM:<x@y>\r\nRCPT TO:<a@b>\r\nDATA\r\n|Subject: 4711\r\n\r\nhalf",
			"220 250 250 250 354", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, box := start(t)
			if got := converse(t, s.Addr(), c.say); got != c.replies {
				t.Errorf("replies: got %s, want %s", got, c.replies)
			}
			s.Close()
			if got := strings.Join(box.got, ","); got != c.got {
				t.Errorf("received: got %q, want %q", got, c.got)
			}
		})
	}
}

// converse says its lines at once, waiting only at a | for the go-ahead, and returns the reply codes.
func converse(t *testing.T, addr, say string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var codes []string
	replies := bufio.NewScanner(conn)
	parts := strings.Split(say, "|")
	for i, part := range parts {
		io.WriteString(conn, part)
		if i == len(parts)-1 {
			conn.(*net.TCPConn).CloseWrite()
		}
		for replies.Scan() {
			codes = append(codes, replies.Text()[:3])
			if i < len(parts)-1 && codes[len(codes)-1] == "354" {
				break
			}
		}
	}
	return strings.Join(codes, " ")
}

func TestCode(t *testing.T) {
	for subject, want := range map[string]string{
		"123456 is your code for bench":         "123456",
		"Your code: 0042.":                      "0042",
		"Contoso24: 314159":                     "314159",
		"Room 101, code 271828182845":           "271828182845",
		"1234567890123 is no code":              "",
		"x123456 a12345 12345z":                 "",
		"":                                      "",
		"=?utf-8?q?123456_est_votre_cl=C3=A9?=": "123456",
		mime.BEncoding.Encode("utf-8", "コードは987654です"): "987654",
		"=?broken?= 4711": "4711",
	} {
		if got := string(sink.Code([]byte(subject))); got != want {
			t.Errorf("%q: got %q, want %q", subject, got, want)
		}
	}
}

// FuzzCode holds that a code is digits only, 4 to 12 of them, whatever the subject.
func FuzzCode(f *testing.F) {
	f.Add("123456 is your code")
	f.Add("=?utf-8?b?MTIzNDU2?=")
	f.Fuzz(func(t *testing.T, subject string) {
		code := string(sink.Code([]byte(subject)))
		if strings.Trim(code, "0123456789") != "" || code != "" && (len(code) < 4 || len(code) > 12) {
			t.Fatalf("%q is no code", code)
		}
	})
}

type stream struct {
	io.Reader
	io.Writer
}

// FuzzSession holds that every message received was acknowledged, whatever a client says and however it is cut.
func FuzzSession(f *testing.F) {
	f.Add("EHLO x\r\nMAIL FROM:<x@y>\r\nRCPT TO:<a@b>\r\nDATA\r\nSubject: 4711\r\n\r\n.\r\nQUIT\r\n")
	f.Add("mail from: <>\nrcpt to:<a>\ndata\n.\nrset\n")
	f.Fuzz(func(t *testing.T, say string) {
		var replies strings.Builder
		received := 0
		sink.Serve(stream{iotest.HalfReader(strings.NewReader(say)), &replies}, func(to, code []byte) {
			received++
			if len(to) == 0 {
				t.Fatal("a message to nobody")
			}
		})
		if acknowledged := strings.Count(replies.String(), "250 "); received > acknowledged {
			t.Fatalf("%d received, %d replies of 250", received, acknowledged)
		}
	})
}

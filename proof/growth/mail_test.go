package growth_test

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// mail is a mail server that takes everything at once and keeps little: the rig's own, which keeps every message, would
// cost more than what is measured.
type mail struct {
	addr string
	// total is how many messages came.
	total atomic.Int64
	// waiting are people whose code somebody waits for, each with a chan string.
	waiting sync.Map
	mu      sync.Mutex
	// ids are the Message-IDs that came.
	ids map[string]bool
}

func startMail(t testing.TB) *mail {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	m := &mail{addr: l.Addr().String(), ids: map[string]bool{}}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			go m.talk(conn)
		}
	}()
	return m
}

func (m *mail) settings() rig.Settings { return rig.MailTo(m.addr) }

// expect returns where the code of the next message to a person goes.
func (m *mail) expect(to string) <-chan string {
	code := make(chan string, 1)
	m.waiting.Store(to, code)
	return code
}

// different is how many messages came, those that came again left out.
func (m *mail) different() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.ids)
}

// talk is one connection (RFC 5321).
func (m *mail) talk(conn net.Conn) {
	defer conn.Close()
	in, out := bufio.NewReader(conn), bufio.NewWriter(conn)
	answer := "220 growth.test"
	to := ""
	for {
		out.WriteString(answer + "\r\n")
		if in.Buffered() == 0 { // a client may send several commands at once (RFC 2920)
			if out.Flush() != nil {
				return
			}
		}
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		answer = "250 ok"
		switch verb, rest, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " "); strings.ToUpper(verb) {
		case "EHLO":
			answer = "250-growth.test\r\n250-PIPELINING\r\n250 8BITMIME"
		case "RCPT":
			_, rest, _ = strings.Cut(rest, "<")
			to, _, _ = strings.Cut(rest, ">")
		case "DATA":
			out.WriteString("354 go on\r\n")
			if out.Flush() != nil || m.take(in, to) != nil {
				return
			}
		case "QUIT":
			out.WriteString("221 bye\r\n")
			out.Flush()
			return
		}
	}
}

// take reads one message and hands its code to whoever waits for it.
func (m *mail) take(in *bufio.Reader, to string) error {
	code := ""
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		switch text := string(line); {
		case text == ".\r\n":
			m.total.Add(1)
			if waiting, ok := m.waiting.LoadAndDelete(to); ok {
				waiting.(chan string) <- code
			}
			return nil
		case code == "" && strings.HasPrefix(text, "Subject: "):
			code, _, _ = strings.Cut(strings.TrimPrefix(text, "Subject: "), " ")
		case strings.HasPrefix(strings.ToLower(text), "message-id: "):
			m.mu.Lock()
			m.ids[text] = true
			m.mu.Unlock()
		}
	}
}

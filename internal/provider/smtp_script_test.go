package provider_test

import (
	"bufio"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"
)

// script is a mail server that behaves until one step and then does what the test says. The steps are greeting, EHLO,
// STARTTLS, TLS, AUTH, MAIL, RCPT, DATA, body (its first byte), dot, RSET and NOOP.
type script struct {
	extensions []string
	tls        *tls.Config
	// at holds what to do instead of answering well. It is asked with the number of the connection, from 1.
	at func(step string, connection int) act

	mu          sync.Mutex
	connections int
	commands    []string
}

// act is one answer. It returns false to end the connection.
type act func(c *scriptConn) bool

type scriptConn struct {
	net.Conn
	r *bufio.Reader
	// said is the last line that was answered.
	said string
}

func say(lines ...string) act {
	return func(c *scriptConn) bool {
		c.said = lines[len(lines)-1]
		_, err := c.Write([]byte(strings.Join(lines, "\r\n") + "\r\n"))
		return err == nil
	}
}

// sayAndClose answers and closes in good order.
func sayAndClose(lines ...string) act {
	return func(c *scriptConn) bool {
		say(lines...)(c)
		return false
	}
}

func closed() act { return func(*scriptConn) bool { return false } }

// reset makes the client's next read or write fail with a reset.
func reset() act {
	return func(c *scriptConn) bool {
		c.Conn.(*net.TCPConn).SetLinger(0)
		return false
	}
}

// hang says nothing more until the client goes away. begun is called once the client is waiting.
func hang(begun func()) act {
	return func(c *scriptConn) bool {
		begun()
		for {
			if _, err := c.r.ReadByte(); err != nil {
				return false
			}
		}
	}
}

// deaf stops reading, so that the client's writes fill up, until the test ends.
func deaf(begun func(), end <-chan struct{}) act {
	return func(*scriptConn) bool {
		begun()
		<-end
		return false
	}
}

// on misbehaves at one step of every connection.
func on(step string, a act) func(string, int) act {
	return func(s string, _ int) act {
		if s == step {
			return a
		}
		return nil
	}
}

func (s *script) start(t testing.TB) (port string) {
	t.Helper()
	l := listen(t)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.connections++
			n := s.connections
			s.mu.Unlock()
			go s.serve(&scriptConn{Conn: c, r: bufio.NewReader(c)}, n)
		}
	}()
	return portOf(l)
}

func (s *script) opened() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

// said is what clients wrote, one line a command, and "." for each message.
func (s *script) said() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.commands...)
}

func (s *script) heard(line string) {
	s.mu.Lock()
	s.commands = append(s.commands, line)
	s.mu.Unlock()
}

func (s *script) do(c *scriptConn, step string, n int, usual act) bool {
	if s.at != nil {
		if a := s.at(step, n); a != nil {
			return a(c)
		}
	}
	return usual(c)
}

func (s *script) serve(c *scriptConn, n int) {
	defer func() { c.Close() }()
	if !s.do(c, "greeting", n, say("220 script.example.org ESMTP")) {
		return
	}
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.heard(line)
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		usual := say("250 2.0.0 ok")
		switch verb {
		case "EHLO":
			usual = say(ehloLines(s.extensions)...)
		case "STARTTLS":
			usual = say("220 2.0.0 go ahead")
		case "AUTH":
			usual = say("235 2.7.0 welcome")
		case "DATA":
			usual = say("354 go ahead")
		case "QUIT":
			usual = sayAndClose("221 2.0.0 bye")
		}
		if !s.do(c, verb, n, usual) {
			return
		}
		switch {
		case verb == "STARTTLS" && s.tls != nil:
			if !s.do(c, "TLS", n, func(*scriptConn) bool { return true }) {
				return
			}
			inside := tls.Server(c.Conn, s.tls)
			c = &scriptConn{Conn: inside, r: bufio.NewReader(inside)}
		case verb == "DATA" && strings.HasPrefix(c.said, "354"):
			if !s.message(c, n) {
				return
			}
		}
	}
}

func ehloLines(extensions []string) []string {
	lines := []string{"250 script.example.org"}
	for i, e := range extensions {
		lines[i] = strings.Replace(lines[i], "250 ", "250-", 1)
		lines = append(lines, "250 "+e)
	}
	return lines
}

func (s *script) message(c *scriptConn, n int) bool {
	if _, err := c.r.Peek(1); err != nil {
		return false
	}
	if !s.do(c, "body", n, func(*scriptConn) bool { return true }) {
		return false
	}
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			s.heard(".")
			return s.do(c, "dot", n, say("250 2.0.0 Ok: queued as 4F3B1C0A22"))
		}
	}
}

package faults_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"
)

// line is one connection from otpost, with the TLS that was begun on it.
type line struct {
	net.Conn
	tcp *net.TCPConn
	r   *bufio.Reader
	// messages counts the messages that were begun on it.
	messages int
	// stop is closed when the server ends.
	stop <-chan struct{}
	// leaving is set once the server has said that nothing more is answered.
	leaving atomic.Bool
	// hard: the connection is reset rather than closed in good order.
	hard bool
	// begun is set by an act that has begun TLS in its own way.
	begun bool
	// to and code are of the message being talked about, for servers that quote what they were sent.
	to, code string
}

// secure begins TLS; the handshake is made by the first read.
func (c *line) secure(config *tls.Config) {
	c.Conn = tls.Server(c.tcp, config)
	c.r = bufio.NewReaderSize(c.Conn, 64<<10)
	c.begun = true
}

// act is what a server does at one step. It returns false to end the connection.
type act func(c *line) bool

// send writes bytes as they are.
func send(text string) act {
	return func(c *line) bool {
		_, err := io.WriteString(c.Conn, text)
		return err == nil
	}
}

// say writes lines of a mail server.
func say(lines ...string) act { return send(strings.Join(lines, "\r\n") + "\r\n") }

// then does one act after the other.
func then(acts ...act) act {
	return func(c *line) bool {
		for _, do := range acts {
			if !do(c) {
				return false
			}
		}
		return true
	}
}

// finish closes as a machine does whose program ended: FIN, without TLS's goodbye.
func finish(*line) bool { return false }

// reset closes with RST.
func reset(c *line) bool {
	c.hard = true
	return false
}

// hear waits until the other side says something, or goes away.
func hear(c *line) bool {
	c.r.Peek(1)
	return true
}

// silent says nothing more until the other side goes away.
func silent(c *line) bool {
	io.Copy(io.Discard, c.r)
	return false
}

// endless repeats a text until nobody takes it any more.
func endless(text string) act {
	return func(c *line) bool {
		for {
			if _, err := io.WriteString(c.Conn, text); err != nil {
				return false
			}
		}
	}
}

// trickle writes one byte after the other, a few milliseconds apart.
func trickle(text string) act { return drip(text, 5*time.Millisecond) }

// drip writes one byte at each tick and ends the connection if that fails.
func drip(text string, every time.Duration) act {
	return func(c *line) bool {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := range len(text) {
			select {
			case <-tick.C:
			case <-c.stop:
				return false
			}
			if _, err := io.WriteString(c.Conn, text[i:i+1]); err != nil {
				return false
			}
		}
		return true
	}
}

// leak writes a byte from time to time, for longer than anybody waits.
func leak(text string) act { return drip(strings.Repeat(text, 1000), 100*time.Millisecond) }

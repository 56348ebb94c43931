// Package wire is an HTTP/1.1 client that costs next to nothing, for load generation on a machine it shares with the
// server: one connection, one request at a time, requests prepared as bytes, answers read into one reused buffer.
//
// It is no general client. It knows status line, Content-Length, chunked bodies and Connection: close (RFC 9112), and
// nothing of redirects, compression, cookies or TLS.
package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxAnswer is the size in bytes at which an answer is refused.
const MaxAnswer = 1 << 20

// ErrMalformed is wrapped by every error that says an answer was not HTTP/1.1 as this client knows it.
var ErrMalformed = errors.New("malformed answer")

// Answer is what a server said to one request.
type Answer struct {
	Status int
	// Body is valid until the next Do.
	Body []byte
}

// Conn is a connection that carries one request at a time. It is not safe for parallel use.
type Conn struct {
	rw      io.ReadWriter
	buf     []byte
	filled  int
	closing bool
}

// New makes a client of a connected stream.
func New(rw io.ReadWriter) *Conn { return &Conn{rw: rw, buf: make([]byte, 8<<10)} }

// Reusable is false once the server has said that it closes the connection.
func (c *Conn) Reusable() bool { return !c.closing }

// Do writes a complete request and reads its answer. After an error the connection must be given up.
func (c *Conn) Do(request []byte) (Answer, error) {
	c.filled = 0
	if _, err := c.rw.Write(request); err != nil {
		return Answer{}, err
	}
	for start := 0; ; {
		head, err := c.readHead(start)
		if err != nil {
			return Answer{}, err
		}
		if head.status >= 200 {
			return c.readBody(head)
		}
		start = head.end // an interim answer, RFC 9110 §15.2: the real one follows
	}
}

// readHead reads until the blank line of the head that begins at start.
func (c *Conn) readHead(start int) (head, error) {
	for {
		if i := bytes.Index(c.buf[start:c.filled], []byte("\r\n\r\n")); i >= 0 {
			return parseHead(c.buf[:start+i+4], start)
		}
		if err := c.fill(); err != nil {
			return head{}, err
		}
	}
}

func (c *Conn) readBody(h head) (Answer, error) {
	c.closing = h.closing
	switch {
	case h.chunked:
		body, err := c.readChunks(h.end)
		return Answer{h.status, body}, err
	case h.length < 0 && h.status != 204 && h.status != 304:
		return Answer{}, fmt.Errorf("%w: no Content-Length", ErrMalformed)
	}
	end := h.end + max(0, h.length)
	for c.filled < end {
		if err := c.fill(); err != nil {
			return Answer{}, err
		}
	}
	if c.filled > end {
		return Answer{}, fmt.Errorf("%w: %d bytes after the body", ErrMalformed, c.filled-end)
	}
	return Answer{h.status, c.buf[h.end:end]}, nil
}

// fill reads more bytes, growing the buffer when it is full. The end of the stream inside an answer is an error.
func (c *Conn) fill() error {
	if c.filled == len(c.buf) {
		if len(c.buf) >= MaxAnswer {
			return fmt.Errorf("%w: longer than %d bytes", ErrMalformed, MaxAnswer)
		}
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	n, err := c.rw.Read(c.buf[c.filled:])
	c.filled += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	if err == io.EOF && c.filled > 0 {
		err = io.ErrUnexpectedEOF
	}
	return err
}

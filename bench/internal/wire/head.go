package wire

import (
	"bytes"
	"fmt"
	"strconv"
)

// head is what an answer's status line and header fields say about reading the rest.
type head struct {
	status int
	// length is the Content-Length, -1 when there is none.
	length  int
	chunked bool
	closing bool
	// end is the offset in the buffer at which the body begins.
	end int
}

// parseHead reads buf[start:], which ends with the blank line (RFC 9112 §4 and §5).
func parseHead(buf []byte, start int) (head, error) {
	h := head{length: -1, end: len(buf)}
	line, rest, _ := bytes.Cut(buf[start:], []byte("\r\n"))
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) || line[8] != ' ' {
		return head{}, fmt.Errorf("%w: no status line", ErrMalformed)
	}
	status, ok := number(line[9:12])
	if !ok || status < 100 || len(line) > 12 && line[12] != ' ' {
		return head{}, fmt.Errorf("%w: no status code", ErrMalformed)
	}
	h.status = status
	for len(rest) > 2 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		if err := h.field(line); err != nil {
			return head{}, err
		}
	}
	return h, nil
}

// field takes one header field. The first letter decides whether it is looked at: most fields do not matter here.
func (h *head) field(line []byte) error {
	if len(line) == 0 || line[0]|0x20 != 'c' && line[0]|0x20 != 't' {
		return nil
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimSpace(value)
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		n, ok := number(value)
		if !ok || n > MaxAnswer || h.length >= 0 && h.length != n {
			return fmt.Errorf("%w: Content-Length", ErrMalformed)
		}
		h.length = n
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		if !bytes.EqualFold(value, []byte("chunked")) {
			return fmt.Errorf("%w: Transfer-Encoding", ErrMalformed)
		}
		h.chunked = true
	case bytes.EqualFold(name, []byte("Connection")):
		h.closing = bytes.EqualFold(value, []byte("close"))
	}
	return nil
}

// number reads a decimal of digits only, as RFC 9110 §8.6 wants it.
func number(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// readChunks reads a chunked body that begins at start and moves its data together (RFC 9112 §7.1).
func (c *Conn) readChunks(start int) ([]byte, error) {
	end, at := start, start
	for {
		line, next, err := c.readLine(at)
		if err != nil {
			return nil, err
		}
		hex, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(hex)), 16, 20)
		if err != nil {
			return nil, fmt.Errorf("%w: chunk size", ErrMalformed)
		}
		if size == 0 {
			return c.buf[start:end], c.readTrailer(next)
		}
		for c.filled < next+int(size)+2 {
			if err := c.fill(); err != nil {
				return nil, err
			}
		}
		end += copy(c.buf[end:], c.buf[next:next+int(size)])
		at = next + int(size)
		if c.buf[at] != '\r' || c.buf[at+1] != '\n' {
			return nil, fmt.Errorf("%w: chunk end", ErrMalformed)
		}
		at += 2
	}
}

// readTrailer skips the fields after the last chunk, up to and including the blank line.
func (c *Conn) readTrailer(at int) error {
	for {
		line, next, err := c.readLine(at)
		if err != nil {
			return err
		}
		if len(line) > 0 {
			at = next
			continue
		}
		if c.filled > next {
			return fmt.Errorf("%w: %d bytes after the body", ErrMalformed, c.filled-next)
		}
		return nil
	}
}

// readLine returns the line at an offset without its CRLF, and the offset of the one after it.
func (c *Conn) readLine(at int) (line []byte, next int, err error) {
	for {
		if i := bytes.Index(c.buf[at:c.filled], []byte("\r\n")); i >= 0 {
			return c.buf[at : at+i], at + i + 2, nil
		}
		if err := c.fill(); err != nil {
			return nil, 0, err
		}
	}
}

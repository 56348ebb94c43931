package sink

import (
	"bufio"
	"bytes"
	"io"
)

// The replies, RFC 5321 §4.2 with the enhanced codes of RFC 3463. One recipient a transaction is enough: a passcode is
// written to one mailbox, and a message to two would be a fault worth seeing.
const (
	greeting   = "220 bench.test ESMTP\r\n"
	extensions = "250-bench.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n" +
		"250 SIZE 1048576\r\n"
	hello      = "250 bench.test\r\n"
	fine       = "250 2.0.0 OK\r\n"
	goAhead    = "354 go ahead\r\n"
	bye        = "221 2.0.0 bye\r\n"
	badSyntax  = "501 5.5.4 address expected\r\n"
	badOrder   = "503 5.5.1 not now\r\n"
	unknown    = "500 5.5.2 unknown command\r\n"
	oneOnly    = "452 4.5.3 one recipient a message\r\n"
	longLine   = "500 5.5.2 line too long\r\n"
	lineLength = 8 << 10
)

// session is one connection. A transaction is from, then to, then data.
type session struct {
	r       *bufio.Reader
	w       *bufio.Writer
	receive Receiver
	from    bool
	to      []byte
	subject []byte
}

func newSession(rw io.ReadWriter, receive Receiver) *session {
	return &session{r: bufio.NewReaderSize(rw, lineLength), w: bufio.NewWriterSize(rw, 1<<10), receive: receive}
}

// serve answers until the client quits or the connection fails. Replies are held back while more commands of a
// pipeline wait in the buffer (RFC 2920 §3.2).
func (s *session) serve() {
	s.w.WriteString(greeting)
	for {
		if s.r.Buffered() == 0 && s.w.Flush() != nil {
			return
		}
		line, err := s.r.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			s.w.WriteString(longLine)
			s.w.Flush()
			return
		}
		if err != nil || !s.command(bytes.TrimRight(line, "\r\n")) {
			s.w.Flush()
			return
		}
	}
}

// command answers one line; false ends the session.
func (s *session) command(line []byte) bool {
	verb, argument, _ := bytes.Cut(line, []byte(" "))
	switch {
	case is(verb, "MAIL"):
		s.mail(argument)
	case is(verb, "RCPT"):
		s.rcpt(argument)
	case is(verb, "DATA"):
		return s.data()
	case is(verb, "EHLO"):
		s.reset()
		s.w.WriteString(extensions)
	case is(verb, "HELO"):
		s.reset()
		s.w.WriteString(hello)
	case is(verb, "RSET"):
		s.reset()
		s.w.WriteString(fine)
	case is(verb, "NOOP"):
		s.w.WriteString(fine)
	case is(verb, "QUIT"):
		s.w.WriteString(bye)
		return false
	default:
		s.w.WriteString(unknown)
	}
	return true
}

func is(verb []byte, name string) bool { return bytes.EqualFold(verb, []byte(name)) }

func (s *session) reset() { s.from, s.to = false, s.to[:0] }

func (s *session) mail(argument []byte) {
	_, ok := path(argument, "FROM:")
	switch {
	case s.from:
		s.w.WriteString(badOrder)
	case !ok:
		s.w.WriteString(badSyntax)
	default:
		s.from = true
		s.w.WriteString(fine)
	}
}

func (s *session) rcpt(argument []byte) {
	address, ok := path(argument, "TO:")
	switch {
	case !s.from:
		s.w.WriteString(badOrder)
	case !ok || len(address) == 0:
		s.w.WriteString(badSyntax)
	case len(s.to) > 0:
		s.w.WriteString(oneOnly)
	default:
		s.to = append(s.to[:0], address...)
		s.w.WriteString(fine)
	}
}

// path is the address in FROM:<…> or TO:<…> (RFC 5321 §4.1.2); parameters after it are ignored.
func path(argument []byte, prefix string) ([]byte, bool) {
	if len(argument) < len(prefix) || !bytes.EqualFold(argument[:len(prefix)], []byte(prefix)) {
		return nil, false
	}
	address, ok := bytes.CutPrefix(bytes.TrimLeft(argument[len(prefix):], " "), []byte("<"))
	if !ok {
		return nil, false
	}
	address, _, ok = bytes.Cut(address, []byte(">"))
	return address, ok
}

package sink

import (
	"bufio"
	"bytes"
)

// data takes a message (RFC 5321 §4.1.1.4). The receiver is told before the client is, so that a message counts even
// if the reply never arrives.
func (s *session) data() bool {
	if !s.from || len(s.to) == 0 {
		s.w.WriteString(badOrder)
		return true
	}
	s.w.WriteString(goAhead)
	if s.w.Flush() != nil {
		return false
	}
	if !s.readHeader() {
		return false
	}
	s.receive(s.to, Code(s.subject))
	s.reset()
	s.w.WriteString(fine)
	return true
}

// readHeader reads a message to its end and keeps the subject, unfolded (RFC 5322 §2.2.3).
func (s *session) readHeader() bool {
	s.subject = s.subject[:0]
	inSubject := false
	for {
		line, whole, err := s.line()
		switch {
		case err != nil:
			return false
		case isEnd(line):
			return true
		case len(line) == 0:
			return s.skipBody()
		case inSubject && (line[0] == ' ' || line[0] == '\t'):
			s.subject = append(s.subject, line...)
		default:
			inSubject = len(line) >= 8 && line[7] == ':' && bytes.EqualFold(line[:7], []byte("Subject"))
			if inSubject {
				s.subject = append(s.subject[:0], bytes.TrimSpace(line[8:])...)
			}
		}
		if !whole {
			return false
		}
	}
}

// skipBody reads up to the line that holds only a dot.
func (s *session) skipBody() bool {
	for start := true; ; {
		line, whole, err := s.line()
		if err != nil {
			return false
		}
		if start && whole && isEnd(line) {
			return true
		}
		start = whole
	}
}

func isEnd(line []byte) bool { return len(line) == 1 && line[0] == '.' }

// line reads up to CRLF, or a buffer full of a longer line, of which it says that it is not whole.
func (s *session) line() (line []byte, whole bool, err error) {
	line, err = s.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		return line, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")), true, nil
}

package rest

import (
	"fmt"
	"math"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/front"
)

// maxDepth bounds the nesting of what is skipped; no request of ours nests deeper than two.
const maxDepth = 32

// maxFaults is how many members an answer names before it stops looking.
const maxFaults = 16

// scanner reads one JSON text (RFC 8259) more strictly than encoding/json does: it knows the path of every value,
// and refuses half surrogates and duplicate members rather than guessing what was meant. Bytes are valid UTF-8
// before it starts. After the first syntax error it reads nothing more.
type scanner struct {
	b []byte
	i int
	// field is the path of the member being read.
	field  string
	faults []front.FieldError
	syntax string
}

// broken notes a syntax error. The text itself is not repeated: it may hold a code.
func (s *scanner) broken(what string) {
	if s.syntax == "" {
		s.syntax = fmt.Sprintf("At byte %d: %s.", s.i, what)
	}
	s.i = len(s.b)
}

// fault notes that the member being read cannot be used.
func (s *scanner) fault(format string, args ...any) {
	if len(s.faults) < maxFaults {
		s.faults = append(s.faults, front.FieldError{Field: s.field, Detail: fmt.Sprintf(format, args...)})
	}
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// take consumes c if it is next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c || s.i >= len(s.b) {
		return false
	}
	s.i++
	return true
}

// kind names the value that is next.
func (s *scanner) kind() string {
	switch c := s.peek(); {
	case c == '"':
		return "a string"
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == 't' || c == 'f':
		return "a boolean"
	case c == 'n':
		return "null"
	case c == '-' || '0' <= c && c <= '9':
		return "a number"
	}
	return ""
}

// wants reports whether a value of that kind is next; if not, it says so and skips what is there.
func (s *scanner) wants(kind string) bool {
	got := s.kind()
	if got == kind {
		return true
	}
	if got != "" {
		hint := ""
		if got == "null" && s.field != "" {
			hint = "; leave the member out instead"
		}
		s.fault("must be %s, not %s%s", kind, got, hint)
	}
	s.skip(0)
	return false
}

// object calls each for every member, with the cursor on its value. each reads or skips it.
func (s *scanner) object(each func(name string)) {
	s.take('{')
	if s.take('}') {
		return
	}
	for {
		if s.peek() != '"' {
			s.broken("a member name in double quotes is expected")
			return
		}
		name := s.quoted()
		if !s.take(':') {
			s.broken("a colon is expected after a member name")
			return
		}
		each(name)
		if s.take(',') {
			continue
		}
		if !s.take('}') {
			s.broken("a comma or a closing brace is expected")
		}
		return
	}
}

// skip reads a value of any kind and forgets it.
func (s *scanner) skip(depth int) {
	if depth > maxDepth {
		s.broken("values are nested too deeply")
		return
	}
	switch s.kind() {
	case "a string":
		s.quoted()
	case "a number":
		s.digits()
	case "an object":
		s.object(func(string) { s.skip(depth + 1) })
	case "an array":
		s.array(depth)
	case "a boolean", "null":
		s.word()
	default:
		s.broken("a value is expected")
	}
}

func (s *scanner) array(depth int) {
	s.take('[')
	if s.take(']') {
		return
	}
	for {
		s.skip(depth + 1)
		if s.take(',') {
			continue
		}
		if !s.take(']') {
			s.broken("a comma or a closing bracket is expected")
		}
		return
	}
}

func (s *scanner) word() {
	for _, word := range [...]string{"true", "false", "null"} {
		if rest := s.b[s.i:]; len(rest) >= len(word) && string(rest[:len(word)]) == word {
			s.i += len(word)
			return
		}
	}
	s.broken("a value is expected")
}

// digits reads a number (RFC 8259 §6) and returns its text.
func (s *scanner) digits() string {
	start := s.i
	run := func() bool {
		from := s.i
		for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
			s.i++
		}
		return s.i > from
	}
	next := func(set string) bool {
		for i := range len(set) {
			if s.i < len(s.b) && s.b[s.i] == set[i] {
				s.i++
				return true
			}
		}
		return false
	}
	next("-")
	ok := next("0") || run()
	if ok && next(".") {
		ok = run()
	}
	if ok && next("eE") {
		next("+-")
		ok = run()
	}
	if !ok {
		s.broken("this is not a number")
		return ""
	}
	return string(s.b[start:s.i])
}

// integer reads a whole number between low and high. 10, 10.0 and 1e1 are the same number, as in JSON Schema.
func (s *scanner) integer(low, high int) int {
	if !s.wants("a number") {
		return 0
	}
	f, err := strconv.ParseFloat(s.digits(), 64)
	if s.syntax != "" {
		return 0
	}
	if err != nil || f != math.Trunc(f) || f < float64(low) || f > float64(high) {
		s.fault("must be a whole number from %d to %d", low, high)
		return 0
	}
	return int(f)
}

// text reads a string of 1 to most characters, none of them a control character.
func (s *scanner) text(most int) string {
	if !s.wants("a string") {
		return ""
	}
	v := s.quoted()
	switch {
	case s.syntax != "":
	case v == "":
		s.fault("must not be empty")
	case len(v) > most && utf8.RuneCountInString(v) > most:
		s.fault("must have at most %d characters", most)
	case hasControl(v):
		s.fault("must not hold control characters")
	default:
		return v
	}
	return ""
}

func hasControl(v string) bool {
	for _, r := range v {
		if unicode.IsControl(r) {
			return true
		}
	}
	return false
}

// quoted reads a string.
func (s *scanner) quoted() string {
	s.i++ // the opening quote
	start := s.i
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return string(s.b[start : s.i-1])
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			s.broken("a control character inside a string")
			return ""
		}
	}
	s.broken("a string is not closed")
	return ""
}

// escaped reads on in a string whose first escape is next.
func (s *scanner) escaped(start int) string {
	out := append(make([]byte, 0, len(s.b)-start), s.b[start:s.i]...)
	for s.i < len(s.b) {
		c := s.b[s.i]
		s.i++
		switch {
		case c == '"':
			return string(out)
		case c == '\\':
			r, ok := s.escape()
			if !ok {
				s.broken("this escape means no character")
				return ""
			}
			out = utf8.AppendRune(out, r)
		case c < ' ':
			s.broken("a control character inside a string")
			return ""
		default:
			out = append(out, c)
		}
	}
	s.broken("a string is not closed")
	return ""
}

// escape reads what follows a backslash. Half of a surrogate pair is refused.
func (s *scanner) escape() (rune, bool) {
	if s.i >= len(s.b) {
		return 0, false
	}
	c := s.b[s.i]
	s.i++
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		r, ok := s.hex4()
		if !ok || !utf16.IsSurrogate(r) {
			return r, ok
		}
		if s.i+1 >= len(s.b) || s.b[s.i] != '\\' || s.b[s.i+1] != 'u' {
			return 0, false
		}
		s.i += 2
		low, ok := s.hex4()
		r = utf16.DecodeRune(r, low)
		return r, ok && r != unicode.ReplacementChar
	}
	return 0, false
}

func (s *scanner) hex4() (rune, bool) {
	if s.i+4 > len(s.b) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s.b[s.i:s.i+4]), 16, 16)
	s.i += 4
	return rune(n), err == nil
}

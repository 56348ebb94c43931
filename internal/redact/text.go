package redact

import "strings"

// Text returns s with addresses, numbers, tokens and named secrets masked. A text that holds none is returned as it
// is, without allocating. Masking twice changes nothing.
func Text(s string) string {
	var out strings.Builder
	written := 0
	for i := 0; i < len(s); {
		m, found := match(s, written, i)
		if !found {
			i++
			continue
		}
		out.WriteString(s[written:m.start])
		out.WriteString(m.mask)
		written, i = m.end, max(m.end, i+1)
	}
	if written == 0 {
		return s
	}
	out.WriteString(s[written:])
	return out.String()
}

// span is a part of a text and what stands in its place.
type span struct {
	start, end int
	mask       string
}

// match looks for something to mask that announces itself at s[i]; what stands before from is already written.
func match(s string, from, i int) (span, bool) {
	switch c := s[i]; {
	case c == '@':
		return email(s, from, i, i+1)
	case c == '+':
		return phone(s, i, i+1)
	case c == '%':
		return escaped(s, from, i)
	case c == ':' && strings.HasPrefix(s[i:], "://"):
		return userinfo(s, i+3)
	case c == '=' || c == ':':
		return assignment(s, from, i)
	case i > 0 && alphanumeric(s[i-1]):
		return span{}, false
	case digit(c):
		return leadingCode(s, i)
	default:
		return word(s, i)
	}
}

// escaped finds the percent-encoded forms of @ and +, as in a query.
func escaped(s string, from, i int) (span, bool) {
	if len(s) < i+3 {
		return span{}, false
	}
	switch {
	case s[i+1] == '4' && s[i+2] == '0':
		return email(s, from, i, i+3)
	case s[i+1] == '2' && s[i+2]|0x20 == 'b':
		return phone(s, i, i+3)
	}
	return span{}, false
}

package redact

import (
	"strings"
	"unicode/utf8"
)

// email masks the address around an at sign that stands in s[at:after], as l***@e***.org.
func email(s string, from, at, after int) (span, bool) {
	start := localStart(s, from, at)
	end := domainEnd(s, after)
	if start == at || end == after {
		return span{}, false
	}
	domain := s[after:end]
	top := ""
	if dot := strings.LastIndexByte(domain, '.'); dot > 0 && domain[0] != '[' {
		domain, top = domain[:dot], domain[dot:]
	}
	return span{start, end, initial(s[start:at]) + "***" + s[at:after] + initial(domain) + "***" + top}, true
}

// localStart is where the local part that ends at i begins (RFC 5322 §3.4.1: atoms and dots, or a quoted string).
func localStart(s string, from, i int) int {
	if i > from+1 && s[i-1] == '"' {
		if open := strings.LastIndexByte(s[from:i-1], '"'); open >= 0 {
			return from + open
		}
	}
	start := i
	for start > from && localByte(s[start-1]) {
		start--
	}
	if start < i && (s[start] == '/' || (start > 0 && s[start-1] == ':')) { // part of a URL, not a local part with slashes
		if cut := strings.LastIndexAny(s[start:i], "/?&="); cut >= 0 && start+cut+1 < i {
			start += cut + 1
		}
	}
	return start
}

func localByte(c byte) bool {
	return alphanumeric(c) || c >= utf8.RuneSelf || strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) >= 0
}

// domainEnd is where the domain or address literal that begins at i ends.
func domainEnd(s string, i int) int {
	if i < len(s) && s[i] == '[' {
		if length := strings.IndexByte(s[i:], ']'); length > 0 {
			return i + length + 1
		}
		return i
	}
	end := i
	for end < len(s) && (alphanumeric(s[end]) || s[end] >= utf8.RuneSelf || strings.IndexByte("-._*", s[end]) >= 0) {
		end++
	}
	for end > i && (s[end-1] == '.' || s[end-1] == '-') {
		end--
	}
	return end
}

// initial is the first character of a part of an address, nothing when that would be the whole of it.
func initial(part string) string {
	r, size := utf8.DecodeRuneInString(part)
	if size == len(part) || r == '*' || r == '[' || r == '"' {
		return ""
	}
	return part[:size]
}

// phone masks the international number whose digits begin at i, as +331•••••89. It is 7 to 15 digits (E.164 §6.2.1
// allows at most 15), with spaces, dots, dashes or brackets between them.
func phone(s string, start, i int) (span, bool) {
	if start > 0 && alphanumeric(s[start-1]) {
		return span{}, false
	}
	var digits [15]byte
	n, end := 0, i
	for gap := 0; i < len(s) && gap <= 2; i++ {
		switch {
		case digit(s[i]):
			if n == len(digits) {
				return span{}, false
			}
			digits[n] = s[i]
			n, gap, end = n+1, 0, i+1
		case strings.IndexByte(" -.()", s[i]) >= 0:
			gap++
		default:
			gap = 3
		}
	}
	if n < 7 {
		return span{}, false
	}
	head, tail := 3, 2
	if n < 10 {
		head, tail = 2, 1
	}
	return span{start, end, "+" + string(digits[:head]) + "•••••" + string(digits[n-tail:n])}, true
}

package redact

import "strings"

// skip is the first index from i on whose byte is not in set.
func skip(s string, i int, set string) int {
	for i < len(s) && strings.IndexByte(set, s[i]) >= 0 {
		i++
	}
	return i
}

// indexAny is the first index from i on whose byte is in set, the length of s when there is none.
func indexAny(s string, i int, set string) int {
	for i < len(s) && strings.IndexByte(set, s[i]) < 0 {
		i++
	}
	return i
}

// valueEnd is where an unquoted value that begins at i ends.
func valueEnd(s string, i int) int { return indexAny(s, i, " \t\r\n\"'<>,;&)]}") }

// wordBefore is the word that ends before i, with one space or dash between.
func wordBefore(s string, i int) string {
	if i == 0 || strings.IndexByte(" -_", s[i-1]) < 0 {
		return ""
	}
	start := i - 1
	for start > 0 && alphanumeric(s[start-1]) {
		start--
	}
	return s[start : i-1]
}

// hasFold reports whether s begins with small, a text in small letters, whatever the case in s.
func hasFold(s, small string) bool {
	return len(s) >= len(small) && strings.EqualFold(s[:len(small)], small)
}

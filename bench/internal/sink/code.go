package sink

import (
	"bytes"
	"mime"
)

// Code finds the passcode in a subject: the first 4 to 12 digits that no letter or digit touches. An encoded subject
// (RFC 2047) is decoded first. The result is empty when there is none.
func Code(subject []byte) []byte {
	if bytes.Contains(subject, []byte("=?")) {
		var words mime.WordDecoder
		if plain, err := words.DecodeHeader(string(subject)); err == nil {
			subject = []byte(plain)
		}
	}
	for i := 0; i < len(subject); {
		if !isWord(subject[i]) {
			i++
			continue
		}
		end := i
		digits := true
		for ; end < len(subject) && isWord(subject[end]); end++ {
			digits = digits && subject[end] >= '0' && subject[end] <= '9'
		}
		if digits && end-i >= 4 && end-i <= 12 {
			return subject[i:end]
		}
		i = end
	}
	return nil
}

// isWord tells ASCII letters and digits from what stands between words. Everything beyond ASCII stands between: in
// Japanese a code touches the words around it.
func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

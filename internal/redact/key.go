package redact

import "strings"

// secretKey reports whether a value under this key is a secret: one of the key's words says so, and the last word
// does not say that only a fact about the secret follows. Words end at an underscore, a dash, a dot, a space or a
// capital letter: oneTimeCode, one_time_code and X-Api-Key all count.
func secretKey(key string) bool {
	var words wordScanner
	words.text = key
	secret, last, before := false, "", ""
	for words.next() {
		before, last = last, words.word()
		secret = secret || secretWord(last, before)
	}
	return secret && !factWord(last)
}

// wordScanner walks the words of a key without allocating.
type wordScanner struct {
	text       string
	start, end int
}

func (w *wordScanner) next() bool {
	i := w.end
	for i < len(w.text) && !alphanumeric(w.text[i]) {
		i++
	}
	w.start = i
	for i < len(w.text) && alphanumeric(w.text[i]) && (i == w.start || !w.capitalAt(i)) {
		i++
	}
	w.end = i
	return w.end > w.start
}

// capitalAt reports whether a new word begins at i: after a small letter, or where an abbreviation ends, as in OTPCode.
func (w *wordScanner) capitalAt(i int) bool {
	if !upper(w.text[i]) {
		return false
	}
	return !upper(w.text[i-1]) || (i+1 < len(w.text) && lower(w.text[i+1]))
}

func (w *wordScanner) word() string { return w.text[w.start:w.end] }

// secretWord reports whether a word names a secret. A code is one unless the word before it says which other kind of
// code it is, as in status_code.
func secretWord(word, before string) bool {
	if len(word) < 3 || len(word) > 24 {
		return false
	}
	var buf [24]byte
	switch small(&buf, word) {
	case "code", "codes", "onetimecode":
		return !codeOfAnotherKind(before)
	case "otp", "totp", "pin", "key", "apikey", "functionkey", "privatekey", "jwt", "bearer", "authorization",
		"cookie", "cookies", "pwd", "passwd", "credential", "credentials", "signature", "tokens", "secrets",
		"passwords", "passcodes":
		return true
	}
	for _, end := range [...]string{"password", "passcode", "secret", "token"} {
		if len(word) >= len(end) && strings.EqualFold(word[len(word)-len(end):], end) {
			return true
		}
	}
	return false
}

func codeOfAnotherKind(before string) bool {
	if len(before) > 24 {
		return false
	}
	var buf [24]byte
	switch small(&buf, before) {
	case "status", "error", "exit", "http", "smtp", "reply", "response", "enhanced", "country", "language",
		"currency", "reason", "provider", "result":
		return true
	}
	return false
}

// factWord reports whether the last word of a key says that a fact about a secret follows, not the secret.
func factWord(word string) bool {
	if len(word) > 24 {
		return false
	}
	var buf [24]byte
	switch small(&buf, word) {
	case "id", "ids", "length", "count", "type", "kind", "name", "at", "lifetime", "expiry", "expires", "alphabet",
		"tries", "status", "state", "file", "path", "size", "bytes", "ttl", "version", "age", "class", "budget",
		"ring", "created", "revoked", "issued", "error", "valid":
		return true
	}
	return false
}

// small is word in small letters, kept in buf; word is no longer than buf.
func small(buf *[24]byte, word string) string {
	plain := true
	for i := range len(word) {
		plain = plain && !upper(word[i])
	}
	if plain {
		return word
	}
	for i := range len(word) {
		buf[i] = word[i]
		if upper(word[i]) {
			buf[i] += 'a' - 'A'
		}
	}
	return string(buf[:len(word)])
}

func upper(c byte) bool        { return 'A' <= c && c <= 'Z' }
func lower(c byte) bool        { return 'a' <= c && c <= 'z' }
func digit(c byte) bool        { return '0' <= c && c <= '9' }
func alphanumeric(c byte) bool { return upper(c) || lower(c) || digit(c) }

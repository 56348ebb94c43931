package provider

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/outbox"
)

const maxDetail = 200

// privateWords lists the spellings of credentials that a server could send back.
func privateWords(username, password string) []string {
	if username == "" && password == "" {
		return nil
	}
	words := []string{
		base64.StdEncoding.EncodeToString([]byte("\x00" + username + "\x00" + password)),
		base64.StdEncoding.EncodeToString([]byte("user=" + username + "\x01auth=Bearer " + password + "\x01\x01")),
	}
	for _, w := range []string{password, username} {
		if len(w) > 2 { // shorter ones would take every other word apart
			words = append(words, w, base64.StdEncoding.EncodeToString([]byte(w)))
		}
	}
	return words
}

// scrub makes a stranger's text fit to be stored and shown: one line of at most maxDetail bytes, without the code,
// the credentials, the recipient's name or any other mailbox. Servers like to repeat what they were sent.
func scrub(text string, m *outbox.Message, private []string) string {
	text = oneLine(text)
	for _, w := range private {
		text = replaceFold(text, w)
	}
	text = maskMailboxes(text)
	if local, _, ok := strings.Cut(m.To, "@"); ok && len(local) > 2 {
		text = replaceFold(text, local)
	} else { // a number, which many write without its plus
		text = replaceFold(text, strings.TrimPrefix(m.To, "+"))
	}
	text = replaceFold(text, m.Code)
	return cut(strings.TrimSpace(text), maxDetail)
}

// replaceFold replaces every occurrence of secret, in any case, by three dots.
func replaceFold(text, secret string) string {
	if secret == "" {
		return text
	}
	var b strings.Builder
	for {
		i := indexFold(text, secret)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		b.WriteString("...")
		text = text[i+len(secret):]
	}
}

func indexFold(text, part string) int {
	for i := 0; i+len(part) <= len(text); i++ {
		if strings.EqualFold(text[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

// maskMailboxes takes the part before each @ away.
func maskMailboxes(text string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(text, '@')
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		start := i
		for start > 0 {
			r, size := utf8.DecodeLastRuneInString(text[:start])
			if unicode.IsSpace(r) || strings.ContainsRune("<>()[]\"',;:", r) {
				break
			}
			start -= size
		}
		b.WriteString(text[:start])
		b.WriteString("...@")
		text = text[i+1:]
	}
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

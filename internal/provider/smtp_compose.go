package provider

import (
	"bytes"
	"fmt"
	"net/mail"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"

	"github.com/otpost/otpost/internal/outbox"
)

// maxHeaderText keeps a header line without spaces below the 998 bytes of RFC 5322 §2.1.1.
const maxHeaderText = 300

// composer turns a Message into the text of a mail.
type composer struct {
	from     mail.Address
	envelope string
	replyTo  *mail.Address // nil for the sender's own
	domain   string
	now      func() time.Time
	buffers  sync.Pool
}

func newComposer(s smtpSettings, now func() time.Time) (*composer, error) {
	from, err := parseSender(s.From)
	if err != nil {
		return nil, fmt.Errorf("setting from: %w", err)
	}
	if s.FromName != "" {
		from.Name = s.FromName
	}
	if s.EnvelopeSender != "" && !plainAddress(s.EnvelopeSender) {
		return nil, fmt.Errorf("setting envelope_sender: want an address alone")
	}
	c := &composer{from: *from, envelope: s.EnvelopeSender, domain: domainOf(from.Address), now: now}
	c.buffers.New = func() any { return new(transaction) }
	return c, nil
}

// transaction is one mail ready to be submitted.
type transaction struct {
	from, to  string
	messageID string
	// text is the mail with CRLF line ends, dots stuffed and the final dot (RFC 5321 §4.5.2): what follows DATA.
	text []byte

	plain bytes.Buffer
	pool  *sync.Pool
}

// release gives the buffers back for the next message.
func (t *transaction) release() {
	clear(t.text) // it held a live code
	clear(t.plain.Bytes())
	t.pool.Put(t)
}

// compose writes the mail. It is the same on every try but for its Date.
func (c *composer) compose(id string, m *outbox.Message) (*transaction, *outbox.Fault) {
	switch {
	case m.Channel != outbox.Email:
		return nil, outbox.Faultf(outbox.Account, "", "smtp carries email only; take it out of the route for %s", m.Channel)
	case !plainAddress(m.To):
		return nil, outbox.Faultf(outbox.InvalidRecipient, "", "the address is not one that SMTP can carry")
	case !idWord(id):
		return nil, outbox.Faultf(outbox.RejectedContent, "", "the delivery id cannot be part of a Message-ID")
	}
	from := c.from
	if m.FromName != "" {
		from.Name = m.FromName
	}
	if m.From != "" {
		if !plainAddress(m.From) {
			return nil, outbox.Faultf(outbox.Account, "", "the sender's address is not one that SMTP can carry")
		}
		from.Address = m.From
	}
	from.Name = cut(oneLine(from.Name), maxHeaderText)
	t := c.buffers.Get().(*transaction)
	t.pool = &c.buffers
	t.from, t.to = from.Address, m.To
	if c.envelope != "" {
		t.from = c.envelope
	}
	t.messageID = id + "@" + domainOf(from.Address)
	t.plain.Reset()
	if _, err := c.mail(id, t, &from, m).WriteTo(&t.plain); err != nil {
		t.release()
		return nil, outbox.Faultf(outbox.RejectedContent, "", "the message cannot be written as mail")
	}
	t.text = appendDotted(t.text[:0], t.plain.Bytes())
	t.messageID = "<" + t.messageID + ">"
	return t, nil
}

func (c *composer) mail(id string, t *transaction, from *mail.Address, m *outbox.Message) *gomail.Msg {
	// The boundary is unknown to whoever wrote the text, since the id is random and newer than the text.
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary("otpost-"+id))
	msg.FromMailAddress(from)
	msg.ToMailAddress(&mail.Address{Address: m.To})
	if c.replyTo != nil {
		msg.ReplyToMailAddress(c.replyTo)
	}
	msg.Subject(cut(oneLine(m.Subject), maxHeaderText))
	msg.SetMessageIDWithValue(t.messageID)
	msg.SetDateWithValue(c.now())
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")  // [MS-OXCMAIL] §2.1.3.2.14
	msg.SetGenHeader("X-Entity-Ref-ID", id)              // keeps a client from folding two codes into one thread
	if languageTag(m.Language) {
		msg.SetGenHeader(gomail.HeaderContentLang, m.Language) // RFC 3282 §2
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text, gomail.WithPartEncoding(encodingFor(m.Text)))
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML, gomail.WithPartEncoding(encodingFor(m.HTML)))
	}
	return msg
}

// encodingFor takes base64 where quoted-printable would be the longer of the two.
func encodingFor(text string) gomail.Encoding {
	wide := 0
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			wide++
		}
	}
	if wide*6 > len(text) {
		return gomail.EncodingB64
	}
	return gomail.EncodingQP
}

// oneLine replaces control characters, line ends among them, and broken UTF-8 by spaces.
func oneLine(s string) string {
	bad := func(r rune) bool {
		return unicode.IsControl(r) || r == utf8.RuneError || r == '\u2028' || r == '\u2029'
	}
	if strings.IndexFunc(s, bad) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if bad(r) {
			return ' '
		}
		return r
	}, s)
}

// idWord reports whether s can stand in a Message-ID and, behind a prefix, in a MIME boundary (RFC 2046 §5.1.1).
func idWord(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '_' && s[i] != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 60
}

// languageTag reports whether s has the letters of a BCP 47 tag.
func languageTag(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && s[i] != '-' {
			return false
		}
	}
	return s != "" && len(s) <= 35
}

func domainOf(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }

// appendDotted appends text, which has CRLF line ends, with every line that begins with a dot given another, and the
// line that ends it.
func appendDotted(to, text []byte) []byte {
	if len(text) > 0 && text[0] == '.' {
		to = append(to, '.')
	}
	for {
		i := bytes.Index(text, []byte("\n."))
		if i < 0 {
			break
		}
		to = append(to, text[:i+2]...)
		to = append(to, '.')
		text = text[i+2:]
	}
	to = append(to, text...)
	if !bytes.HasSuffix(text, []byte("\r\n")) {
		to = append(to, "\r\n"...)
	}
	return append(to, ".\r\n"...)
}

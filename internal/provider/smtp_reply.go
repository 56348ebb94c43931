package provider

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"strings"

	gosmtp "github.com/wneessen/go-mail/smtp"

	"github.com/otpost/otpost/internal/outbox"
)

// parseReplyLine reads one line of a reply: three digits, a space or a hyphen, text (RFC 5321 §4.2.1).
func parseReplyLine(line []byte) (code int, text []byte, more, ok bool) {
	line = bytes.TrimRight(line, "\r\n")
	if len(line) < 3 {
		return 0, nil, false, false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return 0, nil, false, false
		}
		code = code*10 + int(c-'0')
	}
	if len(line) == 3 {
		return code, nil, false, true
	}
	if line[3] != ' ' && line[3] != '-' {
		return 0, nil, false, false
	}
	return code, line[4:], line[3] == '-', true
}

// enhanced is the detail of a reply that the code alone does not tell: subject and detail of RFC 3463 §2, such as 1
// and 1 of 5.1.1. The zero value is none.
type enhanced struct{ subject, detail int }

// parseEnhanced reads the enhanced status code that opens a reply's text (RFC 2034 §4). One that contradicts the
// code's first digit is not believed.
func parseEnhanced(code int, text string) (enhanced, string) {
	word, rest, _ := strings.Cut(text, " ")
	class, tail, ok := strings.Cut(word, ".")
	subject, detail, ok2 := strings.Cut(tail, ".")
	if !ok || !ok2 || len(class) != 1 || int(class[0]-'0') != code/100 {
		return enhanced{}, text
	}
	s, okS := smallNumber(subject)
	d, okD := smallNumber(detail)
	if !okS || !okD {
		return enhanced{}, text
	}
	return enhanced{s, d}, rest
}

func smallNumber(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, s != "" && len(s) <= 3
}

// enhancedClasses says what permanent failures mean, after the IANA registry of SMTP enhanced status codes. What is
// not here is decided by the code.
var enhancedClasses = map[enhanced]outbox.Class{
	{1, 1}:  outbox.InvalidRecipient, // no such mailbox
	{1, 2}:  outbox.InvalidRecipient, // no such domain
	{1, 3}:  outbox.InvalidRecipient, // malformed
	{1, 6}:  outbox.InvalidRecipient, // mailbox has moved
	{1, 10}: outbox.InvalidRecipient, // the domain takes no mail (RFC 7505 §4.2)
	{1, 7}:  outbox.Account,          // our sender's address is malformed
	{1, 8}:  outbox.Account,          // our sender's domain does not exist
	{2, 1}:  outbox.InvalidRecipient, // mailbox disabled
	{2, 2}:  outbox.Transient,        // mailbox full: it may be emptied while the code lives
	{3, 4}:  outbox.RejectedContent,  // too big
	{4, 4}:  outbox.InvalidRecipient, // no route to the domain
	{4, 5}:  outbox.Quota,            // Gmail's word for a day's limit; congestion in the registry
	{7, 1}:  outbox.RejectedContent,  // a refusal by rule
	{7, 3}:  outbox.Account,          // Outlook's word for a bad login
	{7, 8}:  outbox.Account,          // bad credentials
	{7, 9}:  outbox.Account,          // mechanism too weak
	{7, 11}: outbox.Account,          // encryption needed for the mechanism
	{7, 20}: outbox.Account,          // no passing DKIM signature
	{7, 23}: outbox.Account,          // SPF
	{7, 25}: outbox.Account,          // no reverse DNS
	{7, 26}: outbox.Account,          // no authentication passed
	{7, 27}: outbox.Account,          // our sender's domain takes no mail
}

// classOf judges a refusal: by enhanced code, then by code, where the step says whom a code speaks of.
func classOf(step string, code int, text string) outbox.Class {
	e, words := parseEnhanced(code, text)
	if code/100 == 4 {
		return temporaryClass(code, words)
	}
	switch code {
	case 530, 534, 535, 538: // RFC 4954 §6
		return outbox.Account
	}
	switch step {
	case "greeting", "EHLO", "STARTTLS", "AUTH":
		return outbox.Account // the server does not want us, whoever the mail is for
	}
	if class, ok := enhancedClasses[e]; ok {
		return class
	}
	switch {
	case code >= 500 && code <= 504: // we spoke wrongly; the same words again would too
		return outbox.RejectedContent
	case step == "MAIL" && e.subject != 3:
		return outbox.Account
	case step == "RCPT" && code == 552:
		return outbox.Transient // mailbox full, without an enhanced code
	case step == "RCPT" && e.subject <= 1 && code != 554:
		return outbox.InvalidRecipient // 550, 551, 553; 556 of RFC 7504
	}
	return outbox.RejectedContent
}

func temporaryClass(code int, words string) outbox.Class {
	words = strings.ToLower(words)
	switch {
	case code != 454 || !strings.Contains(words, "throttling"): // a word of Amazon SES
		return outbox.Transient
	case strings.Contains(words, "quota"): // of a day; its other limit is a rate
		return outbox.Quota
	}
	return outbox.Throttled
}

// smtpFault turns what went wrong in a conversation into a Fault. The detail can still quote the server.
func smtpFault(err error) *outbox.Fault {
	if f := tokenFault(err); f != nil {
		return f
	}
	step := ""
	if s := (*stepError)(nil); errors.As(err, &s) {
		step = s.step
	}
	var refusal *replyError
	var library *textproto.Error
	var setup setupError
	switch {
	case errors.As(err, &refusal):
		return refusalFault(step, refusal.code, refusal.text)
	case errors.As(err, &library) && library.Code >= 400 && library.Code <= 599:
		return refusalFault(step, library.Code, library.Msg[strings.LastIndexByte(library.Msg, '\n')+1:])
	case errors.As(err, &setup):
		return outbox.Faultf(outbox.Account, "", "%s: %s", step, setup.text)
	case errors.As(err, new(*lostError)):
		return &outbox.Fault{Class: outbox.Ambiguous, Detail: "the connection ended before the reply to the message: " +
			networkDetail(err), Err: contextError(err)}
	}
	return &outbox.Fault{Class: networkClass(err), Detail: step + ": " + conversationDetail(err), Err: contextError(err)}
}

func conversationDetail(err error) string {
	for _, own := range []error{errInjected, errTooMuch, errBadReply, errUnasked, errPoolClosed, errPoolBusy} {
		if errors.Is(err, own) {
			return own.Error()
		}
	}
	if errors.As(err, new(*textproto.Error)) || errors.As(err, new(textproto.ProtocolError)) ||
		errors.As(err, new(base64.CorruptInputError)) || errors.Is(err, gosmtp.ErrUnexpectedServerChallange) ||
		errors.Is(err, gosmtp.ErrUnexpectedServerResponse) {
		return errBadReply.Error()
	}
	return networkDetail(err)
}

func refusalFault(step string, code int, text string) *outbox.Fault {
	f := &outbox.Fault{Class: classOf(step, code, text), Code: fmt.Sprint(code)}
	e, words := parseEnhanced(code, text)
	if e != (enhanced{}) {
		f.Code = fmt.Sprintf("%d %d.%d.%d", code, code/100, e.subject, e.detail)
	}
	f.Detail = step + ": " + words
	return f
}

var queueIDPattern = regexp.MustCompile(
	`(?i)(?:\bqueued as[ :]+|\bid=|^ok[ :]+(?:queued as[ :]+|id=)?)([0-9a-z][0-9a-z_.+/-]{5,79})`)

// queueID finds the name a server gave to a message in its last reply, such as "2.0.0 Ok: queued as 4F3B1C0A".
func queueID(text string) string {
	_, words := parseEnhanced(250, text)
	m := queueIDPattern.FindStringSubmatch(words)
	if m == nil || !strings.ContainsAny(m[1], "0123456789") { // "OK: queued" names nothing
		return ""
	}
	return m[1]
}

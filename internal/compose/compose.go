// Package compose says things to people: it turns a passcode and what is known about it into the message that is
// sent, in the reader's language.
//
// What the catalogues say is trusted. What comes with a passcode is not: the name of an application is a stranger's
// text that is shown to other people, so it is made inert first (see Inert) and escaped where it is written.
package compose

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/otpost/otpost/internal/locale"
	"github.com/otpost/otpost/internal/outbox"
)

// Content is what one message is about.
type Content struct {
	Channel outbox.Channel
	To      string
	// Code is 1 to 64 printable ASCII characters without spaces.
	Code string
	// Application is the name people know; empty leaves it out of the wording.
	Application string
	// Domain is the host that the origin-bound last line names, empty for no such line.
	Domain string
	// Purpose is sign_up, sign_in, password_reset, mfa or verify; anything else counts as verify.
	Purpose string
	// Locale is what the person prefers: a BCP 47 tag, an Accept-Language list, or empty.
	Locale string
	// Lifetime is how long the code works. Under a second means unknown, and the message does not speak of it.
	Lifetime time.Duration
	// Passcode is the id of the challenge, empty when the caller brought the code.
	Passcode string
}

// Composer renders messages. It may be used from many goroutines and must not be copied after first use.
type Composer struct {
	Catalogues *locale.Catalogues
	// Language is the house's preference, for people whose own suits no catalogue; after it comes English. Optional.
	Language string

	wordings sync.Map // locale.Language to *wording
}

// Errors for content that cannot be said.
var (
	ErrCode    = errors.New("compose message: the code must be 1 to 64 printable ASCII characters without spaces")
	ErrChannel = errors.New("compose message: no wording for this channel; email and sms have one")
)

// Compose renders the message. Its errors are ErrCode, ErrChannel and what CheckDomain returns; none holds the code.
func (c *Composer) Compose(content Content) (outbox.Message, error) {
	if !sendable(content.Code) {
		return outbox.Message{}, ErrCode
	}
	if content.Domain != "" {
		if err := CheckDomain(content.Domain); err != nil {
			return outbox.Message{}, err
		}
	}
	w := c.wording(c.Catalogues.Match(content.Locale, c.Language))
	p := purposeOf(content.Purpose)
	name := Inert(content.Application)
	m := outbox.Message{Channel: content.Channel, To: content.To, Language: w.language.Tag(), Code: content.Code,
		Application: name, Purpose: p.String(), Passcode: content.Passcode}
	var err error
	switch content.Channel {
	case outbox.Email:
		err = w.mail(&m, p, content)
	case outbox.SMS:
		w.sms(&m, p, content)
	default:
		err = ErrChannel
	}
	if err != nil {
		return outbox.Message{}, err
	}
	return m, nil
}

func (c *Composer) wording(l locale.Language) *wording {
	if w, ok := c.wordings.Load(l); ok {
		return w.(*wording)
	}
	w, _ := c.wordings.LoadOrStore(l, &wording{language: l})
	return w.(*wording)
}

// sendable keeps line breaks, spaces and look-alikes out of a code that a caller brought.
func sendable(code string) bool {
	return code != "" && len(code) <= 64 && strings.IndexFunc(code, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

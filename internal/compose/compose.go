// Package compose says things to people: it turns a passcode and what is known about it into the message that is
// sent, in the reader's language.
//
// What the catalogues say is trusted. What comes with a passcode is not: the name of an application is a stranger's
// text that is shown to other people, so it is made inert first (see Inert) and escaped where it is written.
package compose

import (
	"context"
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
	// ApplicationID is the application's id: a template may be for an application by its id or by its name. Optional.
	ApplicationID string
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
	// Subject is that of every mail in the built-in wording, in place of the one in the recipient's language; empty for
	// none. A template has its own.
	Subject string
	// Templates are those that may be chosen for a message, in place of the built-in wording; see Choose. It is called
	// for every message, from many goroutines. Optional.
	Templates func(Content) []*Template
	// Failed hears of a template that could not be rendered, so that the built-in wording was said. The error has the
	// place and no value of the message. Optional.
	Failed func(template string, err error)
	// House is what templates may say about who runs otpost. It is called for every message. Optional.
	House func() House
	// Now is the clock of templates that show a date; time.Now unless set.
	Now func() time.Time

	wordings sync.Map // locale.Language to *wording
}

// Errors for content that cannot be said.
var (
	ErrCode    = errors.New("compose message: the code must be 1 to 64 printable ASCII characters without spaces")
	ErrChannel = errors.New("compose message: no wording for this channel; email and sms have one")
)

// Compose renders the message by the template that fits it best, or in the built-in wording where none does or the one
// that does fails: a template never costs anybody a sign-in. Its errors are ErrCode, ErrChannel and what CheckDomain
// returns; none holds the code.
func (c *Composer) Compose(content Content) (outbox.Message, error) {
	if !sendable(content.Code) {
		return outbox.Message{}, ErrCode
	}
	if content.Domain != "" {
		if err := CheckDomain(content.Domain); err != nil {
			return outbox.Message{}, err
		}
	}
	l := c.Catalogues.Match(content.Locale, c.Language)
	p := purposeOf(content.Purpose)
	name := Inert(content.Application)
	m := outbox.Message{Channel: content.Channel, To: content.To, Language: l.Tag(), Code: content.Code,
		Application: name, Purpose: p.String(), Passcode: content.Passcode}
	if c.Templates != nil {
		if told, ok := c.told(m, l, &content); ok {
			return told, nil
		}
	}
	w := c.wording(l)
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
	if c.Subject != "" && m.Channel == outbox.Email {
		m.Subject = c.Subject
	}
	return m, nil
}

// told renders the template that fits, false when there is none or it failed.
func (c *Composer) told(m outbox.Message, l locale.Language, content *Content) (outbox.Message, bool) {
	templates := c.Templates(*content)
	if len(templates) == 0 {
		return m, false
	}
	t := Choose(templates, []string{content.ApplicationID, content.Application}, m.Purpose, m.Channel, c.Languages(content.Locale))
	if t == nil {
		return m, false
	}
	m, l = t.speak(c, m, l)
	if err := t.render(context.Background(), c, &m, l, content); err != nil {
		if c.Failed != nil {
			c.Failed(t.Document.Name, err)
		}
		return m, false
	}
	return m, true
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

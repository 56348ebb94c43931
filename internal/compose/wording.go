package compose

import (
	"html"
	"strings"
	"sync/atomic"
	"time"

	"github.com/otpost/otpost/internal/locale"
	"github.com/otpost/otpost/internal/outbox"
)

// wording is what is said in one language. Scripts are made when they are first needed, so that a language costs
// nothing until somebody reads it; two goroutines may make the same one, and it does not matter whose is kept.
type wording struct {
	language locale.Language
	mails    [purposes][2][2]atomic.Pointer[mailScript] // named or not, lasting or not
	texts    [purposes][2]atomic.Pointer[script]        // named or not
}

// mailScript is a mail cut at its slots.
type mailScript struct{ subject, text, html script }

// mail fills in subject, text and HTML. The three share one allocation.
func (w *wording) mail(m *outbox.Message, p purpose, content Content) error {
	named, lasting := m.Application != "", content.Lifetime >= time.Second
	cached := &w.mails[p][index(named)][index(lasting)]
	s := cached.Load()
	if s == nil {
		made, err := newMailScript(w.language, p, named, lasting)
		if err != nil {
			return err
		}
		cached.Store(made)
		s = made
	}
	plain := values{codeSlot: m.Code, applicationSlot: m.Application}
	if lasting {
		var words [64]byte
		plain[durationSlot] = string(w.language.AppendDuration(words[:0], content.Lifetime))
	}
	escaped := plain
	for i := range escaped {
		escaped[i] = html.EscapeString(escaped[i])
	}
	bound := boundSize("\n\n", content)
	var b strings.Builder
	b.Grow(s.subject.size(&plain) + s.text.size(&plain) + bound + s.html.size(&escaped))
	m.Subject = s.subject.fill(&b, &plain)
	start := b.Len()
	s.text.fill(&b, &plain)
	writeBound(&b, "\n\n", content)
	m.Text = b.String()[start:]
	m.HTML = s.html.fill(&b, &escaped)
	return nil
}

// sms fills in the text.
func (w *wording) sms(m *outbox.Message, p purpose, content Content) {
	named := m.Application != ""
	cached := &w.texts[p][index(named)]
	s := cached.Load()
	if s == nil {
		key := "sms.unnamed"
		if named {
			key = "sms." + p.String()
		}
		made := cut(marked(w.language.Pattern(key)))
		s = &made
		cached.Store(s)
	}
	v := values{codeSlot: m.Code, applicationSlot: m.Application}
	var b strings.Builder
	b.Grow(s.size(&v) + boundSize("\n\n", content))
	s.fill(&b, &v)
	writeBound(&b, "\n\n", content)
	m.Text = b.String()
}

// writeBound writes the line that binds the code to a domain, so that a browser or phone offers it there only: "@", the
// host, one space, "#" and the code, on a last line of its own (WICG, Origin-bound one-time codes delivered via SMS,
// §2). Apple's Mail reads the same line.
func writeBound(b *strings.Builder, before string, content Content) {
	if content.Domain == "" {
		return
	}
	b.WriteString(before)
	b.WriteByte('@')
	b.WriteString(content.Domain)
	b.WriteString(" #")
	b.WriteString(content.Code)
}

func boundSize(before string, content Content) int {
	if content.Domain == "" {
		return 0
	}
	return len(before) + len("@ #") + len(content.Domain) + len(content.Code)
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

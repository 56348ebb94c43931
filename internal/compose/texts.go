package compose

import (
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/compose/liquid"
	"github.com/otpost/otpost/internal/locale"
)

// texts are the catalogue's texts in one language, filled in for one message, as templates take them.
type texts struct {
	language                    locale.Language
	code, application, duration string
	tree                        map[string]any
}

// sayable are the keys that a template can ask for: those whose placeholders a message has values for.
func sayable(l locale.Language) []string {
	return slices.DeleteFunc(l.Keys(), func(key string) bool {
		return slices.ContainsFunc(l.Pattern(key).Slots(), func(slot string) bool { return slotNames[slot] == literal })
	})
}

// say fills in the text of a key. A text that needs what is not known, the name or the lifetime, is replaced by the
// one that does without.
func (x *texts) say(key string) (string, bool) {
	pattern := x.language.Pattern(key)
	if len(pattern) == 1 && pattern[0].Text == key {
		return "", false // no catalogue has it
	}
	slots := pattern.Slots()
	switch {
	case x.application == "" && slices.Contains(slots, "application"):
		pattern = x.language.Pattern(unnamed(key))
	case x.duration == "" && slices.Contains(slots, "duration"):
		pattern = x.language.Pattern("mail.once")
	}
	var b strings.Builder
	for _, part := range pattern {
		switch slotNames[part.Slot] {
		case literal:
			if part.Slot != "" {
				return "", false
			}
			b.WriteString(part.Text)
		case codeSlot:
			b.WriteString(x.code)
		case applicationSlot:
			b.WriteString(x.application)
		case durationSlot:
			b.WriteString(x.duration)
		}
	}
	return b.String(), true
}

// unnamed is the key of the text that does without the application's name.
func unnamed(key string) string {
	switch {
	case strings.HasPrefix(key, "sms."):
		return "sms.unnamed"
	case strings.HasSuffix(key, ".title"):
		return "mail.title.unnamed"
	}
	return "mail.subject.unnamed"
}

// below is the variable t: the texts of this purpose at its top, those of each purpose below its name. A template asks
// for it as often as it has texts, so that it is made once for each message, and each text when it is asked for.
func (x *texts) below(purpose string) map[string]any {
	if x.tree != nil {
		return x.tree
	}
	x.tree = map[string]any{"subject": x.later("mail.subject"), "expires": x.later("mail.expires"), "secret": x.later("mail.secret")}
	x.add(x.tree, purpose)
	for p := range purposes {
		name := p.String()
		x.tree[name] = liquid.Later(func() any { m := make(map[string]any, 4); x.add(m, name); return m })
	}
	return x.tree
}

func (x *texts) add(to map[string]any, purpose string) {
	for _, part := range []string{"title", "lead", "unasked"} {
		to[part] = x.later("mail." + purpose + "." + part)
	}
	to["sms"] = x.later("sms." + purpose)
}

func (x *texts) later(key string) liquid.Later {
	return func() any { s, _ := x.say(key); return known(s) }
}

package compose

import (
	"strings"

	"github.com/otpost/otpost/internal/locale"
)

// slot is a place in a script that each message fills anew.
type slot int

const (
	literal slot = iota // no slot: the piece's own text
	codeSlot
	applicationSlot
	durationSlot
	slots // how many there are
)

// values are what the slots of one message hold.
type values [slots]string

// script is a text cut at its slots, made once for each wording and filled for each message.
type script []piece

type piece struct {
	slot slot
	text string // for literal
}

// marks stand for the slots in a text until it is cut. They are private-use characters: no catalogue has them, and
// html/template passes them through.
var marks = [slots]string{codeSlot: "\ue000", applicationSlot: "\ue001", durationSlot: "\ue002"}

// slotNames are the slots' names in the catalogues.
var slotNames = map[string]slot{"code": codeSlot, "application": applicationSlot, "duration": durationSlot}

// marked is a catalogue's text with marks for its slots.
func marked(p locale.Pattern) string {
	var b strings.Builder
	for _, part := range p {
		b.WriteString(part.Text)
		b.WriteString(marks[slotNames[part.Slot]])
	}
	return b.String()
}

// cut makes a script of a marked text.
func cut(text string) script {
	var s script
	for text != "" {
		at, found := len(text), literal
		for i, mark := range marks {
			if n := strings.Index(text, mark); mark != "" && n >= 0 && n < at {
				at, found = n, slot(i)
			}
		}
		if at > 0 {
			s = append(s, piece{text: text[:at]})
		}
		if found != literal {
			s = append(s, piece{slot: found})
		}
		text = text[at+len(marks[found]):]
	}
	return s
}

// size is the length of the filled text in bytes.
func (s script) size(v *values) int {
	n := 0
	for _, p := range s {
		n += len(p.text) + len(v[p.slot])
	}
	return n
}

// fill writes the text into b and returns it.
func (s script) fill(b *strings.Builder, v *values) string {
	start := b.Len()
	for _, p := range s {
		if p.slot == literal {
			b.WriteString(p.text)
		} else {
			b.WriteString(v[p.slot])
		}
	}
	return b.String()[start:]
}

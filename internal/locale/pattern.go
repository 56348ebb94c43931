package locale

import (
	"fmt"
	"slices"
	"strings"
)

// Pattern is a text with named places to fill: "{code} is your code" has a slot and a piece of text.
type Pattern []Part

// Part is a piece of text or a slot; exactly one of the two is set.
type Part struct {
	Text string
	// Slot is the name between the braces.
	Slot string
}

// String is the pattern as the catalogue writes it.
func (p Pattern) String() string {
	if len(p) == 1 && p[0].Slot == "" {
		return p[0].Text
	}
	var b strings.Builder
	for _, part := range p {
		if part.Slot != "" {
			b.WriteString("{" + part.Slot + "}")
		} else {
			b.WriteString(part.Text)
		}
	}
	return b.String()
}

// Slots lists the names of the slots, sorted; a slot that is there twice is listed twice.
func (p Pattern) Slots() []string {
	var names []string
	for _, part := range p {
		if part.Slot != "" {
			names = append(names, part.Slot)
		}
	}
	slices.Sort(names)
	return names
}

// parsePattern cuts a text at its placeholders. A brace has no other use in a catalogue.
func parsePattern(text string) (Pattern, error) {
	var p Pattern
	for rest := text; rest != ""; {
		open := strings.IndexAny(rest, "{}")
		if open < 0 {
			return append(p, Part{Text: rest}), nil
		}
		end := strings.IndexAny(rest[open+1:], "{}")
		if rest[open] == '}' || end < 0 || rest[open+1+end] == '{' {
			return nil, fmt.Errorf("%q: a brace is not closed or not opened", text)
		}
		if open > 0 {
			p = append(p, Part{Text: rest[:open]})
		}
		name := rest[open+1 : open+1+end]
		if !isSlotName(name) {
			return nil, fmt.Errorf("%q: {%s} is not a placeholder (lower-case letters and _ only)", text, name)
		}
		p = append(p, Part{Slot: name})
		rest = rest[open+1+end+1:]
	}
	if p == nil {
		return nil, fmt.Errorf("the text is empty")
	}
	return p, nil
}

func isSlotName(name string) bool {
	for _, r := range name {
		if r != '_' && (r < 'a' || r > 'z') {
			return false
		}
	}
	return name != ""
}

package locale

import (
	"maps"
	"slices"

	"golang.org/x/text/language"
)

// Direction is the way a language is written, in the words of HTML's dir attribute.
type Direction string

// The directions.
const (
	LeftToRight Direction = "ltr"
	RightToLeft Direction = "rtl"
)

// Language is one language of a Catalogues. Values are small and comparable; get them from Match or Languages, the
// zero value is no language.
type Language struct{ c *catalogue }

// Tag is the BCP 47 tag, such as "fr" or "pt-BR".
func (l Language) Tag() string { return l.c.name }

// String is the tag.
func (l Language) String() string { return l.Tag() }

// Name is what the language calls itself, such as "français".
func (l Language) Name() string { return l.c.ownName }

// Direction is the way the language is written.
func (l Language) Direction() Direction { return l.c.direction }

// Text is a text as the catalogue has it, placeholders included. A key that no catalogue has is returned itself.
func (l Language) Text(key string) string {
	if p, ok := l.c.texts[key]; ok {
		return p.String()
	}
	return key
}

// Keys are the keys of all texts, sorted. They are the same in every language.
func (l Language) Keys() []string { return slices.Sorted(maps.Keys(l.c.texts)) }

// Pattern is a text cut at its placeholders. A key that no catalogue has is its own text. The pattern is shared and
// must not be changed.
func (l Language) Pattern(key string) Pattern {
	if p, ok := l.c.texts[key]; ok {
		return p
	}
	return Pattern{{Text: key}}
}

// DirectionOf is the way a language is written, be there a catalogue of it or not; a tag that is none is written from
// left to right.
func DirectionOf(tag string) Direction {
	parsed, err := language.Parse(tag)
	if err != nil {
		return LeftToRight
	}
	return directionOf(parsed)
}

// directionOf knows the living scripts whose letters have the bidirectional class R or AL (Unicode Standard Annex 9,
// §3.2). The script is the one the tag names or the one its language is usually written in.
func directionOf(tag language.Tag) Direction {
	script, _ := tag.Script()
	switch script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr":
		return RightToLeft
	}
	return LeftToRight
}

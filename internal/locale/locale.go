// Package locale holds what otpost says in each language: catalogues of texts, plural rules, durations in words and
// the choice of a language from what a person prefers.
//
// A language is one file, catalogue/TAG.json. To add one, write that file: nothing else lists the languages. Read
// refuses a catalogue that lacks a text, a plural form or a placeholder, so nothing can be missing once it returned.
package locale

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

//go:embed catalogue/*.json
var embedded embed.FS

// english is the tag of the reference catalogue and of the last fallback.
const english = "en"

// Catalogues are the languages that otpost speaks. They never change once read and may be shared.
type Catalogues struct {
	languages []Language // sorted by tag
	english   Language
	matcher   language.Matcher // answers with an index into answers
	answers   []Language

	mu      sync.RWMutex
	matched map[string]match // guarded by mu; at most maxMatched entries
}

// Open reads the catalogues that are part of the program.
func Open() (*Catalogues, error) {
	sub, err := fs.Sub(embedded, "catalogue")
	if err != nil {
		return nil, fmt.Errorf("open catalogues: %w", err)
	}
	return Read(sub)
}

// Read reads every TAG.json in the root of fsys. en.json must be there: it says which texts and plurals the others
// must have. The error names the file and the text at fault.
func Read(fsys fs.FS) (*Catalogues, error) {
	names, err := fs.Glob(fsys, "*.json")
	if err != nil {
		return nil, fmt.Errorf("read catalogues: %w", err)
	}
	c := &Catalogues{matched: make(map[string]match)}
	for _, name := range names {
		entry, err := readCatalogue(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read catalogue %s: %w", name, err)
		}
		c.languages = append(c.languages, Language{entry})
		if entry.name == english {
			c.english = Language{entry}
		}
	}
	if c.english.c == nil {
		return nil, fmt.Errorf("read catalogues: %s.json is missing; it is the reference for all others", english)
	}
	for _, l := range c.languages {
		if err := l.c.matches(c.english.c); err != nil {
			return nil, fmt.Errorf("read catalogue %s.json: %w", l.c.name, err)
		}
	}
	c.matcher, c.answers = newMatcher(c.languages)
	return c, nil
}

// Languages lists all languages, sorted by tag.
func (c *Catalogues) Languages() []Language { return slices.Clone(c.languages) }

// tagOf reads the language from a file name. The name must be the canonical tag, so that a language cannot be there
// twice.
func tagOf(name string) (language.Tag, error) {
	text := strings.TrimSuffix(path.Base(name), ".json")
	tag, err := language.Parse(text)
	if err != nil {
		return language.Und, fmt.Errorf("file name is not a BCP 47 tag: %w", err)
	}
	if tag.String() != text {
		return language.Und, fmt.Errorf("file name must be the canonical tag %s.json", tag)
	}
	return tag, nil
}

package locale

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

// catalogue is one language, read and checked.
type catalogue struct {
	tag       language.Tag
	name      string // the tag as text
	ownName   string
	direction Direction
	texts     map[string]Pattern
	plurals   map[string]forms
}

// forms are the texts of one plural, one for each category of CLDR. A category the language does not have is nil.
type forms [plural.Many + 1]Pattern

// categories are CLDR's names of the plural categories (Unicode Technical Standard 35, part 3, §5.1.1).
var categories = map[string]plural.Form{"zero": plural.Zero, "one": plural.One, "two": plural.Two,
	"few": plural.Few, "many": plural.Many, "other": plural.Other}

// file is a catalogue as it is written.
type file struct {
	// Name is what the language calls itself.
	Name string `json:"name"`
	// Plurals are texts that depend on a number {n}: key, category, text.
	Plurals map[string]map[string]string `json:"plurals"`
	Texts   map[string]string            `json:"texts"`
}

func readCatalogue(fsys fs.FS, name string) (*catalogue, error) {
	tag, err := tagOf(name)
	if err != nil {
		return nil, err
	}
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	var f file
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&f); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	if f.Name == "" {
		return nil, fmt.Errorf("name is empty; it is what the language calls itself")
	}
	c := &catalogue{tag: tag, name: tag.String(), ownName: f.Name, direction: directionOf(tag),
		texts: make(map[string]Pattern, len(f.Texts)), plurals: make(map[string]forms, len(f.Plurals))}
	for key, text := range f.Texts {
		if c.texts[key], err = parsePattern(text); err != nil {
			return nil, fmt.Errorf("text %s: %w", key, err)
		}
	}
	needed := neededForms(tag)
	for key, written := range f.Plurals {
		if c.plurals[key], err = parseForms(tag, needed, written); err != nil {
			return nil, fmt.Errorf("plural %s: %w", key, err)
		}
	}
	return c, nil
}

// parseForms demands the categories that the language has for whole numbers, which are the needed ones, no more and no
// less. A form that holds for one number only may spell it ("ساعتين") instead of showing it.
func parseForms(tag language.Tag, needed map[plural.Form]int, written map[string]string) (forms, error) {
	var f forms
	for category, text := range written {
		form, ok := categories[category]
		if !ok {
			return f, fmt.Errorf("%q is not a plural category", category)
		}
		numbers, ok := needed[form]
		if !ok {
			return f, fmt.Errorf("%s has no category %q", tag, category)
		}
		p, err := parsePattern(text)
		if err != nil {
			return f, fmt.Errorf("%s: %w", category, err)
		}
		if slots := strings.Join(p.Slots(), " "); slots != "n" && (slots != "" || numbers > 1) {
			return f, fmt.Errorf("%s: the only placeholder is {n}, and it must be there once", category)
		}
		f[form] = p
	}
	for category, form := range categories {
		if needed[form] > 0 && f[form] == nil {
			return f, fmt.Errorf("the category %q is missing", category)
		}
	}
	return f, nil
}

// neededForms counts how many of the numbers 0 to 1000 fall into each category. No language's rule for whole numbers
// tells numbers of a category apart beyond that, except round millions, which otpost never counts.
func neededForms(tag language.Tag) map[plural.Form]int {
	count := make(map[plural.Form]int)
	for n := range 1001 {
		count[plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)]++
	}
	return count
}

// matches reports where c differs from the reference: a text too many or too few, or other placeholders.
func (c *catalogue) matches(reference *catalogue) error {
	if err := sameKeys("text", c.texts, reference.texts); err != nil {
		return err
	}
	if err := sameKeys("plural", c.plurals, reference.plurals); err != nil {
		return err
	}
	for key, want := range reference.texts {
		if got := c.texts[key].Slots(); !slices.Equal(got, want.Slots()) {
			return fmt.Errorf("text %s: placeholders are %q, %s.json has %q", key, got, reference.name, want.Slots())
		}
	}
	return nil
}

func sameKeys[V any](kind string, got, want map[string]V) error {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[key]; !ok {
			return fmt.Errorf("%s %s is missing", kind, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			return fmt.Errorf("%s %s is not in %s.json", kind, key, english)
		}
	}
	return nil
}

// Package wording has the default texts of B2C in other languages. The translations are ours: a policy that has texts of its
// own is not asked for them.
package wording

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

// Each file is named by its language and has the English texts with what they are in it. english.json is the list of what
// there is, with a word for translators on where a text stands.
//
//go:embed catalogue
var files embed.FS

const list = "english"

// In is an English text in a language, English too, or ok false where there is none. tag is a BCP 47 tag; that of a region
// finds the language's texts.
func In(tag, english string) (text string, ok bool) {
	for _, name := range names(tag) {
		if texts, known := catalogue(name); known {
			text, ok = texts[english]
			if ok && name == list {
				text = english // what the list has is for translators
			}
			return text, ok
		}
	}
	return "", false
}

// Languages are the tags of all translations, and Known the English texts, each in the order of letters.
func Languages() []string {
	entries, err := files.ReadDir("catalogue")
	if err != nil {
		return nil
	}
	var tags []string
	for _, e := range entries {
		if name := strings.TrimSuffix(e.Name(), ".json"); name != list {
			tags = append(tags, name)
		}
	}
	return tags
}

// Known are the English texts.
func Known() []string {
	texts, _ := catalogue(list)
	known := make([]string, 0, len(texts))
	for english := range texts {
		known = append(known, english)
	}
	slices.Sort(known)
	return known
}

// names are the files that may have a language, the narrowest first. Chinese, Serbian and Portuguese are told apart by
// script and region, as they are written otherwise. Who reads a language near one of ours gets that one, as in messages
// (package locale).
func names(tag string) []string {
	parsed, err := language.Parse(tag)
	if err != nil {
		return nil
	}
	base, _ := parsed.Base()
	script, _ := parsed.Script()
	region, _ := parsed.Region()
	all := []string{base.String() + "-" + region.String(), base.String() + "-" + script.String(), base.String()}
	switch base.String() {
	case "en":
		return []string{list}
	case "no", "nn":
		all = append(all, "nb")
	case "pt":
		all = append(all, parsed.Parent().String(), "pt-BR") // CLDR: European Portuguese is the parent of Africa's
	case "sr":
		all = append(all, "sr-Latn")
	}
	return all
}

var read sync.Map // name -> map[string]string, or nil where there is no file

func catalogue(name string) (map[string]string, bool) {
	if texts, ok := read.Load(name); ok {
		return texts.(map[string]string), texts.(map[string]string) != nil
	}
	texts, err := readFile(name)
	if err != nil {
		texts = nil // the tests read every file, so that there is none
	}
	read.Store(name, texts)
	return texts, texts != nil
}

func readFile(name string) (texts map[string]string, err error) {
	data, err := files.ReadFile(path.Join("catalogue", name+".json"))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &texts); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return texts, nil
}

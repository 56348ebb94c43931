package wording

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/language"
)

var placeholder = regexp.MustCompile(`\{\d+\}`)

// TestEveryLanguageHasEveryText holds each translation to the list: every text once, with the same placeholders, and ended
// as a sentence where the English one is more than one.
func TestEveryLanguageHasEveryText(t *testing.T) {
	known := Known()
	if len(known) < 45 {
		t.Fatalf("the list has %d texts", len(known))
	}
	for _, tag := range Languages() {
		if _, err := language.Parse(tag); err != nil {
			t.Errorf("%s is no language", tag)
		}
		texts, err := readFile(tag)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, english := range known {
			text := texts[english]
			delete(texts, english)
			switch {
			case strings.TrimSpace(text) == "" || text != strings.TrimSpace(text):
				t.Errorf("%s: %q is %q", tag, english, text)
			case !slices.Equal(placeholder.FindAllString(english, -1), placeholder.FindAllString(text, -1)):
				t.Errorf("%s: %q has other placeholders than %q", tag, text, english)
			case strings.ContainsFunc(text, unicode.IsControl):
				t.Errorf("%s: %q has a control character", tag, text)
			}
		}
		for english := range texts {
			t.Errorf("%s: %q is no text of the list", tag, english)
		}
	}
}

// TestEveryLanguageOfMessagesIsThere holds the languages to those that otpost sends messages in: whoever is written to in
// their language reads the page in it too. English is the list itself.
func TestEveryLanguageOfMessagesIsThere(t *testing.T) {
	files, err := filepath.Glob("../../locale/catalogue/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 39 {
		t.Fatalf("%d languages of messages were found", len(files))
	}
	translated := Languages()
	for _, file := range files {
		tag := strings.TrimSuffix(filepath.Base(file), ".json")
		if tag != "en" && !slices.Contains(translated, tag) {
			t.Errorf("catalogue/%s.json is missing: %s has messages and no texts of pages", tag, tag)
		}
		if _, ok := In(tag, "Continue"); !ok {
			t.Errorf("%s is not found by its tag", tag)
		}
	}
}

func TestIn(t *testing.T) {
	for tag, want := range map[string]string{"de": "Weiter", "de-AT": "Weiter", "DE-at": "Weiter", "en": "Continue", "en-GB": "Continue", "tlh": "", "no tag": "", "": ""} {
		if got, ok := In(tag, "Continue"); got != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", tag, got, ok, want)
		}
	}
	if _, ok := In("de", "a text of a policy"); ok {
		t.Error("a text that is not in the list was found")
	}
}

// TestInANearLanguage wants what package locale answers for the same tags, so that a page and its message agree.
func TestInANearLanguage(t *testing.T) {
	const text = "One time password verification session has expired" // it differs in all of these
	for tag, want := range map[string]string{
		"nn": "nb", "no-NO": "nb", "pt": "pt-BR", "pt-US": "pt-BR", "pt-AO": "pt-PT", "sr": "sr-Latn", "sr-Cyrl-RS": "sr-Latn",
		"sr-Latn-ME": "sr-Latn", "zh": "zh-Hans", "zh-SG": "zh-Hans", "zh-HK": "zh-Hant", "zh-Hant-MO": "zh-Hant",
	} {
		texts, err := readFile(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := In(tag, text); !ok || got != texts[text] {
			t.Errorf("%s: %q %v, want %q of %s", tag, got, ok, texts[text], want)
		}
	}
}

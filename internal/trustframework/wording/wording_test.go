package wording

import (
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

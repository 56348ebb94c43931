package locale_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/otpost/otpost/internal/locale"
)

func TestNameAndDirection(t *testing.T) {
	c := open(t)
	for _, test := range []struct {
		tag, name string
		direction locale.Direction
	}{
		{"ar", "العربية", locale.RightToLeft},
		{"en", "English", locale.LeftToRight},
		{"fr", "français", locale.LeftToRight},
		{"he", "עברית", locale.RightToLeft},
		{"ja", "日本語", locale.LeftToRight},
	} {
		l := c.Match(test.tag)
		if l.Name() != test.name || l.Direction() != test.direction {
			t.Errorf("%s is %q, %s", test.tag, l.Name(), l.Direction())
		}
	}
}

// Read proves keys, placeholders and plural forms of every catalogue; these are the files it must refuse.
func TestReadRefuses(t *testing.T) {
	const en = `{"name":"English","plurals":{"p":{"one":"{n} a","other":"{n} b"}},"texts":{"t":"{code} is it"}}`
	for _, test := range []struct{ name, file, content, want string }{
		{"no reference", "fr.json", `{"name":"f","plurals":{},"texts":{}}`, "en.json is missing"},
		{"text missing", "de.json", `{"name":"d","plurals":{"p":{"one":"{n} a","other":"{n} b"}},"texts":{}}`, "text t is missing"},
		{"text too many", "de.json", `{"name":"d","plurals":{"p":{"one":"{n} a","other":"{n} b"}},"texts":{"t":"{code} x","u":"v"}}`, "text u is not in en.json"},
		{"plural missing", "de.json", `{"name":"d","plurals":{},"texts":{"t":"{code} x"}}`, "plural p is missing"},
		{"form missing", "ar.json", `{"name":"a","plurals":{"p":{"one":"{n} a","other":"{n} b"}},"texts":{"t":"{code} x"}}`, "is missing"},
		{"form too many", "ja.json", `{"name":"j","plurals":{"p":{"one":"{n} a","other":"{n} b"}},"texts":{"t":"{code} x"}}`, `ja has no category "one"`},
		{"form unknown", "de.json", `{"name":"d","plurals":{"p":{"several":"{n} a"}},"texts":{"t":"{code} x"}}`, "not a plural category"},
		{"number missing", "de.json", `{"name":"d","plurals":{"p":{"one":"{n} a","other":"b"}},"texts":{"t":"{code} x"}}`, "{n}"},
		{"placeholder missing", "de.json", `{"name":"d","plurals":{"p":{"one":"{n} a","other":"{n} b"}},"texts":{"t":"x"}}`, "placeholders"},
		{"placeholder other", "de.json", `{"name":"d","plurals":{"p":{"one":"{n} a","other":"{n} b"}},"texts":{"t":"{cod} x"}}`, "placeholders"},
		{"brace open", "de.json", `{"name":"d","plurals":{"p":{"one":"{n} a","other":"{n} b"}},"texts":{"t":"{code x"}}`, "brace"},
		{"brace closed", "de.json", `{"name":"d","plurals":{"p":{"one":"{n} a","other":"{n} b"}},"texts":{"t":"code} x"}}`, "brace"},
		{"brace within", "de.json", `{"name":"d","plurals":{"p":{"one":"{n} a","other":"{n} b"}},"texts":{"t":"{a{code}} x"}}`, "brace"},
		{"slot name", "de.json", `{"name":"d","plurals":{"p":{"one":"{n} a","other":"{n} b"}},"texts":{"t":"{Code} x"}}`, "not a placeholder"},
		{"text empty", "de.json", `{"name":"d","plurals":{"p":{"one":"{n} a","other":"{n} b"}},"texts":{"t":""}}`, "empty"},
		{"name empty", "de.json", `{"plurals":{},"texts":{}}`, "name is empty"},
		{"member unknown", "de.json", `{"name":"d","nom":"d"}`, "unknown field"},
		{"file name not canonical", "DE.json", `{"name":"d"}`, "canonical tag de.json"},
		{"file name no tag", "deutsch-.json", `{"name":"d"}`, "not a BCP 47 tag"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fsys := fstest.MapFS{test.file: {Data: []byte(test.content)}}
			if test.name != "no reference" {
				fsys["en.json"] = &fstest.MapFile{Data: []byte(en)}
			}
			_, err := locale.Read(fsys)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
		})
	}
}

// Another language is one more file and nothing else.
func TestReadTakesANewLanguage(t *testing.T) {
	c, err := locale.Read(fstest.MapFS{
		"en.json": {Data: []byte(`{"name":"English","plurals":{},"texts":{"t":"{code} is it"}}`)},
		"he.json": {Data: []byte(`{"name":"עברית","plurals":{},"texts":{"t":"{code} זה"}}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	l := c.Match("he-IL")
	if l.Name() != "עברית" || l.Direction() != locale.RightToLeft || l.Text("t") != "{code} זה" {
		t.Errorf("he-IL is %q %s %q", l.Name(), l.Direction(), l.Text("t"))
	}
}

// A text left in English shows in the letters of another script, or, where the script is the same, in the words.
// "is" does not tell: Dutch has it too.
func TestNoTextIsLeftInEnglish(t *testing.T) {
	c := open(t)
	en := c.Match("en")
	for _, l := range c.Languages() {
		if l == en {
			continue
		}
		for _, key := range l.Keys() {
			text := withoutSlots(l.Pattern(key))
			if words := strings.Fields(text); len(words) > 1 && text == withoutSlots(en.Pattern(key)) {
				t.Errorf("%s: %s is the English text", l, key)
			}
			for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
				if slices.Contains([]string{"the", "this", "your", "you", "not", "with", "it", "and", "code's"}, strings.ToLower(word)) {
					t.Errorf("%s: %s holds the English word %q", l, key, word)
				}
			}
		}
	}
}

func TestTextsAreInTheScriptOfTheirLanguage(t *testing.T) {
	scripts := map[string][]*unicode.RangeTable{
		"Latn": {unicode.Latin}, "Arab": {unicode.Arabic}, "Cyrl": {unicode.Cyrillic}, "Grek": {unicode.Greek},
		"Hebr": {unicode.Hebrew}, "Thai": {unicode.Thai}, "Deva": {unicode.Devanagari}, "Hans": {unicode.Han},
		"Hant": {unicode.Han}, "Jpan": {unicode.Han, unicode.Hiragana, unicode.Katakana}, "Kore": {unicode.Hangul, unicode.Han},
	}
	for _, l := range open(t).Languages() {
		script, _ := language.MustParse(l.Tag()).Script()
		tables, ok := scripts[script.String()]
		if !ok {
			t.Errorf("%s: add the script %s to this test", l, script)
			continue
		}
		texts := []string{l.Name()}
		for _, key := range l.Keys() {
			texts = append(texts, withoutSlots(l.Pattern(key)))
		}
		for _, text := range texts {
			for _, r := range text {
				// The length mark of Japanese and the like are letters that scripts share.
				if unicode.IsLetter(r) && !unicode.In(r, append(tables, unicode.Common)...) {
					t.Errorf("%s: %q holds %q, which is not %s", l, text, r, script)
				}
			}
		}
	}
}

// Texts go into headers, text messages and pages: they are one clean line each.
func TestTextsAreCleanLines(t *testing.T) {
	for _, l := range open(t).Languages() {
		texts := []string{l.Name()}
		for _, key := range l.Keys() {
			texts = append(texts, l.Text(key))
		}
		for _, forms := range l.Plurals() {
			texts = append(texts, forms...)
		}
		for _, text := range texts {
			if text != strings.TrimSpace(text) || strings.Contains(text, "  ") || !norm.NFC.IsNormalString(text) {
				t.Errorf("%s: %q has stray spaces or is not in Unicode form C", l, text)
			}
			for _, r := range text {
				if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune("<>&", r) {
					t.Errorf("%s: %q holds %U", l, text, r)
				}
			}
		}
	}
}

// An independent count of the forms that CLDR gives a language for whole numbers: the fourth form of Czech and
// Lithuanian is for fractions.
func TestPluralForms(t *testing.T) {
	want := map[string]int{"ar": 6, "bg": 2, "ca": 2, "cs": 3, "da": 2, "de": 2, "el": 2, "en": 2, "es": 2, "et": 2,
		"eu": 2, "fi": 2, "fr": 2, "gl": 2, "he": 4, "hr": 3, "hu": 2, "it": 2, "ja": 1, "kk": 2, "ko": 1, "lt": 3, "lv": 3}
	for _, l := range open(t).Languages() {
		n, listed := want[l.Tag()]
		for key, forms := range l.Plurals() {
			if listed && len(forms) != n {
				t.Errorf("%s: %s has %d forms, want %d", l, key, len(forms), n)
			}
		}
		tag := language.MustParse(l.Tag())
		for n := range 2000 {
			got := string(l.AppendPlural(nil, "minutes", n))
			if got == "" {
				t.Fatalf("%s: %d minutes (%v) says nothing", l, n, plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0))
			}
		}
	}
}

func TestUnknownKeysFailSoftly(t *testing.T) {
	l := open(t).Match("fr")
	if got := l.Text("no.such"); got != "no.such" {
		t.Errorf("Text is %q", got)
	}
	if got := l.Pattern("no.such").String(); got != "no.such" {
		t.Errorf("Pattern is %q", got)
	}
	if got := string(l.AppendPlural(nil, "no.such", 7)); got != "7" {
		t.Errorf("plural is %q", got)
	}
}

func withoutSlots(p locale.Pattern) string {
	var b strings.Builder
	for _, part := range p {
		b.WriteString(part.Text)
	}
	return b.String()
}

// BenchmarkOpen is what a start of the program pays for all languages.
func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		open(b)
	}
}

package locale_test

import (
	"slices"
	"testing"
)

// entra are the languages that Microsoft Entra External ID offers to customers (Microsoft Learn, External ID for
// customers, "Customize the language of the authentication experience"), in the form its events name them, and the
// catalogue for each.
var entra = map[string]string{
	"ar-sa": "ar", "bg-bg": "bg", "ca-es": "ca", "cs-cz": "cs", "da-dk": "da", "de-de": "de", "el-gr": "el", "en-us": "en",
	"es-es": "es", "et-ee": "et", "eu-es": "eu", "fi-fi": "fi", "fr-fr": "fr", "gl-es": "gl", "he-il": "he", "hr-hr": "hr",
	"hu-hu": "hu", "it-it": "it", "ja-jp": "ja", "kk-kz": "kk", "ko-kr": "ko", "lt-lt": "lt", "lv-lv": "lv", "nb-no": "nb",
	"nl-nl": "nl", "pl-pl": "pl", "pt-br": "pt-BR", "pt-pt": "pt-PT", "ro-ro": "ro", "ru-ru": "ru", "sk-sk": "sk",
	"sl-si": "sl", "sr-latn-rs": "sr-Latn", "sv-se": "sv", "th-th": "th", "tr-tr": "tr", "uk-ua": "uk", "zh-cn": "zh-Hans",
	"zh-hk": "zh-Hant",
}

func TestLanguages(t *testing.T) {
	if len(entra) != 39 {
		t.Fatalf("the list has %d languages, Microsoft's has 39", len(entra))
	}
	c := open(t)
	var got []string
	for _, l := range c.Languages() {
		got = append(got, l.Tag())
	}
	if !slices.IsSorted(got) {
		t.Errorf("%v is not sorted", got)
	}
	for asked, want := range entra {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing", want)
		} else if l := c.Match(asked); l.Tag() != want {
			t.Errorf("Match(%s) = %s, want %s", asked, l, want)
		}
	}
}

// What people ask for without naming a catalogue's own tag: regions, scripts, and names that a language no longer has.
func TestMatchComesToTheNearestCatalogue(t *testing.T) {
	c := open(t)
	for _, test := range []struct{ preference, want string }{
		{"zh", "zh-Hans"}, {"zh-CN", "zh-Hans"}, {"zh-SG", "zh-Hans"}, {"zh-Hans-HK", "zh-Hans"},
		{"zh-TW", "zh-Hant"}, {"zh-HK", "zh-Hant"}, {"zh-MO", "zh-Hant"}, {"zh_Hant_TW", "zh-Hant"}, {"yue", "zh-Hant"},
		{"no", "nb"}, {"no-NO", "nb"}, {"nn", "nb"}, {"nn-NO", "nb"}, {"nb-NO", "nb"},
		{"pt", "pt-BR"}, {"pt-BR", "pt-BR"}, {"pt-PT", "pt-PT"}, {"pt-AO", "pt-PT"}, {"pt-MZ", "pt-PT"},
		{"sr", "sr-Latn"}, {"sr-RS", "sr-Latn"}, {"sr-Cyrl-RS", "sr-Latn"}, {"sr-Latn-ME", "sr-Latn"}, {"sh", "sr-Latn"},
		{"bs", "hr"}, {"hr-BA", "hr"}, {"iw", "he"}, {"iw-IL", "he"}, {"es-419", "es"}, {"es-MX", "es"}, {"mo", "ro"}, {"ro-MD", "ro"},
		{"pt-AO,pt;q=0.9,en;q=0.8", "pt-PT"}, {"zh-HK,zh;q=0.9,en;q=0.8", "zh-Hant"}, {"sr-RS,sr;q=0.9,en;q=0.8", "sr-Latn"},
	} {
		if got := c.Match(test.preference).Tag(); got != test.want {
			t.Errorf("Match(%q) = %s, want %s", test.preference, got, test.want)
		}
	}
}

package locale_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otpost/otpost/internal/locale"
)

func open(t testing.TB) *locale.Catalogues {
	t.Helper()
	c, err := locale.Open()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMatch(t *testing.T) {
	c := open(t)
	for _, test := range []struct{ preference, want string }{
		{"fr", "fr"}, {"FR", "fr"}, {"fr-fr", "fr"}, {"fr_CA", "fr"}, {"fr-CA", "fr"}, {"fr_CA.UTF-8", "fr"},
		{"de-CH-1996", "de"}, {"es-419", "es"}, {"ar-eg", "ar"}, {"gsw", "de"}, {"lb-LU", "de"}, {"ja-JP", "ja"}, {"ja_JP.eucJP", "ja"},
		{"en-us", "en"}, {"en-GB,en;q=0.9,fr;q=0.8", "en"},
		{"fr;q=0.5, de;q=0.9", "de"}, {"sw, es;q=0.4", "es"}, {"fr;q=0, ja", "ja"}, {"  es-MX  ", "es"},
		{"tlh, xx-yy, de", "de"}, {"!!, de", "de"}, {"fr-verylongsubtag-x", "fr"}, {"ja@calendar=japanese", "ja"},
		{"", "en"}, {"*", "en"}, {"tlh", "en"}, {"xx-yy", "en"}, {"\x00\xff", "en"}, {"-", "en"}, {",;q=", "en"},
		{"123456", "en"}, {"日本語", "en"}, {strings.Repeat("a-", 5000), "en"},
		{"de," + strings.Repeat("fr,", 5000), "de"},
	} {
		if got := c.Match(test.preference).Tag(); got != test.want {
			t.Errorf("Match(%.40q) = %s, want %s", test.preference, got, test.want)
		}
	}
}

// offered are catalogues of these languages and English, with no texts.
func offered(t testing.TB, tags ...string) *locale.Catalogues {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, tag := range append(tags, "en") {
		fsys[tag+".json"] = &fstest.MapFile{Data: []byte(`{"name":"` + tag + `","plurals":{},"texts":{}}`)}
	}
	c, err := locale.Read(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The wish that comes first wins, even where the house has only something near to it and the rest of the list exactly.
func TestMatchOfLists(t *testing.T) {
	c := offered(t, "de", "nb", "pt-BR", "pt-PT", "sr-Latn", "zh-Hans", "zh-Hant")
	for _, test := range []struct{ preference, want string }{
		{"pt-AO,pt;q=0.9,en;q=0.8", "pt-PT"}, {"pt,pt-PT;q=0.9", "pt-BR"}, {"pt-PT,pt;q=0.9", "pt-PT"},
		{"zh-HK,zh;q=0.9,en;q=0.8", "zh-Hant"}, {"zh-TW,zh;q=0.9", "zh-Hant"}, {"zh-SG,zh;q=0.9", "zh-Hans"},
		{"zh;q=0.9,zh-HK", "zh-Hant"}, {"zh,zh-HK;q=0.9", "zh-Hans"}, {"yue-HK,en;q=0.5", "zh-Hant"},
		{"sr-RS,sr;q=0.9,en-US;q=0.8,en;q=0.7", "sr-Latn"}, {"sr-Cyrl-BA,de", "sr-Latn"},
		{"nn-NO,nn;q=0.9,no;q=0.8,en;q=0.7", "nb"}, {"nn,de", "nb"}, {"tlh,de", "de"}, {"de-AT,de;q=0.9,en", "de"},
	} {
		if got := c.Match(test.preference).Tag(); got != test.want {
			t.Errorf("Match(%q) = %s, want %s", test.preference, got, test.want)
		}
	}
}

func TestMatchPrefersACatalogueToItsStandIn(t *testing.T) {
	c := offered(t, "nb", "nn", "sr", "sr-Latn", "yue", "zh-Hant")
	for _, tag := range []string{"nb", "nn", "sr", "sr-Latn", "yue", "zh-Hant"} {
		if got := c.Match(tag).Tag(); got != tag {
			t.Errorf("Match(%s) = %s", tag, got)
		}
	}
	if l, found := offered(t, "de").Find("nn"); found {
		t.Errorf("without Norwegian, nn is %s", l)
	}
}

func TestMatchFallsBackToTheNextPreferenceThenEnglish(t *testing.T) {
	c := open(t)
	for _, test := range []struct {
		preferences []string
		want        string
	}{
		{[]string{"de", "fr"}, "de"},
		{[]string{"tlh", "fr-CA"}, "fr"},
		{[]string{"", "ja"}, "ja"},
		{[]string{"tlh", "xx", "es"}, "es"},
		{[]string{"tlh", "rubbish!"}, "en"},
		{nil, "en"},
	} {
		if got := c.Match(test.preferences...).Tag(); got != test.want {
			t.Errorf("Match(%q) = %s, want %s", test.preferences, got, test.want)
		}
	}
}

// A house that has no catalogue for a person's language must not fail for that person (teamhanko/hanko issue 1627).
func TestAdvisory_Hanko1627_MissingLanguageFallsBack(t *testing.T) {
	c := open(t)
	if l, ok := c.Find("sw-KE"); ok {
		t.Fatalf("Find(sw-KE) = %s; the test needs a language without a catalogue", l)
	}
	if got := c.Match("sw-KE").Text("mail.title.unnamed"); got != "Your verification code" {
		t.Errorf("text for a missing language is %q", got)
	}
}

func TestMatchRemembersNoMoreThanItsBound(t *testing.T) {
	c := open(t)
	for i := range 5000 {
		c.Match(fmt.Sprintf("de;q=0.%d", i))
	}
	if n := c.Remembered(); n > 1024 {
		t.Errorf("%d matches are remembered", n)
	}
	if got := c.Match("fr-FR").Tag(); got != "fr" {
		t.Errorf("Match(fr-FR) = %s after the memory was filled", got)
	}
}

func TestMatchIsSafeForParallelUse(t *testing.T) {
	c := open(t)
	for g := range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for i := range 500 {
				if got := c.Match(fmt.Sprintf("fr;q=0.%d", (g*i)%300)).Tag(); got != "fr" && (g*i)%300 != 0 {
					t.Errorf("got %s", got)
				}
			}
		})
	}
}

func FuzzMatch(f *testing.F) {
	for _, seed := range []string{"fr-CA", "de;q=0.5, *", "zh_Hant_TW", "a-b-c-d-e", "en-u-ca-buddhist", ";;;,,,", "i-klingon"} {
		f.Add(seed)
	}
	c := open(f)
	f.Fuzz(func(t *testing.T, preference string) {
		first := c.Match(preference)
		if !slices.Contains(c.Languages(), first) {
			t.Errorf("Match(%q) is %s, which is no language of ours", preference, first)
		}
		if got := c.Match("de", preference).Tag(); got != "de" {
			t.Errorf("Match(de, %q) is %s: the second wish came before the first", preference, got)
		}
		if _, suits := c.Find(preference); !suits && (first.Tag() != "en" || c.Match(preference, "ja").Tag() != "ja") {
			t.Errorf("%q suits nothing, and Match made %s of it", preference, first)
		}
		if again := c.Match(preference); again != first {
			t.Errorf("Match(%q) is %s, then %s", preference, first, again)
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	c := open(b)
	for b.Loop() {
		c.Match("fr-fr")
	}
}

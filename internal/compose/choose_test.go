package compose_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/outbox"
)

// bare is a compiled template that is for what the words say: application, purpose, language, "-" for any.
func bare(t testing.TB, c *compose.Composer, channel outbox.Channel, words string) *compose.Template {
	t.Helper()
	part := strings.Fields(words)
	for i := range part {
		part[i] = strings.TrimPrefix(part[i], "-")
	}
	d := compose.TemplateDocument{Name: "t", Channel: channel, Application: part[0], Purpose: part[1], Language: part[2], Text: "{{ code }}"}
	if channel == outbox.Email {
		d.Subject = "s"
	}
	return compile(t, c, d)
}

// order is every template that fits a message of the application shop, for sign_in, in German, the most specific first.
var order = []string{"shop sign_in de", "shop sign_in -", "shop - de", "shop - -", "- sign_in de", "- sign_in -", "- - de", "- - -"}

func TestTheMostSpecificTemplateWins(t *testing.T) {
	c := composer(t)
	var fitting, others []*compose.Template
	for _, words := range order {
		fitting = append(fitting, bare(t, c, outbox.Email, words))
		others = append(others, bare(t, c, outbox.SMS, words))
	}
	for _, application := range []string{"-", "shop", "desk"} {
		for _, purpose := range []string{"-", "sign_in", "mfa"} {
			for _, language := range []string{"-", "de", "fr"} {
				words := application + " " + purpose + " " + language
				if !slices.Contains(order, words) {
					others = append(others, bare(t, c, outbox.Email, words))
				}
			}
		}
	}
	off := *fitting[0]
	off.Document.Disabled = true
	others = append(others, &off)
	choose := func(templates []*compose.Template) *compose.Template {
		return compose.Choose(templates, []string{"app_1", "shop"}, "sign_in", outbox.Email, c.Languages("de"))
	}
	if got := choose(others); got != nil {
		t.Errorf("%+v was chosen and does not fit", got.Document)
	}
	if got := choose(nil); got != nil {
		t.Errorf("%+v was chosen of nothing", got.Document)
	}
	// Every set of fitting templates, among all that do not fit, in both orders.
	for set := 1; set < 1<<len(fitting); set++ {
		all, want := slices.Clone(others), -1
		for i := range fitting {
			if set&(1<<i) != 0 {
				all = append(all, fitting[i])
				if want < 0 {
					want = i
				}
			}
		}
		for range 2 {
			if got := choose(all); got != fitting[want] {
				t.Fatalf("of the set %b %+v was chosen, want %s", set, got.Document, order[want])
			}
			slices.Reverse(all)
		}
	}
}

func TestChooseTellsEqualsByName(t *testing.T) {
	c := composer(t)
	a, b := *bare(t, c, outbox.Email, "- - -"), *bare(t, c, outbox.Email, "- - -")
	a.Document.Name, b.Document.Name = "a", "b"
	if a.Document.Key() != b.Document.Key() || a.Document.Key() == bare(t, c, outbox.Email, "- - de").Document.Key() {
		t.Error("equals must have one key, others another")
	}
	for _, templates := range [][]*compose.Template{{&a, &b}, {&b, &a}} {
		if got := compose.Choose(templates, nil, "", outbox.Email, nil); got != &a {
			t.Errorf("%s was chosen", got.Document.Name)
		}
	}
}

// A purpose of the caller's own is worded as a verification, and so is its template.
func TestAPurposeOfTheCallersOwnIsAVerification(t *testing.T) {
	c := composer(t)
	v := bare(t, c, outbox.SMS, "- verify -")
	if got := compose.Choose([]*compose.Template{v}, []string{""}, "party", outbox.SMS, nil); got != v {
		t.Error("the template for verify was not chosen")
	}
}

// Where templates are in many languages, a message is in the one that the built-in wording is said in, unless the person
// named another.
func TestTemplatesKeepTheLanguageOfTheBuiltInWording(t *testing.T) {
	c, built := composer(t), composer(t)
	var templates []*compose.Template
	for _, l := range c.Catalogues.Languages() {
		templates = append(templates, bare(t, c, outbox.SMS, "- - "+l.Tag()))
	}
	with(t, c, templates...)
	for _, wish := range []string{"", "de-AT", "gsw, fr", "fr_CA.UTF-8", "tlh, ja;q=0.3", "zh-HK", "zh-TW,zh;q=0.9,en;q=0.8", "pt-AO,pt;q=0.9", "es-419", "nn", "sr", "yue", "uk-UA,ru;q=0.5", "!!", "*", "no, da"} {
		asked := content(outbox.SMS, wish, "mfa")
		if got, want := say(t, c, asked).Language, say(t, built, asked).Language; got != want {
			t.Errorf("%q: the template is in %s, the built-in wording in %s", wish, got, want)
		}
	}
}

func TestLanguageOfATemplate(t *testing.T) {
	for _, test := range []struct{ house, wish, templates, want string }{
		{"", "de", "de en", "de"}, {"", "de-AT", "de en", "de"}, {"", "de-AT", "de de-AT", "de-AT"}, {"", "de-AT-1996", "de-AT en", "de-AT"},
		{"", "gsw", "de en", "de"}, {"", "gsw", "de gsw", "gsw"}, // a template in a language without a catalogue
		{"", "tlh", "tlh en", "tlh"}, {"", "tlh", "en de", "en"}, {"de", "tlh", "en de", "de"},
		{"", "de", "en fr", ""},    // the built-in German is better than somebody else's English
		{"", "de", "de-AT en", ""}, // and than a German that was not asked for
		{"", "", "en de", "en"}, {"de", "", "en de", "de"}, {"", "!!", "en", "en"},
		{"", "fr;q=0.5, de;q=0.9", "fr de", "de"}, {"", "tlh, fr;q=0.5", "fr en", "fr"}, {"", "de, fr;q=0.5", "fr", ""},
		{"fr", "de", "fr", ""}, {"", strings.Repeat("x", 300), "en", "en"}, {"", "es_MX", "es", "es"},
		{"", "fr_CA.UTF-8", "en fr", "fr"}, {"", "!!, de", "en de", "de"}, {"", "ja@calendar=japanese", "en", ""}, // tags that only the catalogues read
	} {
		c := composer(t)
		c.Language = test.house
		var templates []*compose.Template
		for language := range strings.FieldsSeq(test.templates) {
			d := compose.TemplateDocument{Name: "t", Channel: outbox.SMS, Language: language, Text: "{{ language }} {{ code }}"}
			templates = append(templates, compile(t, c, d))
		}
		with(t, c, templates...)
		asked := content(outbox.SMS, test.wish, "mfa")
		asked.Domain = ""
		m := say(t, c, asked)
		got, told := strings.CutSuffix(m.Text, " 482913")
		if !told {
			got = ""
		}
		if got != test.want || told && m.Language != test.want {
			t.Errorf("house %q, %q among %q: %q in %q, want %q", test.house, test.wish, test.templates, m.Text, m.Language, test.want)
		}
	}
}

package liquid_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/compose/liquid"
)

var dialect = &liquid.Dialect{
	Variables: []string{"code", "language", "application.name", "user.email", "user.user_metadata.*", "minutes", "missing", "list"},
	Texts:     []string{"mail.title", "mail.secret"},
}

func scope() *liquid.Scope {
	return &liquid.Scope{
		Values: map[string]any{"code": "482913", "language": "pt-BR", "minutes": 10,
			"application": map[string]any{"name": `A & B <i>"x"</i>`}, "user": map[string]any{"email": "lea@example.org"},
			"list": liquid.Later(func() any { return []any{"b", "a", "b"} })},
		Translate: func(key string) (string, bool) { return "[" + key + "]", strings.HasPrefix(key, "mail.") },
		Now:       time.Date(2026, 11, 5, 14, 3, 9, 0, time.UTC),
	}
}

func TestRender(t *testing.T) {
	for _, test := range []struct{ source, want string }{
		{"", ""}, {"plain { text } %} }}", "plain { text } %} }}"},
		{"{{ code }}!", "482913!"}, {"{{code}}", "482913"}, {"a {{- code -}} b", "a482913b"}, {"a\n{%- if true -%}\nb\n{%- endif %}\nc", "ab\nc"},
		{"{{ application.name }}", `A & B <i>"x"</i>`}, {"{{ user['email'] }}", "lea@example.org"},
		{"{{ missing }}{{ user.user_metadata.colour }}|", "|"}, {"{{ missing | default: 'x' }}", "x"},
		{"{% if missing %}a{% elsif code == '482913' %}b{% else %}c{% endif %}", "b"},
		{"{% unless missing %}a{% else %}b{% endunless %}", "a"}, {"{% unless code %}a{% elsif minutes > 5 and minutes < 11 %}b{% endunless %}", "b"},
		{"{% if user.user_metadata.x == blank %}no{% endif %}{% if language contains 'pt' %}pt{% endif %}", "nopt"},
		{"{% case language %} {% when 'de', 'fr' %}1{% when 'es' or 'pt-BR' %}2{% else %}3{% endcase %}", "2"},
		{"{% case minutes %}{% when 3 %}1{% else %}3{% endcase %}", "3"},
		{"{% assign l = language | slice: 0, 2 | upcase %}{{ l }}", "PT"},
		{"{% for i in (1..3) %}{{ i }}{% unless forloop.last %},{% endunless %}{% endfor %}", "1,2,3"},
		{"{% for i in list %}{{ forloop.index }}{{ i }}{% endfor %}", "1b2a3b"}, {"{% for i in missing %}x{% else %}none{% endfor %}", "none"},
		{"{% for i in (1..9) reversed limit:3 offset:1 %}{{ i }}{% endfor %}", "432"},
		{"{% for i in (1..5) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}", "13"},
		{"{% for i in (1..3) %}{% cycle 'odd', 'even' %} {% endfor %}", "odd even odd "},
		{"{% tablerow i in (1..3) cols:2 %}{{ i }}{% endtablerow %}", `<tr class="row1"><td class="col1">1</td><td class="col2">2</td></tr><tr class="row2"><td class="col1">3</td></tr>`},
		{"{% increment n %}{% increment n %}{% decrement n %}", "011"},
		{"{% comment %}{{ nothing }}{% if %}{% endcomment %}x{% raw %}{{ code }}{% if %}{% endraw %}", "x{{ code }}{% if %}"},
		{"{{ 'mail.title' | t }}", "[mail.title]"}, {"{{ 'mail.' | append: 'secret' | t | upcase }}", "[MAIL.SECRET]"},
		{"{{ 'now' | date: '%Y' }} {{ 'today' | date: '%-d %B, %H:%M%%' }}", "2026 5 November, 14:03%"}, {"{{ 'soon' | date: '%Y' }}", "soon"}, {"{{ '2026-01-02' | date: '%-H|%-m|%e' }}", "0|1| 2"},
		{"{{ code | slice: 0, 3 }}-{{ code | slice: -3, 3 }}", "482-913"}, {"{{ code | size }}{{ code.size }}", "66"},
		{"{{ 'abcdef' | truncate: 5 }} {{ 'a b c' | truncatewords: 2 }}", "ab... a b..."}, {"{{ 'abc' | truncate: 2, '' }}", "ab"},
		{"{{ 'a,b,,' | split: ',' | join: '+' }} {{ list | uniq | sort | join }} {{ list | reverse | first }}", "a+b a b b"},
		{"{{ 'x-y' | replace: '-', '+' | prepend: '<' | append: '>' }}", "<x+y>"}, {"{{ ' a ' | strip }}{{ '<b>x</b>' | strip_html }}", "ax"},
		{"{{ 7 | divided_by: 2 }} {{ 7.0 | divided_by: 2 }} {{ 7 | modulo: 4 | plus: 1 | times: 2 | minus: 1 }} {{ 1.5 | round }} {{ 1.2 | ceil }}", "3 3.5 7 2 2"},
		{"{{ '10' | plus: 5 }} {{ minutes | at_most: 5 }}", "15 5"}, {"{{ 'a b' | url_encode }} {{ 'a%20b%' | url_decode }}", "a+b a%20b%"},
		{"{{ (1..3) }} {{ true }} {{ nil }}{{ application }}", "1..3 true "},
	} {
		parsed, err := dialect.Parse(test.source)
		if err != nil {
			t.Errorf("%s: %v", test.source, err)
			continue
		}
		if got, err := parsed.Render(t.Context(), scope()); err != nil || got != test.want {
			t.Errorf("%s\n got %q, %v\nwant %q", test.source, got, err, test.want)
		}
	}
}

func TestEveryValueIsEscapedOnceInHTML(t *testing.T) {
	for _, test := range []struct{ source, want string }{
		{"<b>{{ application.name }}</b>", "<b>A &amp; B &lt;i&gt;&#34;x&#34;&lt;/i&gt;</b>"},
		{"{{ application.name | escape }}", "A &amp; B &lt;i&gt;&#34;x&#34;&lt;/i&gt;"},
		{"{{ application.name | escape | escape_once | upcase }}", "A &amp; B &lt;I&gt;&#34;X&#34;&lt;/I&gt;"},
		{"{{ '%3Cb%3E' | url_decode }}{{ '&lt;b&gt;' | replace: '&lt;', '<' }}", "&lt;b&gt;&lt;b&amp;gt;"},
		{"{% assign x = application.name | slice: 6, 3 %}{{ x }}", "&lt;i&gt;"},
		{"{{ '<i>a\nb' | newline_to_br }}{{ 'a\nb' | newline_to_br | upcase }}", "&lt;i&gt;a<br>\nbA\nB"},
		{"{{ '<' | split: ',' }}{% for x in list %}{% cycle '<', '>' %}{% endfor %}", "&lt;<><"},
	} {
		parsed, err := dialect.Parse(test.source)
		if err != nil {
			t.Fatal(err)
		}
		s := scope()
		s.HTML = true
		if got, err := parsed.Render(t.Context(), s); err != nil || got != test.want {
			t.Errorf("%s\n got %q, %v\nwant %q", test.source, got, err, test.want)
		}
	}
}

func TestParseNamesThePlaceAndThePlaceIsRight(t *testing.T) {
	for _, test := range []struct {
		source       string
		line, column int
		problem      string
	}{
		{"{{ cod }}", 1, 4, `unknown variable "cod"; did you mean code?`},
		{"Hi\n\u00e9\u00e9 {{ user.mail }}", 2, 7, `unknown variable "user.mail"; did you mean user.email?`},
		{"{{ email }}", 1, 4, `known are application.name, code,`}, {"{{ user['mail'] }}", 1, 4, `unknown variable "user.mail"`},
		{"{{ user[code] }}", 1, 8, "only a name in quotation marks"},
		{"{% if false %}{% if xyz %}{% endif %}{% endif %}", 1, 21, `unknown variable "xyz"`},
		{"{{ code | upcse }}", 1, 11, `unknown filter "upcse"; did you mean upcase?`}, {"{{ code | raw }}", 1, 11, "nothing can undo it"},
		{"{{ code | append: user.nme }}", 1, 19, `unknown variable "user.nme"`}, {"{{ code | env: 'HOME' }}", 1, 11, "unknown filter"},
		{"{{ 'mail.titel' | t }}", 1, 4, `unknown text "mail.titel"; did you mean mail.title?`},
		{"a{% inclde 'x' %}", 1, 2, `unknown tag "inclde"`}, {"{% fro i in list %}", 1, 1, `did you mean for?`},
		{"{% include 'x' %}", 1, 1, "include is not available"}, {"{% render 'x' %}", 1, 1, "render is not available"},
		{"{% layout 'x' %}", 1, 1, "layout is not available"}, {"{% debug %}", 1, 1, "debug is not available"}, {"{% capture a %}{% endcapture %}", 1, 1, "capture is not available"},
		{"{% for i in (1..101) %}{% endfor %}", 1, 15, "more than 100 numbers"}, {"{% for i in (1..minutes) %}{% endfor %}", 1, 15, "bounds of a range must be whole numbers"},
		{"{% for i in (1..1000000000000) %}{% endfor %}", 1, 15, "more than 100 numbers"}, {"{{ (5..1) }}", 1, 6, "ends before it begins"},
		{"{% for i in (1..2) %}\n{% for j in (1..2) %}{% endfor %}{% endfor %}", 2, 1, "a loop within a loop"},
		{"{% for i in (1..1) %}{% if code %}{% tablerow j in list %}{% endtablerow %}{% endif %}{% endfor %}", 1, 35, "a loop within a loop"},
		{"{% for i in list %}{% endfor %}{{ i }}", 1, 35, `unknown variable "i"`}, {"{% for i in list sorted %}{% endfor %}", 1, 18, "reversed"},
		{"{{ code", 1, 1, "not closed by }}"}, {"x {% if code", 1, 3, "not closed by %}"}, {"{{ }}", 1, 1, "empty"}, {"{{ 'a }}", 1, 4, "quotation mark"},
		{"{% if code %}x", 1, 1, "has no endif"}, {"{% if code %}x{% endfor %}", 1, 15, "endfor stands where endif belongs, for the if in line 1"},
		{"x{% endif %}", 1, 2, "nothing that it belongs to"}, {"{% else %}", 1, 1, "nothing that it belongs to"}, {"{% comment %}", 1, 1, "no endcomment"},
		{"{% if %}{% endif %}", 1, 1, "needs a condition"}, {"{% if code == %}{% endif %}", 1, 7, "cannot be read"}, {"{{ code code }}", 1, 4, "cannot be read"},
		{"{% assign = 1 %}", 1, 1, "assign is written as"}, {"{% for list %}{% endfor %}", 1, 1, "for is written as"}, {"{% break %}", 1, 1, "inside of a loop"},
		{"{% if code %}{% else x %}{% endif %}", 1, 22, "else takes nothing"}, {"{{ code; code }}", 1, 8, "no place in an expression"},
		{"{{ 99999999999999999999 }}", 1, 4, "more than 15 digits"}, {"{% case code %}x{% endcase %}", 1, 1, "there can be nothing"},
		{strings.Repeat("{% if code %}", 21), 1, 261, "more than 20 deep"}, {strings.Repeat("x", liquid.MaxSource+1), 1, 1, "at most 100000"},
		{"{% for i in list %}" + strings.Repeat("{{ i }}", 101) + "{% endfor %}", 1, 716, "more than 20000 steps"},
		{"{% for i in list %}{% if i == i " + strings.Repeat("and i == i ", 300) + "%}{% endif %}{% endfor %}", 1, 26, "more than 20000 steps"},
	} {
		_, err := dialect.Parse(test.source)
		var found *liquid.Error
		if !errors.As(err, &found) {
			t.Errorf("%.60s: %v", test.source, err)
			continue
		}
		if found.Line != test.line || found.Column != test.column || !strings.Contains(found.Problem, test.problem) {
			t.Errorf("%.60s\n got %v\nwant line %d, column %d: %s", test.source, found, test.line, test.column, test.problem)
		}
	}
}

// What passes the checks can still run into a bound, and then ends with the place and without any value.
func TestRenderStopsAtItsBounds(t *testing.T) {
	for name, test := range map[string]struct {
		source  string
		line    int
		problem string
	}{
		"a value that doubles":    {"{% assign a = 'xy' %}\n{% for i in (1..99) %}{% assign a = a | append: a %}{% endfor %}", 2, "longer than 32000 bytes"},
		"replacing every letter":  {"{% assign a = 'xxxxxxxxxxxxxxxxxxxx' %}{% for i in (1..9) %}{% assign a = a | replace: 'x', a %}{% endfor %}", 1, "longer than 32000 bytes"},
		"replacing nothing":       {"{% assign a = 'xxxxxxxxxxxxxxxxxxxx' %}{% for i in (1..9) %}{% assign a = a | replace: '', a %}{% endfor %}", 1, "longer than 32000 bytes"},
		"an output that is long":  {"\n{% for i in (1..100) %}" + strings.Repeat("long", 1000) + "{% endfor %}", 1, "longer than 200000 bytes"},
		"filters that read much":  {"{% assign a = '" + strings.Repeat("x", 9000) + "' %}{% for i in (1..100) %}{% assign b = a | upcase %}{% endfor %}", 1, "read and write more than 1000000 bytes"},
		"a number that is a word": {"{{ code | append: 'x' | plus: 1 }}", 1, "filter plus cannot be applied"},
		"zero":                    {"{{ 1 | divided_by: 0 }}", 1, "filter divided_by cannot be applied"},
		"too many arguments":      {"{{ code | upcase: 1, 2, 3 }}", 1, "filter upcase cannot be applied"},
		"a limit that is a word":  {"{% for i in list limit: code %}{% endfor %}", 1, "whole numbers"},
		"a map and a map":         {"{% case user %}{% when application %}same{% endcase %}", 1, "cannot be computed from these values"}, // the library panics
		"a text that is none":     {"{{ code | t }}", 1, "does not know this text"},
		"a directive":             {"{{ 'now' | date: '%Q' }}", 1, "does not know this directive"},
		"a directive cut off":     {"{{ 'now' | date: '%' }}", 1, "does not know this directive"},
	} {
		parsed, err := dialect.Parse(test.source)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := parsed.Render(t.Context(), scope())
		var found *liquid.Error
		if !errors.As(err, &found) || got != "" || found.Line != test.line || !strings.Contains(found.Problem, test.problem) {
			t.Errorf("%s: %.60q, %v; want line %d: %s", name, got, err, test.line, test.problem)
		}
		if err != nil && strings.Contains(err.Error(), "482913") {
			t.Errorf("%s: the error holds the code: %v", name, err)
		}
	}
}

func TestRenderEndsWithItsContext(t *testing.T) {
	parsed, err := dialect.Parse("a{{ code }}")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := parsed.Render(ctx, scope()); !errors.Is(err, context.Canceled) || got != "" {
		t.Errorf("%q, %v", got, err)
	}
}

// One message leaves nothing behind for the next, which the pool of renderings would make possible.
func TestNothingIsLeftForTheNextRendering(t *testing.T) {
	first, err := dialect.Parse("{% assign kept = code %}{% increment n %}{{ kept }}")
	if err != nil {
		t.Fatal(err)
	}
	second, err := dialect.Parse("{% if false %}{% assign kept = 1 %}{% endif %}{{ kept }}{{ code }}{% increment n %}")
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := first.Render(t.Context(), scope()); err != nil {
			t.Fatal(err)
		}
		if got, err := second.Render(t.Context(), &liquid.Scope{}); err != nil || got != "0" {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

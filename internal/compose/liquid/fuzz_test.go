package liquid_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/compose/liquid"
)

// FuzzTemplate gives strangers' templates to Parse and what passes to Render. Whatever they say, both return: work is
// bounded by what the template says, and the fuzzer itself reports what hangs. No value gets into HTML unescaped.
func FuzzTemplate(f *testing.F) {
	for _, source := range []string{
		"{{ code }}", "{% for i in (1..100) %}{{ i }}{% endfor %}", "{% for i in list reversed limit:2 %}{{ forloop.index }}{% else %}{% endfor %}",
		"{% assign a = code | append: a | replace: '', a %}{% if a contains 'b' or a == nil %}{{- a -}}{% elsif a %}{% endif %}",
		"{% case language %}{% when 'de', 'fr' or 'en' %}{% else %}{% endcase %}", "{% tablerow i in list cols:2 %}{% cycle 'a', 'b' %}{% endtablerow %}",
		"{% raw %}{{ {% endraw %}{% comment %}{% if %}{% endcomment %}", "{% increment n %}{% decrement n %}", "{{ 'mail.title' | t | upcase | slice: -2, 9 }}",
		"{{ application.name | url_decode | newline_to_br | escape_once }}", "{{ 'now' | date: '%Y%m%-d' }}", "{{ list | sort | uniq | join: '-' | split: '' | last }}",
		"{{ 1 | divided_by: 0 }}{{ 'x' | truncate: -5, '.' }}{{ 'x' | slice: -9, -9 }}", "{{ user['email'].size }}", "{% unless (1..2) == 2 %}{% endunless %}",
		"{{{{}}}}{%%}{% - %}", "{% for i in (1..2) %}{% break %}{% endfor %}", "{{ -1 | modulo: 0.0 | round: 9 | ceil | at_most: -1e }}",
	} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		parsed, err := dialect.Parse(source)
		if err != nil {
			place(t, source, err)
			return
		}
		if parsed.Steps() > 20_000 {
			t.Errorf("%d steps were let through", parsed.Steps())
		}
		for _, html := range []bool{false, true} {
			s := scope()
			s.HTML = html
			s.Values["application"] = map[string]any{"name": "\ue000<\ue000\"\ue000%3C\ue000&lt;\ue000"}
			got, err := parsed.Render(t.Context(), s)
			if err != nil {
				place(t, source, err)
			}
			if len(got) > liquid.MaxOutput {
				t.Errorf("%d bytes of output", len(got))
			}
			if html && !strings.Contains(source, "\ue000") && (strings.Contains(got, "\ue000<") || strings.Contains(got, "\ue000\"")) {
				t.Errorf("%q writes a value unescaped: %q", source, got)
			}
		}
	})
}

// place demands that an error points into the source.
func place(t *testing.T, source string, err error) {
	var found *liquid.Error
	if !errors.As(err, &found) {
		t.Fatalf("%q: %T %v names no place", source, err, err)
	}
	lines := strings.Split(source, "\n")
	if found.Line < 1 || found.Line > len(lines) || found.Column < 1 || found.Column > len([]rune(lines[found.Line-1]))+1 {
		t.Errorf("%q: %v points outside", source, err)
	}
}

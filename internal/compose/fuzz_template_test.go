package compose_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/outbox"
)

// FuzzCompile gives strangers' documents to Compile and sends what passes. What passes is sent with its code, in one
// line of subject and with its bound line last; what fails for a message falls back and says so.
func FuzzCompile(f *testing.F) {
	f.Add("{{ code }} {{ application.name }}", "{{ t.lead }} {{ code }}", page)
	f.Add("{{ 'mail.subject' | t }}", "", "<a title='{{ application.name | newline_to_br }}' href='mailto:{{ email }}'>{{ code }}</a>")
	f.Add("x", "{% if expires_in %}{{ expires_in }}{% endif %}{{ code | slice: 0, 3 }}-{{ code | slice: 3, 3 }}", "")
	f.Add("x\r\ny", "{{ code }}\n@evil.example #1", "<!-- {{ application.name }} --><style>p{}</style><p style='display:none'>{{ code }}</p>{{ code }}")
	f.Add("{% for i in (1..9) %}{{ i }}{% endfor %}", "{{ code }}", "<textarea>{{ code }}</textarea><title>{{ application.name }}</title><svg><p {{ code }}></svg>")
	catalogues := composer(f).Catalogues
	f.Fuzz(func(t *testing.T, subject, text, html string) {
		c := &compose.Composer{Catalogues: catalogues}
		d := compose.TemplateDocument{Name: "f", Channel: outbox.Email, Language: "en", Purpose: "sign_in", Subject: subject, Text: text, HTML: html}
		compiled, err := compose.Compile(d, compose.Rules{Composer: c})
		if err != nil {
			var problems compose.Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		c.Templates = func(compose.Content) []*compose.Template { return []*compose.Template{compiled} }
		for _, name := range append([]string{"", "Contoso"}, hostile...) {
			asked := content(outbox.Email, "en", "sign_in")
			asked.Application = name
			m := say(t, c, asked)
			if strings.ContainsAny(m.Subject, "\r\n\x00") || m.Subject == "" {
				t.Errorf("the name %q makes the subject %q", name, m.Subject)
			}
			if !strings.HasSuffix(m.Text, "\n\n@login.contoso.com #482913") || len(m.Text) > 3*200_000 || len(m.HTML) > 200_000 {
				t.Errorf("the name %q makes a text of %d bytes that ends %.40q", name, len(m.Text), m.Text[max(0, len(m.Text)-40):])
			}
		}
	})
}

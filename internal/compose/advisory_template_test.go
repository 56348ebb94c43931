package compose_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/outbox"
)

// listmonk CVE-2025-49136 (GO-2025-3745): a template that users wrote could read the environment, through a library of
// functions that was there for others. Here the functions are a closed list, and what is on it reaches nothing outside.
func TestAdvisory_CVE_2025_49136_TemplatesReachNothingOutside(t *testing.T) {
	t.Setenv("OTPOST_ADVISORY_TEST", "what-the-environment-holds")
	c := house(t)
	rules := compose.Rules{Composer: c}
	for _, source := range []string{
		"{{ 'OTPOST_ADVISORY_TEST' | env }}", "{{ 'OTPOST_ADVISORY_TEST' | expandenv }}", "{{ env.OTPOST_ADVISORY_TEST }}", "{{ ENV['PATH'] }}",
		"{{ 'id' | exec }}", "{{ 'id' | system }}", "{{ '/etc/passwd' | file }}", "{{ '/etc/passwd' | read }}", "{{ 'example.org' | getHostByName }}",
		"{{ code | call }}", "{{ code | raw }}", "{{ code | safe }}", "{{ code | json }}", "{{ user | inspect }}", "{{ code | type }}", "{{ code | eval }}",
		"{% include '/etc/passwd' %}", "{% include 'main' %}", "{% render 'main' %}", "{% layout 'main' %}", "{% section 'main' %}", "{% debug %}", "{% php %}x{% endphp %}",
		"{{ application.constructor }}", "{{ user.ToLiquid }}", "{{ t.tree }}", "{{ self }}", "{{ _ }}", "{{ forloop.parentloop }}",
		"{% capture x %}{% endcapture %}", "{% for i in (1..2) %}{% for j in (1..2) %}{% endfor %}{% endfor %}",
	} {
		d := mailDocument()
		for field, into := range map[string]*string{"subject": &d.Subject, "from_name": &d.FromName, "text": &d.Text, "html": &d.HTML} {
			before := *into
			*into = "{{ code }}" + source
			if _, err := compose.Compile(d, rules); err == nil || !strings.Contains(err.Error(), field+", line 1, column") {
				t.Errorf("%s: %s was not refused with its place: %v", field, source, err)
			}
			if shown, err := compose.Preview(d, rules, compose.Sample(outbox.Email)); err == nil {
				t.Errorf("%s: %s was previewed: %q", field, source, shown[0].Message.Text)
			}
			*into = before
		}
	}
	// What looks like another language of templates is text.
	for _, source := range []string{"${OTPOST_ADVISORY_TEST}", "$OTPOST_ADVISORY_TEST", "<%= ENV %>", "#{1}", "@@password@@", "%{x}", "[[ x ]]", "{ x }"} {
		d := smsDocument()
		d.Text = "{{ code }} " + source
		if m := say(t, with(t, c, compile(t, c, d)), content(outbox.SMS, "en", "mfa")); !strings.HasPrefix(m.Text, "482913 "+source+"\n") {
			t.Errorf("%s became %q", source, m.Text)
		}
	}
}

// A name is data, in a template as well: syntax in it is shown and not run, whatever the template does to it first.
func TestAdvisory_CVE_2025_49136_ANameIsNeverATemplate(t *testing.T) {
	c := house(t)
	for _, use := range []string{"{{ application.name }}", "{% assign x = application.name %}{{ x }}", "{{ application.name | append: '' | strip }}",
		"{{ 'mail.sign_in.title' | t }}", "{{ t.title }}", "{{ application.name | url_decode }}"} {
		d := mailDocument()
		d.Language = "en"
		d.Subject, d.FromName, d.Text, d.HTML = "Hello "+use, use, use+" {{ code }}", "<p>"+use+" {{ code }}</p>"
		with(t, c, compile(t, c, d))
		for _, name := range []string{"{{ code }}", "{% assign x = 1 %}", "{% raw %}", "{{ 'x' | t }}", "{code}"} {
			asked := content(outbox.Email, "en", "sign_in")
			asked.Application = name
			m := say(t, c, asked)
			for where, text := range map[string]string{"subject": m.Subject, "from_name": m.FromName, "text": m.Text, "html": m.HTML} {
				if !strings.Contains(text, strings.ReplaceAll(name, "'", map[bool]string{true: "&#39;", false: "'"}[where == "html"])) {
					t.Errorf("%s: the name %q is not shown as it stands in the %s: %q", use, name, where, text)
				}
			}
			if strings.Contains(m.Subject, "482913") {
				t.Errorf("%s: the name %q was run: %q", use, name, m.Subject)
			}
		}
	}
}

// Zitadel CVE-2024-41953 (GO-2024-3015), Vikunja CVE-2026-35600 (GO-2026-5111): a user's text stood unescaped in a mail.
// No template of an operator can bring that about, whatever filters it uses.
func TestAdvisory_CVE_2024_41953_HostileNamesAreInertInEveryTemplate(t *testing.T) {
	c := house(t)
	for _, use := range []string{"{{ application.name }}", "{{ application.name | escape }}", "{{ application.name | escape_once | escape }}",
		"{{ application.name | upcase | downcase }}", "{{ application.name | url_encode | url_decode }}", "{{ application.name | newline_to_br }}",
		"{{ application.name | replace: '&lt;', '<' | replace: '%3C', '<' }}", "{{ application.name | split: '' | join: '' }}",
		"{% assign n = application.name | truncate: 60 %}{{ n }}", "{{ application.name | slice: 0, 99 }}", "{{ t.title }}", "{{ t.sms }}",
		"{% for w in (1..1) %}{{ application.name | default: w }}{% endfor %}"} {
		d := mailDocument()
		d.Subject, d.FromName, d.Text = "{{ code }} "+use, "{{ application.name }}", "{{ code }} for\n"+use+"\nend"
		d.HTML = `<h1 title="` + use + `">` + use + `</h1><p title='` + use + `'>{{ code }}</p>`
		parsed, err := compose.Parse(d, compose.Rules{Composer: c})
		if err != nil {
			t.Fatal(err)
		}
		with(t, c, parsed)
		for _, l := range []string{"ar", "en", "ja"} {
			asked := content(outbox.Email, l, "sign_in")
			lines := strings.Count(say(t, c, asked).Text, "\n")
			honest := names(shape(t, say(t, c, asked).HTML))
			for _, name := range hostile {
				asked.Application = name
				m := say(t, c, asked)
				if got := names(shape(t, m.HTML)); compose.Inert(name) != "" && !slices.Equal(got, honest) {
					t.Errorf("%s %s: the name %q changes the page:\n%q\n%q", l, use, name, got, honest)
				}
				if n := strings.Count(m.Text, "\n"); compose.Inert(name) != "" && n != lines {
					t.Errorf("%s %s: the name %q makes %d lines of %d:\n%s", l, use, name, n, lines, m.Text)
				}
				checkInert(t, m, name)
				if strings.ContainsFunc(m.FromName, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u202e' }) {
					t.Errorf("%s: from_name %q", use, m.FromName)
				}
			}
		}
	}
}

// names are the elements of a page and how many attributes each has: their values are the name, and so differ.
func names(shape string) []string {
	var all []string
	for line := range strings.Lines(shape) {
		element, _, _ := strings.Cut(line, " ")
		all = append(all, element+strings.Repeat(" title", strings.Count(line, "{ title ")))
	}
	return all
}

package compose_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/outbox"
)

// everyVariable says all that Auth0's templates and otpost's own can say.
const everyVariable = `{{ code }}|{{ application.name }}|{{ application.clientID }}|{{ connection.name }}|{{ tenant }}|{{ friendly_name }}|` +
	`{{ support_email }}|{{ support_url }}|{{ request_language }}|{{ user.email }}|{{ email }}|{{ send }}|{{ custom_domain.domain }}|` +
	`{{ purpose }}|{{ channel }}|{{ language }}|{{ locale }}|{{ direction }}|{{ expires_in }}|{{ expires_minutes }}|{{ domain }}`

// page is a mail as somebody would write it: one for all languages, of the catalogue's texts.
const page = `<!doctype html>
<html lang="{{ language }}" dir="{{ direction }}"><head><title>{{ t.title }}</title><style>p{margin:0}</style></head>
<body>
  <div style="display:none">{{ t.subject }}</div>
  <h1>{{ t.title }}</h1>
  <p>{{ 'mail.sign_in.lead' | t }}</p>
  <p>{{ friendly_name | default: "We" }}: <b>{{ code }}</b>.</p>
  <ul><li>{{ t.expires }}</li><li>{{ t.secret | upcase }}</li></ul>
  <p><a href="https://help.example.org/?l={{ language }}">Help &amp; more</a></p>
  {% if user.name %}<p>{{ user.name }}</p>{% endif %}
</body></html>`

func mailDocument() compose.TemplateDocument {
	return compose.TemplateDocument{Name: "mail", Channel: outbox.Email, Subject: "{{ code }} {{ application.name }}", HTML: page, Syntax: "liquid"}
}

func smsDocument() compose.TemplateDocument {
	return compose.TemplateDocument{Name: "sms", Channel: outbox.SMS, Text: "{{ t.sms }}"}
}

func house(t testing.TB) *compose.Composer {
	c := composer(t)
	c.House = func() compose.House {
		return compose.House{Tenant: "contoso-prod", Name: "Contoso Ltd", SupportEmail: "help@example.org", SupportURL: "https://help.example.org"}
	}
	c.Now = func() time.Time { return time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC) }
	return c
}

func compile(t testing.TB, c *compose.Composer, d compose.TemplateDocument) *compose.Template {
	t.Helper()
	compiled, err := compose.Compile(d, compose.Rules{Composer: c})
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// with lets the composer choose among templates, and fails the test when one of them cannot be rendered.
func with(t testing.TB, c *compose.Composer, templates ...*compose.Template) *compose.Composer {
	c.Templates = func(compose.Content) []*compose.Template { return templates }
	c.Failed = func(name string, err error) { t.Errorf("template %s: %v", name, err) }
	return c
}

func TestTemplateSaysWhatItIsTold(t *testing.T) {
	c := house(t)
	d := mailDocument()
	d.From, d.FromName, d.Text, d.HTML = "code@example.org", "{{ application.name }} Security", everyVariable, "<p>"+everyVariable+"</p>"
	with(t, c, compile(t, c, d))
	asked := content(outbox.Email, "fr-CA", "sign_in")
	asked.ApplicationID, asked.Application = "app_0123456789", "A & B"
	m := say(t, c, asked)
	want := "482913|A & B|app_0123456789|email|contoso-prod|Contoso Ltd|help@example.org|https://help.example.org|fr-CA|lea@example.org|" +
		"lea@example.org|code|login.contoso.com|sign_in|email|fr|fr|ltr|10 minutes|10|login.contoso.com"
	if m.Text != want+"\n\n@login.contoso.com #482913" {
		t.Errorf("text\n got %s\nwant %s", m.Text, want)
	}
	if want = "<p>" + strings.ReplaceAll(want, "&", "&amp;") + "</p>"; m.HTML != want {
		t.Errorf("HTML\n got %s\nwant %s", m.HTML, want)
	}
	if m.From != "code@example.org" || m.FromName != "A & B Security" || m.Subject != "482913 A & B" || m.Language != "fr" ||
		m.Purpose != "sign_in" || m.Passcode != "pc_1" || m.To != "lea@example.org" || m.Code != "482913" || m.Application != "A & B" {
		t.Errorf("%+v", m)
	}
}

// Auth0's own examples of templates, in their manner, are taken as they stand.
func TestAuth0sVariablesWorkUnchanged(t *testing.T) {
	c := house(t)
	for name, html := range map[string]string{
		"verify by code": `<p>Hi {{ user.name | default: user.email | escape }},</p><p>Your code for {{ application.name }} ({{ tenant }}): {{ code }}</p>{% if support_url %}<a href="https://a.example">{{ friendly_name }}</a>{% endif %}`,
		"passwordless":   `{% if send == 'link' or send == 'link_ios' or send == 'link_android' %}<a href="https://x.example/{{ link }}">in</a>{% elsif send == 'code' %}{% if operation == 'change_email' %}change{% else %}{{ code }}{% endif %}{% endif %}`,
		"languages":      `{% assign language = request_language | slice: 0, 2 %}{% if language == 'de' %}Ihr Code{% elsif language == 'fr' %}Votre code{% else %}Your code{% endif %} {{ code }}`,
		"case":           `{% case request_language %}{% when 'de', 'de-DE' %}Code{% else %}Code{% endcase %}: {{ code }} {{ 'now' | date: '%Y' }}`,
		"organization":   `{% if organization.display_name != blank %}{{ organization.branding.logo_url }}{% endif %}{{ code }} {{ user.user_metadata.colour }}{{ user.app_metadata['plan'] }}`,
		"metadata loop":  `{% for role in user.app_metadata.roles %}{{ role }}{% endfor %}{{ code }}{% comment %}{{ gone }}{% endcomment %}{{ custom_domain.domain }}`,
		"blocked":        `{{ user.source_ip }}{{ user.city }}{{ user.country }}{{ url }}{{ inviter.name }}{{ connection.strategy }}{{ code }}`,
	} {
		d := mailDocument()
		d.HTML = html
		compiled, err := compose.Compile(d, compose.Rules{Composer: c})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name == "blocked" && (len(compiled.Warnings) != 6 || compiled.Warnings[0].Column != 4 || !strings.Contains(compiled.Warnings.Error(), "url is always empty: otpost sends codes, not links")) {
			t.Errorf("%s: warnings %v", name, compiled.Warnings)
		}
		if m := say(t, with(t, c, compiled), content(outbox.Email, "de", "sign_in")); !strings.Contains(m.HTML, "482913") {
			t.Errorf("%s: %s", name, m.HTML)
		}
	}
}

// Each variable is known, and is empty if and only if the list says so.
func TestVariablesHoldWhatTheListSays(t *testing.T) {
	c := house(t)
	for _, v := range compose.Variables() {
		for _, channel := range []outbox.Channel{outbox.Email, outbox.SMS} {
			path := strings.Replace(v.Name, ".*", ".anything", 1)
			d := compose.TemplateDocument{Name: "v", Channel: channel, Language: "en", Text: "{% if " + path + " %}yes{% else %}no{% endif %} {{ code }}"}
			if channel == outbox.Email {
				d.Subject = "x"
			}
			asked := content(channel, "en", "mfa")
			asked.ApplicationID = "a"
			m := say(t, with(t, c, compile(t, c, d)), asked)
			want := !v.Empty
			switch v.Name {
			case "email", "user.email":
				want = channel == outbox.Email
			case "phone_number", "user.phone_number":
				want = channel == outbox.SMS
			}
			if got := strings.HasPrefix(m.Text, "yes"); got != want {
				t.Errorf("%s over %s: %q, the list says empty: %v", v.Name, channel, m.Text, v.Empty)
			}
		}
	}
}

func TestOneTemplateServesEveryLanguage(t *testing.T) {
	c := house(t)
	mail, sms := compile(t, c, mailDocument()), compile(t, c, smsDocument())
	built := house(t)
	with(t, c, mail, sms)
	for _, l := range c.Catalogues.Languages() {
		for _, purpose := range purposes {
			for _, application := range []string{"Contoso", ""} {
				for _, lifetime := range []time.Duration{10 * time.Minute, 0} {
					asked := content(outbox.Email, l.Tag(), purpose)
					asked.Application, asked.Lifetime = application, lifetime
					got, want := say(t, c, asked), say(t, built, asked)
					title, _, _ := strings.Cut(want.Text, "\n")
					if !strings.HasPrefix(got.Text, title+"\n\n") || !strings.Contains(got.Text, "\n\n482913\n\n") || !strings.HasSuffix(got.Text, "\n\n@login.contoso.com #482913") {
						t.Errorf("%s %s: text\n%s", l, purpose, got.Text)
					}
					if !strings.Contains(got.HTML, fmt.Sprintf(`<html lang="%s" dir="%s">`, l.Tag(), l.Direction())) || got.Language != l.Tag() {
						t.Errorf("%s %s: HTML\n%s", l, purpose, got.HTML)
					}
					asked.Channel, asked.To = outbox.SMS, "+4930123456"
					if got, want := say(t, c, asked), say(t, built, asked); got != want {
						t.Errorf("%s %s: t.sms is %q, the built-in SMS %q", l, purpose, got.Text, want.Text)
					}
				}
			}
		}
	}
}

func TestTextIsMadeOfHTML(t *testing.T) {
	c := house(t)
	asked := content(outbox.Email, "en", "sign_in")
	m := say(t, with(t, c, compile(t, c, mailDocument())), asked)
	want := `Sign in to Contoso

Enter this code to sign in.

Contoso Ltd:

482913

- The code works once and expires in 10 minutes.
- NEVER SHARE IT WITH ANYONE, NOT EVEN SUPPORT STAFF.

Help & more (https://help.example.org/?l=en)

@login.contoso.com #482913`
	if m.Text != want {
		t.Errorf("got\n%s\nwant\n%s", m.Text, want)
	}
	for html, want := range map[string]string{
		"<p>Your code is {{ code }}, dear.</p>":                                          "482913\n\nYour code is 482913, dear.",
		"<table><tr><td>Code</td><td>{{ code }}</td></tr><tr><td>b</td></tr></table>":    "Code\n\n482913\n\nb",
		"a<br>b<br><br>c <span>{{ code }}</span>":                                        "a\nb\n\nc\n\n482913",
		"{{ code }}<script type='x'></script>":                                           "",
		"<img src='https://x.example/l.png' alt='Logo &amp; name'>{{ code }}":            "Logo & name\n\n482913",
		"<a href='mailto:help@example.org'>help@example.org</a> {{ code }}":              "help@example.org\n\n482913",
		"<a href='https://x.example/'><img src='https://x.example/l.png'></a>{{ code }}": "https://x.example/\n\n482913",
		"<div hidden style='DISPLAY: none'>x<div>y</div>z</div><b>{{ code }}</b>!":       "482913",
		"<p>{{ code | slice: 0, 3 }} {{ code | slice: 3, 3 }}</p>":                       "482913\n\n482 913",
		"x &lt;b&gt; &nbsp;y<p>{{ code }}":                                               "x <b> \u00a0y\n\n482913",
	} {
		d := mailDocument()
		d.Language, d.HTML = "en", html
		compiled, err := compose.Compile(d, compose.Rules{Composer: c})
		if want == "" {
			if err == nil || !strings.Contains(err.Error(), "script") {
				t.Errorf("%s: %v", html, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", html, err)
			continue
		}
		if m := say(t, with(t, c, compiled), asked); m.Text != want+"\n\n@login.contoso.com #482913" {
			t.Errorf("%s\n got %q\nwant %q", html, m.Text, want)
		}
	}
}

func TestCompileRefusesWithThePlace(t *testing.T) {
	c := house(t)
	for name, test := range map[string]struct {
		change func(*compose.TemplateDocument)
		want   string
	}{
		"name":                 {func(d *compose.TemplateDocument) { d.Name = "My template" }, `name: "My template" is not a name`},
		"syntax":               {func(d *compose.TemplateDocument) { d.Syntax = "handlebars" }, `syntax: "handlebars" is not known`},
		"purpose":              {func(d *compose.TemplateDocument) { d.Purpose = "signin" }, `purpose: "signin" is not a purpose`},
		"language":             {func(d *compose.TemplateDocument) { d.Language = "!" }, `language: "!" is not a language tag`},
		"channel":              {func(d *compose.TemplateDocument) { d.Channel = "fax" }, `channel: "fax" is not a channel`},
		"from with a name":     {func(d *compose.TemplateDocument) { d.From = "Lea <lea@example.org>" }, "belongs in from_name"},
		"from of two lines":    {func(d *compose.TemplateDocument) { d.From = "lea@example.org\r\nBcc: x@example.org" }, "from: "},
		"no subject":           {func(d *compose.TemplateDocument) { d.Subject = " " }, "subject: a mail needs a subject"},
		"nothing said":         {func(d *compose.TemplateDocument) { d.HTML = "" }, "html: the template says nothing"},
		"unknown variable":     {func(d *compose.TemplateDocument) { d.HTML = "\n {{ user.mail }}" }, `html, line 2, column 5: unknown variable "user.mail"; did you mean user.email?`},
		"unknown text":         {func(d *compose.TemplateDocument) { d.Subject = "{{ t.sign_in.titel }}" }, `did you mean t.sign_in.title?`},
		"unknown key":          {func(d *compose.TemplateDocument) { d.Subject = "{{ 'mail.secert' | t }}" }, `subject, line 1, column 4: unknown text "mail.secert"; did you mean mail.secret?`},
		"a key of other slots": {func(d *compose.TemplateDocument) { d.Subject = "{{ 'duration.joined' | t }}" }, "unknown text"},
		"oversize":             {func(d *compose.TemplateDocument) { d.HTML = strings.Repeat("x", 100_001) }, "html, line 1, column 1: the template has 100001 bytes; at most 100000 are allowed"},
		"no code":              {func(d *compose.TemplateDocument) { d.HTML = "<p>Hello" }, "html (ar, verify): the code is not in it"},
		"the code in a header": {func(d *compose.TemplateDocument) { d.HTML = "<p>See the subject" }, "the code is not in it"},
		"no code in the HTML":  {func(d *compose.TemplateDocument) { d.Text, d.HTML = "{{ code }}", "<p>See" }, "html (ar, verify): the code is not in it"},
		"a code that is fixed": {func(d *compose.TemplateDocument) { d.HTML = "<p>730518" }, "another code): the code is not in it"},
		"code for the named":   {func(d *compose.TemplateDocument) { d.HTML = "{% if application.name %}{{ code }}{% endif %}" }, "no application): the code is not in it"},
		"code for one purpose": {func(d *compose.TemplateDocument) { d.HTML = "{% if purpose == 'mfa' %}{% else %}{{ code }}{% endif %}" }, "html (ar, mfa): the code is not in it"},
		"code in one language": {func(d *compose.TemplateDocument) { d.HTML = "{% unless language == 'ja' %}{{ code }}{% endunless %}" }, "html (ja, verify): the code is not in it"},
		"code while it lasts":  {func(d *compose.TemplateDocument) { d.HTML = "{% if expires_in %}{{ code }}{% endif %}" }, "lifetime unknown): the code is not in it"},
		"a hidden code":        {func(d *compose.TemplateDocument) { d.HTML = "<p style='display:none'>{{ code }}</p>x" }, "the code is not in it"},
		"a code not shown": {func(d *compose.TemplateDocument) {
			d.Text, d.HTML = "{{ code }}", "<p style='display:none'>{{ code }}</p>x"
		}, "html (ar, verify): the code is not in it"},
		"an empty subject": {func(d *compose.TemplateDocument) { d.Subject = "{{ user.name }}" }, "subject (ar, verify): it is empty"},
		"a long subject":   {func(d *compose.TemplateDocument) { d.Subject = strings.Repeat("x", 201) }, "longer than 200 characters"},
		"a long sender":    {func(d *compose.TemplateDocument) { d.FromName = strings.Repeat("x", 151) }, "longer than 150 characters"},
		"endless growth": {func(d *compose.TemplateDocument) {
			d.HTML = "{{ code }}{% assign a = 'xy' %}{% for i in (1..50) %}{% assign a = a | append: a %}{% endfor %}"
		}, "html, line 1, column 64 (ar, verify): a value becomes longer"},
		"an endless loop":    {func(d *compose.TemplateDocument) { d.HTML = "{{ code }}{% for i in (1..1000000000) %}{% endfor %}" }, "html, line 1, column 25: the range has more than 100 numbers"},
		"an unquoted value":  {func(d *compose.TemplateDocument) { d.HTML = "<p title={{ application.name }}>{{ code }}" }, "a value changes the page"},
		"a value in a tag":   {func(d *compose.TemplateDocument) { d.HTML = "<p {{ application.name }}>{{ code }}" }, "a value changes the page"},
		"a value in a style": {func(d *compose.TemplateDocument) { d.HTML = "<p style='color:{{ application.name }}'>{{ code }}" }, "a value stands in a style"},
		"a value in a sheet": {func(d *compose.TemplateDocument) { d.HTML = "<style>{{ application.name }}</style>{{ code }}" }, "a value stands in a style"},
		"a script":           {func(d *compose.TemplateDocument) { d.HTML = "<script>1</script>{{ code }}" }, "a mail cannot have a script"},
		"a handler":          {func(d *compose.TemplateDocument) { d.HTML = "<p onclick='x()'>{{ code }}" }, "the attribute onclick is a script"},
		"a value that leads": {func(d *compose.TemplateDocument) {
			d.HTML = "<a href='https://x.example/{{ application.name }}'>{{ code }}</a>"
		}, "where href leads"},
	} {
		d := mailDocument()
		test.change(&d)
		_, err := compose.Compile(d, compose.Rules{Composer: c})
		var problems compose.Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v\nwant %s", name, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "482913") {
			t.Errorf("%s: the error holds a code: %v", name, err)
		}
	}
	for name, test := range map[string]struct {
		change func(*compose.TemplateDocument)
		want   string
	}{
		"no text": {func(d *compose.TemplateDocument) { d.Text = "" }, "text: the template says nothing"},
		"HTML":    {func(d *compose.TemplateDocument) { d.HTML = "x" }, "html: an SMS has none"},
		"subject": {func(d *compose.TemplateDocument) { d.Subject = "x" }, "subject: an SMS has none"},
		"sender":  {func(d *compose.TemplateDocument) { d.From = "a name that is long" }, "is not a sender"},
		"no code": {func(d *compose.TemplateDocument) { d.Text = "hello" }, "text (ar, verify): the code is not in it"},
	} {
		d := smsDocument()
		test.change(&d)
		if _, err := compose.Compile(d, compose.Rules{Composer: c}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("SMS, %s: %v\nwant %s", name, err, test.want)
		}
	}
}

// Nothing that a template writes, or is given, makes a second line of a header.
func TestNoTemplateMakesASecondHeader(t *testing.T) {
	c := house(t)
	for _, subject := range []string{"{{ code }}\r\nBcc: x@evil.example", "{{ code }}{{ '\nBcc: x@evil.example' }}", "{{ code }}{% for i in (1..3) %}\r\n{% endfor %}.",
		"{{ code | append: '\r\n\r\nbody' }}", "{{ code }}{{ '%0D%0ABcc: x' | url_decode }}", "{{ code }}\u2028Bcc: x\u0085y\x00z\x0b"} {
		d := mailDocument()
		d.Language, d.Subject, d.FromName = "en", subject, subject
		m := say(t, with(t, c, compile(t, c, d)), content(outbox.Email, "en", "mfa"))
		for _, header := range []string{m.Subject, m.FromName} {
			if !strings.HasPrefix(header, "482913") || strings.ContainsFunc(header, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' }) {
				t.Errorf("%q became %q", subject, header)
			}
		}
	}
}

package compose_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/outbox"
)

// A template that passed its trial and fails for one message costs nobody a sign-in: the built-in wording is said, and
// the failure is reported without the code.
func TestATemplateThatFailsIsReplacedByTheBuiltInWording(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"an error":   {"{{ code }}{% if application.name contains 'Broken' %}{{ application.name | plus: 1 }}{% endif %}", "text: line 1, column 57: the filter plus cannot be applied to this value"},
		"no code":    {"{% unless application.name contains 'Broken' %}{{ code }}{% endunless %}", "text: the code is not in it"},
		"too long":   {"{{ code }}{% if application.name contains 'Broken' %}{% for i in (1..100) %}" + strings.Repeat("x", 3000) + "{% endfor %}{% endif %}", "longer than 200000 bytes"},
		"code apart": {"{{ code | slice: 0, 6 }}{% if code contains 'A' %}{% endif %}", "text: the code is not in it"},
	} {
		c := house(t)
		d := smsDocument()
		d.Text = test.text
		compiled := compile(t, c, d)
		built := house(t)
		var failed []string
		c.Templates = func(compose.Content) []*compose.Template { return []*compose.Template{compiled} }
		c.Failed = func(name string, err error) { failed = append(failed, name+" "+err.Error()) }
		fine := content(outbox.SMS, "de", "sign_in")
		if m := say(t, c, fine); m == say(t, built, fine) || len(failed) != 0 {
			t.Errorf("%s: the template was not used: %q %q", name, m.Text, failed)
		}
		broken := fine
		broken.Application, broken.Code = "Broken", "AB12CD34"
		if got, want := say(t, c, broken), say(t, built, broken); got != want {
			t.Errorf("%s: got %+v, want the built-in wording", name, got)
		}
		if len(failed) != 1 || !strings.HasPrefix(failed[0], "sms ") || !strings.Contains(failed[0], test.want) || strings.Contains(failed[0], "AB12CD34") {
			t.Errorf("%s: reported %q, want %s", name, failed, test.want)
		}
		c.Failed = nil
		say(t, c, broken)
	}
}

// A document that was kept is read again without its trial, and then says the same.
func TestParseTakesWhatWasKept(t *testing.T) {
	c := house(t)
	parsed, err := compose.Parse(mailDocument(), compose.Rules{Composer: c})
	if err != nil {
		t.Fatal(err)
	}
	asked := content(outbox.Email, "fr", "sign_up")
	got := say(t, with(t, c, parsed), asked)
	if want := say(t, with(t, c, compile(t, c, mailDocument())), asked); got != want {
		t.Errorf("parsed\n%+v\ncompiled\n%+v", got, want)
	}
	d := mailDocument()
	d.HTML = "{{ cod }}"
	var problems compose.Problems
	if _, err := compose.Parse(d, compose.Rules{Composer: c}); !errors.As(err, &problems) {
		t.Errorf("%v", err)
	}
}

// What no template can do: change who gets the message, say a code that is none, or work around Compose's refusals.
func TestTemplatesComeAfterTheChecks(t *testing.T) {
	c := house(t)
	with(t, c, compile(t, c, smsDocument()))
	asked := content(outbox.SMS, "en", "mfa")
	asked.Code = "12 34"
	if _, err := c.Compose(asked); !errors.Is(err, compose.ErrCode) {
		t.Errorf("a code of two: %v", err)
	}
	asked = content(outbox.SMS, "en", "mfa")
	asked.Domain = "https://x"
	if m, err := c.Compose(asked); err == nil {
		t.Errorf("a URL as domain: %q", m.Text)
	}
	asked = content("pigeon", "en", "mfa")
	if _, err := c.Compose(asked); !errors.Is(err, compose.ErrChannel) {
		t.Errorf("another channel: %v", err)
	}
}

func TestPreviewShowsEveryLanguage(t *testing.T) {
	c := house(t)
	rules := compose.Rules{Composer: c, Segments: parts}
	for _, d := range []compose.TemplateDocument{mailDocument(), smsDocument()} {
		shown, err := compose.Preview(d, rules, compose.Sample(d.Channel))
		if err != nil || len(shown) != len(c.Catalogues.Languages()) {
			t.Fatalf("%s: %d, %v", d.Name, len(shown), err)
		}
		sender := with(t, house(t), compile(t, c, d))
		for i, l := range c.Catalogues.Languages() {
			r := shown[i]
			if r.Language != l.Tag() || r.Name != l.Name() || r.Direction != l.Direction() || r.Problem != nil || r.Message.Language != l.Tag() {
				t.Errorf("%s %s: %+v", d.Name, l, r)
			}
			// What is previewed is what is sent.
			sample := compose.Sample(d.Channel)
			sample.Locale = l.Tag()
			if sent := say(t, sender, sample); sent != r.Message {
				t.Errorf("%s: previewed\n%+v\nsent\n%+v", d.Name, r.Message, sent)
			}
			if (r.Segments > 0) != (d.Channel == outbox.SMS) {
				t.Errorf("%s %s: %d segments", d.Name, l, r.Segments)
			}
		}
	}
}

func TestPreviewTakesDrafts(t *testing.T) {
	c := house(t)
	rules := compose.Rules{Composer: c}
	d := smsDocument()
	d.Text = "{% if language == 'ja' %}{{ 1 | divided_by: 0 }}{% endif %}{{ code }}"
	shown, err := compose.Preview(d, rules, compose.Sample(outbox.SMS))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range shown {
		if r.Language == "ja" {
			if r.Problem == nil || r.Problem.Field != "text" || r.Problem.Line != 1 || r.Problem.Column != 29 || r.Message.Text != "" {
				t.Errorf("ja: %+v", r)
			}
		} else if r.Problem != nil || !strings.HasPrefix(r.Message.Text, "482913\n\n@") {
			t.Errorf("%s: %+v", r.Language, r)
		}
	}
	d.Text, d.Name = "{{ cod }}\n{% if %}", "!"
	var problems compose.Problems
	if _, err := compose.Preview(d, rules, compose.Sample(outbox.SMS)); !errors.As(err, &problems) || len(problems) != 2 {
		t.Errorf("%v", err)
	}
	d = smsDocument()
	d.Language = "gsw"
	if shown, err := compose.Preview(d, rules, compose.Sample(outbox.SMS)); err != nil || len(shown) != 1 || shown[0].Language != "gsw" ||
		!strings.Contains(shown[0].Message.Text, "Anmeldecode") {
		t.Errorf("%+v, %v", shown, err)
	}
}

// parts counts as if every SMS were of 70 characters.
func parts(text string) int { return (len([]rune(text)) + 69) / 70 }

func TestALongSMSIsWarnedOf(t *testing.T) {
	c := house(t)
	d := smsDocument()
	d.Text = "{{ t.sms }}" + strings.Repeat(" long", 60)
	compiled, err := compose.Compile(d, compose.Rules{Composer: c, Segments: parts})
	if err != nil {
		t.Fatal(err)
	}
	if len(compiled.Warnings) != 1 || !strings.Contains(compiled.Warnings.Error(), "parts, each of which is charged; more than 2") {
		t.Errorf("warnings: %v", compiled.Warnings)
	}
	if compiled, err := compose.Compile(d, compose.Rules{Composer: c, Segments: parts, MaxSegments: 9}); err != nil || len(compiled.Warnings) != 0 {
		t.Errorf("%v, %v", compiled.Warnings, err)
	}
}

func BenchmarkTemplate(b *testing.B) {
	c := house(b)
	with(b, c, compile(b, c, mailDocument()))
	asked := content(outbox.Email, "fr-FR", "sign_in")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Compose(asked); err != nil {
			b.Fatal(err)
		}
	}
}

// Templates are shared by all messages that are composed at a time; run under the race detector.
func TestManyMessagesAtATime(t *testing.T) {
	c := house(t)
	with(t, c, compile(t, c, mailDocument()), compile(t, c, smsDocument()))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 20 {
				asked := content(outbox.Email, "de", "mfa")
				asked.Code = fmt.Sprintf("%03d%03d", i, j)
				m, err := c.Compose(asked)
				if err != nil || m.Code != asked.Code || !strings.HasSuffix(m.Text, "#"+asked.Code) || strings.Count(m.HTML, asked.Code) != 2 {
					t.Errorf("%s: %v, %q", asked.Code, err, m.Text)
				}
			}
		})
	}
	all.Wait()
}

package registry_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/locale"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/registry"
)

// writing is a desk that composes messages.
func writing(t *testing.T) (*desk, *compose.Composer) {
	t.Helper()
	catalogues, err := locale.Open()
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t)
	composer := &compose.Composer{Catalogues: catalogues}
	d.Registry, err = registry.Open(t.Context(), registry.Settings{Store: d.db, Tenant: "default",
		Rules: registry.Rules{Policy: passcode.DefaultPolicy(), Composer: composer}, Now: func() time.Time { return d.now }})
	if err != nil {
		t.Fatal(err)
	}
	composer.Templates = func(compose.Content) []*compose.Template { return d.Current().Templates() }
	return d, composer
}

func (d *desk) template(t *testing.T, name, body string) error {
	t.Helper()
	_, err := d.Apply(t.Context(), "test", []registry.Change{{Kind: registry.TemplateKind, Name: name, Body: []byte(body)}})
	return err
}

func TestTemplatesAreInForceAsSoonAsTheyAreSaved(t *testing.T) {
	d, composer := writing(t)
	say := func() outbox.Message {
		m, err := composer.Compose(compose.Content{Channel: outbox.Email, To: "lea@example.org", Code: "482913", Application: "Shop", Purpose: "sign_in"})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	before := say()
	if err := d.template(t, "mail", `{"channel":"email","subject":"{{ code }} for {{ application.name }}","text":"Code {{ code }}"}`); err != nil {
		t.Fatal(err)
	}
	if m := say(); m.Subject != "482913 for Shop" || !strings.Contains(m.Text, "Code 482913") {
		t.Errorf("got %q, %q", m.Subject, m.Text)
	}
	if err := d.template(t, "mail", `{"channel":"email","subject":"{{ code }}","text":"{{ code }}","disabled":true}`); err != nil {
		t.Fatal(err)
	}
	if m := say(); m.Subject != before.Subject {
		t.Errorf("disabled, and yet %q", m.Subject)
	}
	past, err := d.Store.History(t.Context(), "default", registry.TemplateKind, "mail", 10)
	if err != nil || len(past) != 1 || past[0].Version != 1 || past[0].ReplacedBy != "test" {
		t.Errorf("the history is %+v, %v", past, err)
	}
}

func TestTemplatesAreRefusedWithTheirPlace(t *testing.T) {
	d, _ := writing(t)
	for body, want := range map[string]string{
		`{"channel":"email","subject":"Hi","text":"{{ cod }}"}`:                                                             "line 1, column",
		`{"channel":"email","subject":"Hi","text":"no code"}`:                                                               "the code is not in it",
		`{"channel":"fax","text":"{{ code }}"}`:                                                                             `"fax" is not a channel`,
		`{"channel":"sms","text":"{% for i in (1..100000) %}{% for j in (1..100000) %}{{ code }}{% endfor %}{% endfor %}"}`: "",
		`{"chanel":"sms","text":"{{ code }}"}`:                                                                              "did you mean channel?",
	} {
		err := d.template(t, "bad", body)
		var invalid *registry.Invalid
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", body, err, want)
		}
	}
	if len(d.Current().Documents) != 0 {
		t.Error("a refused template was stored")
	}
	if err := d.template(t, "a", `{"channel":"sms","text":"{{ code }}"}`); err != nil {
		t.Fatal(err)
	}
	if err := d.template(t, "b", `{"channel":"sms","text":"{{ code }} again"}`); err == nil || !strings.Contains(err.Error(), "a is for the same") {
		t.Errorf("two templates for the same messages: %v", err)
	}
}

func TestPreviewShowsEveryLanguageAndKeepsNothing(t *testing.T) {
	d, _ := writing(t)
	all, err := d.PreviewTemplate(t.Context(), "draft", []byte(`{"channel":"sms","text":"{{ code }} {{ 'mail.secret' | t }}"}`), "")
	if err != nil || len(all) != 39 || len(d.Current().Documents) != 0 {
		t.Errorf("%d renderings, %v", len(all), err)
	}
}

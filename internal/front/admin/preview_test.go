package admin_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/locale"
	"github.com/otpost/otpost/internal/registry"
)

const welcome = `{"channel":"email","subject":"{{ t.subject }}","html":"<html lang=\"{{ language }}\" dir=\"{{ direction }}\"><p>{{ t.lead }}</p><b>{{ code }}</b></html>"}`

func (d *door) preview(t *testing.T, path, body string) (renderings []registry.Rendering) {
	t.Helper()
	var answer struct{ Renderings []registry.Rendering }
	w := d.want(t, 200, "", "POST", path, body)
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Renderings
}

func TestADraftIsShownInEveryLanguageAndNotKept(t *testing.T) {
	d := open(t)
	catalogues, err := locale.Open()
	if err != nil {
		t.Fatal(err)
	}
	shown := d.preview(t, "/v1/templates/welcome/preview", welcome)
	if len(shown) != len(catalogues.Languages()) {
		t.Errorf("shown in %d languages, known are %d", len(shown), len(catalogues.Languages()))
	}
	said := map[string]bool{}
	for _, r := range shown {
		said[r.Text] = true
		if r.Problem != nil || r.Subject == "" || !strings.Contains(r.HTML, `<html lang="`+r.Language+`" dir="`+string(r.Direction)+`">`) || r.Name == "" {
			t.Errorf("shown is %+v", r)
		}
	}
	if len(said) < len(shown)*3/4 { // neighbours may share a sentence
		t.Errorf("%d languages say %d texts", len(shown), len(said))
	}
	if d.revision != 0 || len(d.documents) != 0 {
		t.Error("a preview was kept")
	}
}

func TestAPreviewIsOfTheBodyElseOfWhatIsStored(t *testing.T) {
	d := open(t)
	const path = "/v1/templates/sms/preview"
	d.want(t, 404, `"code":"no_such_document"`, "POST", path, "")
	d.want(t, 201, "", "PUT", "/v1/templates/sms", `{"channel":"sms","text":"stored {{ code }}"}`)
	if shown := d.preview(t, path+"?language=de", ""); len(shown) != 1 || shown[0].Language != "de" || !strings.HasPrefix(shown[0].Text, "stored ") || shown[0].Segments != 1 {
		t.Errorf("stored is %+v", shown)
	}
	if shown := d.preview(t, path+"?language=PT-br", `{"name":"sms","channel":"sms","text":"draft {{ code }}"}`); len(shown) != 1 || shown[0].Language != "pt-BR" || !strings.HasPrefix(shown[0].Text, "draft ") {
		t.Errorf("drafted is %+v", shown)
	}
	if d.revision != 1 {
		t.Error("a preview changed something")
	}
}

func TestADraftThatFailsSaysWhere(t *testing.T) {
	d := open(t)
	const path = "/v1/templates/draft/preview"
	shown := d.preview(t, path, `{"channel":"sms","text":"{% if language == 'de' %}ohne{% else %}{{ code }}{% endif %}"}`)
	failed := 0
	for _, r := range shown {
		if r.Problem != nil {
			failed++
			if r.Language != "de" || r.Text != "" || r.Problem.Field != "text" {
				t.Errorf("it fails with %+v", r)
			}
		}
	}
	if failed != 1 || len(shown) < 2 {
		t.Errorf("%d of %d languages failed, want one", failed, len(shown))
	}
	d.want(t, 400, `"detail":"language: the template is not rendered in \"xx\"; it is in ar, bg, `, "POST", path+"?language=xx", `{"channel":"sms","text":"{{ code }}"}`)
	d.want(t, 422, `"field":"name"`, "POST", path, `{"name":"other","channel":"sms","text":"{{ code }}"}`)
}

// TestPreviewNamesThePlaceAsSavingDoes gives what cannot be read to both.
func TestPreviewNamesThePlaceAsSavingDoes(t *testing.T) {
	d := open(t)
	for body, want := range map[string]string{
		`{"channel":"email","subject":"a","html":"<b>{{ code }}</b>\n{{ cod }}"}`: `"errors":[{"kind":"template","name":"a","field":"html","detail":"line 2, column 4: `,
		`{"channel":"email","text":"{{ code }}"}`:                                 `"errors":[{"kind":"template","name":"a","field":"subject","detail":"a mail needs a subject"}]`,
		`{"channel":"sms","subject":"a","text":"{{ cod }}"}`:                      `,{"kind":"template","name":"a","field":"text","detail":"line 1, column 4: `,
		`{"channel":"sms","txt":"{{ code }}"}`:                                    `"field":"txt","detail":"unknown member; did you mean text?"`,
		`{"channel":"sms","text":1}`:                                              `"field":"text","detail":"want a string"`,
	} {
		saved := d.want(t, 422, want, "PUT", "/v1/templates/a", body)
		shown := d.want(t, 422, want, "POST", "/v1/templates/a/preview", body)
		if errorsOf(t, saved.Body.Bytes()) != errorsOf(t, shown.Body.Bytes()) {
			t.Errorf("saving says %s\nand a preview %s", saved.Body, shown.Body)
		}
	}
}

func errorsOf(t *testing.T, body []byte) string {
	t.Helper()
	var problem struct{ Errors json.RawMessage }
	if err := json.Unmarshal(body, &problem); err != nil {
		t.Fatal(err)
	}
	return string(problem.Errors)
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const textsFile = `providers:
  - {name: mail, kind: smtp, settings: {password: env:NOT_SET_HERE}}
templates:
  - name: texts
    channel: sms
    text: "{{ code }} for {{ language }}"
`

func TestPreviewOverAServer(t *testing.T) {
	c := newTerminal(t, adminKey)
	c.want(t, 0, "de, Deutsch, 1 segment\n    482913 for de\n", textsFile, "template", "preview", "FILE", "--language", "de")
	c.want(t, 3, "server answered 404 no_such_document", "", "template", "preview", "texts")
	if n := len(c.registry.Current().Documents); n != 0 {
		t.Fatalf("a preview left %d documents", n)
	}
	wrong := strings.Replace(textsFile, "{{ code }}", "{{ cod }}", 1)
	c.want(t, 3, "settings.yaml:6: template texts: text: line 1, column 4: ", wrong, "template", "preview", "FILE")
	c.want(t, 3, "language: the template is not rendered in \"xx\"", textsFile, "template", "preview", "FILE", "--language", "xx")
	_, templates, _ := strings.Cut(textsFile, "templates:")
	c.want(t, 0, "created 1, ", "templates:"+templates, "apply", "-f", "FILE")
	c.want(t, 0, `{"renderings":[{"language":"sv",`, "", "template", "preview", "texts", "--language", "sv", "--output", "json")
	folder := filepath.Join(c.folder, "shown")
	c.want(t, 0, "wrote 39 languages; open shown/index.html\n", "", "template", "preview", "texts", "--out", folder)
	if text, err := os.ReadFile(filepath.Join(folder, "pt-BR.txt")); err != nil || !strings.HasPrefix(string(text), "482913 for pt-BR") {
		t.Errorf("written was %q, %v", text, err)
	}
}

func TestPreviewWantsAnAdminKey(t *testing.T) {
	c := newTerminal(t, func(p *inProcess) string { return p.key })
	c.want(t, 1, "server answered 403 admin_key_required", textsFile, "template", "preview", "FILE")
}

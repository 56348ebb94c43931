package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/otpost/otpost/internal/registry"
)

// terminalOn runs commands against a server in this process.
type terminalOn struct {
	*inProcess
	environ []string
	folder  string
}

func newTerminal(t *testing.T, key func(*inProcess) string, environ ...string) *terminalOn {
	t.Helper()
	p := startInProcess(t, nil)
	listener := httptest.NewServer(p.handler)
	t.Cleanup(listener.Close)
	return &terminalOn{p, append(environ, "OTPOST_URL="+listener.URL, "OTPOST_KEY="+key(p)), t.TempDir()}
}

func adminKey(p *inProcess) string { return p.adminKey }

// run runs a command line, after writing its input into settings.yaml.
func (c *terminalOn) run(t *testing.T, file string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	path := filepath.Join(c.folder, "settings.yaml")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	for i, arg := range args {
		args[i] = strings.ReplaceAll(arg, "FILE", path)
	}
	var out, complaints bytes.Buffer
	program := &Program{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &complaints, Environ: c.environ}
	code = program.Run(t.Context(), args)
	return code, strings.ReplaceAll(out.String(), c.folder+"/", ""), strings.ReplaceAll(complaints.String(), c.folder+"/", "")
}

func (c *terminalOn) want(t *testing.T, code int, out string, file string, args ...string) {
	t.Helper()
	got, stdout, stderr := c.run(t, file, args...)
	if all := stdout + stderr; got != code || !strings.Contains(all, out) || strings.Contains(all, "hunter") {
		t.Errorf("%q: exit code %d and\n%s\nwant %d and %s", args, got, all, code, out)
	}
}

const shopFile = `providers:
  - name: mail
    kind: smtp
    settings:
      host: mail.example.org
      from: codes@example.org
      username: shop
      password: env:MAIL_PASSWORD
policies:
  - name: strict
    length: 8
`

func TestApplyOverAServer(t *testing.T) {
	c := newTerminal(t, adminKey, "MAIL_PASSWORD=hunter2")
	c.want(t, 2, "would create 2, change 0 and delete 0\n", shopFile, "apply", "-f", "FILE", "--dry-run", "--detailed-exitcode")
	if n := len(c.registry.Current().Documents); n != 0 {
		t.Fatalf("a dry run left %d documents", n)
	}
	c.want(t, 0, "created 2, changed 0 and deleted 0\n", shopFile, "apply", "-f", "FILE")
	if _, ok := c.registry.Sender("mail"); !ok {
		t.Error("the server cannot send by the new provider")
	}
	c.want(t, 0, "nothing to change\n", shopFile, "apply", "-f", "FILE")
	c.want(t, 0, "mail   smtp   document     none  ready\n", "", "provider", "list")
	until := time.Now().Add(time.Minute)
	if err := c.db.OpenBreaker(t.Context(), "mail", until); err != nil {
		t.Fatal(err)
	}
	c.want(t, 0, "left alone until "+until.UTC().Format("15:04:05 UTC")+"\n", "", "provider", "list")
	code, exported, _ := c.run(t, "", "export")
	if code != 0 || !strings.Contains(exported, "password: env:MAIL_PASSWORD") {
		t.Errorf("exported %d\n%s", code, exported)
	}
	c.want(t, 0, "nothing to change\n", exported, "apply", "-f", "FILE", "--prune")
	wrong := strings.Replace(strings.Replace(shopFile, "length: 8", "length: 99", 1), "from: codes@example.org", "port: many", 1)
	c.want(t, 3, "2 things are wrong, and nothing was changed:\n  settings.yaml:6: provider mail: settings.port: wrong type", wrong, "apply", "-f", "FILE")
	c.want(t, 3, "\n  settings.yaml:11: policy strict: length: 99 is outside 4 to 12", wrong, "apply", "-f", "FILE")
	c.want(t, 1, "otpost: 2 things are wrong", wrong, "apply", "-f", "FILE", "--dry-run", "--detailed-exitcode")
	c.want(t, 0, "- policy strict\n", "policies: []", "apply", "-f", "FILE", "--prune")
	past, err := c.registry.Past(t.Context(), "policy", "strict")
	if err != nil || len(past) != 1 || !strings.HasPrefix(past[0].ReplacedBy, "key key_") {
		t.Errorf("the history is %+v, %v", past, err)
	}
}

func TestApplyWantsAnAdminKey(t *testing.T) {
	c := newTerminal(t, func(p *inProcess) string { return p.key })
	c.want(t, 1, "server answered 403 admin_key_required", "policies: []", "apply", "-f", "FILE")
	c.want(t, 1, "otpost key create --admin", "", "export")
}

// filesOf are the YAML files that a page shows.
func filesOf(t *testing.T, page string) (files []string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1) {
		files = append(files, string(block[1]))
	}
	return files
}

// asOneFile puts files together: what each has of a kind, one after the other.
func asOneFile(t *testing.T, files []string) string {
	t.Helper()
	whole := map[string][]yaml.Node{}
	for _, file := range files {
		var part map[string][]yaml.Node
		if err := yaml.Unmarshal([]byte(file), &part); err != nil {
			t.Fatalf("%v in\n%s", err, file)
		}
		for kind, documents := range part {
			whole[kind] = append(whole[kind], documents...)
		}
	}
	text, err := yaml.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTheGuideIsTrue applies the files that the guides show: a second time each changes nothing, and what is exported
// then can be applied as well.
func TestTheGuideIsTrue(t *testing.T) {
	const key = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0LCBub3QgZm9yIHVzZQ=="
	for page, guide := range map[string]struct {
		files   int
		environ []string
		kinds   []registry.Kind
	}{
		"guides/settings.md": {1, []string{"MAIL_PASSWORD=hunter2", "RESEND_KEY=re_hunter3"}, registry.Kinds()},
		"guides/delivery.md": {3, []string{"POSTMARK_TOKEN=hunter2", "POSTMARK_RECEIPTS=hunter3 and more than that", "GRAPH_SECRET=hunter4",
			"OUR_WEBHOOK_SECRET=" + key}, []registry.Kind{registry.ProviderKind, registry.RouteKind, registry.GuardKind, registry.SubscriptionKind}},
	} {
		t.Run(page, func(t *testing.T) {
			files := filesOf(t, page)
			if len(files) != guide.files {
				t.Fatalf("the guide has %d files, want %d", len(files), guide.files)
			}
			file := files[0]
			if len(files) > 1 {
				file = asOneFile(t, files)
			}
			c := newTerminal(t, adminKey, guide.environ...)
			if err := os.WriteFile(filepath.Join(c.folder, "sms-secret"), []byte(key+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			code, stdout, stderr := c.run(t, file, "apply", "-f", "FILE")
			if code != 0 || stderr != "" || !strings.Contains(stdout, ", changed 0 and deleted 0\n") {
				t.Fatalf("exit code %d\n%s%s", code, stdout, stderr)
			}
			c.want(t, 0, "nothing to change\n", file, "apply", "-f", "FILE", "--prune")
			_, exported, _ := c.run(t, "", "export")
			c.want(t, 0, "nothing to change\n", exported, "apply", "-f", "FILE", "--prune")
			for _, kind := range guide.kinds {
				if !strings.Contains(stdout, "+ "+string(kind)+" ") {
					t.Errorf("the guide's file has no %s", kind)
				}
			}
		})
	}
}

// FuzzSettingsFile reads anything as a file of settings: it is refused, or it is a set of documents.
func FuzzSettingsFile(f *testing.F) {
	f.Add([]byte(shopFile))
	f.Add([]byte("policies:\n  - &a {name: a}\n  - *a\n  - {<<: *a, name: b}\n"))
	f.Add([]byte("providers: [{name: 007, kind: smtp, settings: {password: {ref: 'env:A'}, port: 0x1F}}]"))
	f.Add([]byte("? [a]\n: {b: c}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file := &settingsFile{path: "settings.yaml", folder: t.TempDir(), getenv: func(string) string { return "" }}
		if err := file.read(text); err != nil {
			return
		}
		set, named, err := registry.ParseSet(file.set)
		if err != nil || len(named) != len(file.kinds) || len(set.Changes) != len(file.items) {
			t.Errorf("%q became %s: %v", text, file.set, err)
		}
	})
}

package config_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (run with -update to accept); got\n%s", path, got)
	}
}

func TestEverySettingIsDocumented(t *testing.T) {
	envs, flags := map[string]bool{}, map[string]bool{}
	for _, s := range config.Settings() {
		if s.App { // a Function's own name, and nothing but that
			if s.Env != s.Name || s.Flag != "" || s.Group != "Function" || !strings.HasPrefix(s.Name, "mail_") {
				t.Errorf("%s has the variable %q, the flag %q and the group %q", s.Name, s.Env, s.Flag, s.Group)
			}
			s.Env, s.Flag = "OTPOST_"+strings.ToUpper(s.Name), strings.ReplaceAll(s.Name, "_", "-")
		}
		if !regexp.MustCompile(`^[A-Z].*[^ ]\.$`).MatchString(s.Doc) {
			t.Errorf("%s has no whole sentence: %q", s.Name, s.Doc)
		}
		if s.Env != "OTPOST_"+strings.ToUpper(s.Name) || envs[s.Env] {
			t.Errorf("%s has the variable %q", s.Name, s.Env)
		}
		if s.Flag != strings.ReplaceAll(s.Name, "_", "-") || s.Flag == "" || flags[s.Flag] {
			t.Errorf("%s has the flag %q", s.Name, s.Flag)
		}
		if s.Group == "" || s.Placeholder == "" {
			t.Errorf("%s has group %q and placeholder %q", s.Name, s.Group, s.Placeholder)
		}
		envs[s.Env], flags[s.Flag] = true, true
	}
}

func TestExampleFile(t *testing.T) {
	var b bytes.Buffer
	if err := config.WriteExample(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "example.yaml", b.Bytes())
}

// TestExampleIsTrue takes the comment signs off every setting of the example, which must then be the defaults.
func TestExampleIsTrue(t *testing.T) {
	var b bytes.Buffer
	if err := config.WriteExample(&b); err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^#([a-z0-9_]+:)`).ReplaceAllString(b.String(), "$1")
	c := load(t, config.Sources{Path: write(t, text)})
	got, want := c.Entries(), config.Default().Entries()
	for i := range want {
		if got[i].Value != want[i].Value {
			t.Errorf("%s is %q, want %q", want[i].Name, got[i].Value, want[i].Value)
		}
		if (got[i].Origin.Source == config.FromFile) != (want[i].Default != "") {
			t.Errorf("%s comes from %q", want[i].Name, got[i].Origin)
		}
	}
}

func TestEffectiveListing(t *testing.T) {
	home, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("otpost.yaml", []byte("code_lifetime: 15m\nlimit_address:\n  - 10/1m\n  - 50/1h\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, config.Sources{
		Environ: []string{"OTPOST_MAIL_URL=smtp://u:p@mail.example.com:587?tls=starttls", "OTPOST_MAIL_FROM=Käse <k@example.com>"},
		Flags:   map[string]string{"public_url": "https://otp.example.com/", "production": "true"},
	})
	var b bytes.Buffer
	if err := c.Write(&b); err != nil {
		t.Fatal(err)
	}
	t.Chdir(home)
	golden(t, "effective.txt", b.Bytes())
}

// TestShownValuesCanBeReadAgain feeds every value that is shown back as a flag.
func TestShownValuesCanBeReadAgain(t *testing.T) {
	first := load(t, config.Sources{Flags: map[string]string{
		"trusted_proxies": "10.0.0.0/8, ::1", "mail_from": "Shop <code@example.com>", "limit_guesses": "off",
		"entra_tenant_id": "11111111-2222-3333-4444-555555555555", "entra_audience": "api://otp/x",
		"entra_issuers": "https://a.example/v2.0=https://a.example/keys?p=1", "log_level": "debug", "retention": "90m",
	}})
	flags := map[string]string{}
	for _, e := range first.Entries() {
		flags[e.Name] = e.Value
	}
	second := load(t, config.Sources{Flags: flags})
	if a, b := first.Entries(), second.Entries(); !reflect.DeepEqual(values(a), values(b)) {
		t.Errorf("got %v, want %v", values(b), values(a))
	}
}

func values(entries []config.Entry) []string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Name+"="+e.Value)
	}
	return all
}

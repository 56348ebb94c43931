package config_test

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/config"
)

// FuzzFile feeds any bytes as the file: Load answers with settings or with problems, and never panics.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"", "listen: :8080\n", "listen: [a, b]\n", "- a\n", "listen: &a x\nops_listen: *a\n", "a: {b: c}\n", "---\n---\n",
		"code_length: !!int 5\n", "null", "limit_guesses: 5/10m,off\n", "? [a]\n: b\n", "database: \"sqlite:\\0\"\n", "<<: {listen: x}\n",
	} {
		f.Add(seed)
	}
	path := filepath.Join(f.TempDir(), "otpost.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(config.Sources{Path: path})
		var problems config.Problems
		switch {
		case err == nil && c == nil, err != nil && !errors.As(err, &problems):
			t.Errorf("got %v, %v", c, err)
		case err == nil && (c.CodeLength < 4 || c.CodeLength > 12 || c.Lease <= c.AttemptTimeout):
			t.Errorf("took settings that are out of bounds: %+v", c)
		}
	})
}

// FuzzSetting gives any text to any setting, over the environment. What is taken is shown as it is in effect, and read
// back from there it is the same; an error names the setting, and neither shows a secret.
func FuzzSetting(f *testing.F) {
	settings := config.Settings()
	texts := []string{"5/10m,25/24h", "off", "sqlite:x", "postgres://u:hunter22@h/db", "Shop <code@example.com>", "smtp://u:hunter22@h:25",
		"10.0.0.0/8,::1/128", "https://a.example=https://a.example/x", "-1", "1h30m", "99999999999999999999", "!-~", "\xff", "a\nb"}
	for i, s := range settings {
		f.Add(uint8(i), s.Default)
		for n := range 3 {
			f.Add(uint8(i), texts[(i+5*n)%len(texts)])
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		s := settings[int(which)%len(settings)]
		c, err := config.Load(config.Sources{Environ: []string{"OTPOST_CONFIG=" + os.DevNull, s.Env + "=" + text}})
		if err != nil {
			var problems config.Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("%s=%q: %T %v", s.Env, text, err, err)
			}
			if s.Secret && len(text) > 12 && strings.Contains(err.Error(), strings.TrimSpace(text)) {
				t.Errorf("the error repeats the secret of %s: %v", s.Name, err)
			}
			return
		}
		shown := shownOf(c, s.Name)
		if s.Secret {
			if u, err := url.Parse(strings.TrimSpace(text)); err == nil && u.User != nil {
				if password, _ := u.User.Password(); len(password) > 5 && strings.Contains(shown, password) && !strings.Contains(strings.Replace(text, password, "", 1), password) {
					t.Errorf("%s=%q is shown as %q", s.Env, text, shown)
				}
			}
			return
		}
		again, err := config.Load(config.Sources{Environ: []string{"OTPOST_CONFIG=" + os.DevNull, s.Env + "=" + shown}})
		if err != nil || shownOf(again, s.Name) != shown {
			t.Errorf("%s=%q is in effect as %q, and read from there it is %q, %v", s.Env, text, shown, shownOf(again, s.Name), err)
		}
	})
}

// shownOf is the value of a setting as it is shown.
func shownOf(c *config.Config, name string) string {
	if c == nil {
		return ""
	}
	for _, e := range c.Entries() {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

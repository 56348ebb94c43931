package config_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/config"
)

// write makes a file in a fresh folder and returns its path.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, from config.Sources) *config.Config {
	t.Helper()
	c, err := config.Load(from)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNoSourcesMeansTheDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	c := load(t, config.Sources{})
	if c.Listen != ":8080" || c.OpsListen != ":9090" || c.CodeLifetime != 10*time.Minute || c.PublicURL != nil {
		t.Errorf("got %+v", c)
	}
	if got := c.Database; got != (config.Database{Driver: config.SQLite, Source: "otpost.db"}) {
		t.Errorf("database is %#v", got)
	}
	if got := c.LimitIdentifier; !reflect.DeepEqual(got, config.Limits{{5, 10 * time.Minute}, {25, 24 * time.Hour}}) {
		t.Errorf("limit_identifier is %v", got)
	}
	if got := c.Origin("listen").String(); got != "default" {
		t.Errorf("origin is %q", got)
	}
}

func TestStrongerSourcesWin(t *testing.T) {
	file := write(t, "listen: :1\nops_listen: :2\nlease: 40s\ntrusted_proxies: [10.1.2.3/8, fd00::1]\n")
	c := load(t, config.Sources{
		Path:    file,
		Environ: []string{"OTPOST_OPS_LISTEN=:3", "OTPOST_LEASE=50s", "OTPOST_CODE_LENGTH=", "HOME=/"},
		Flags:   map[string]string{"lease": "60s"},
	})
	for _, want := range []struct{ setting, value, got, origin string }{
		{"listen", ":1", c.Listen, file + ":1"},
		{"ops_listen", ":3", c.OpsListen, "OTPOST_OPS_LISTEN"},
		{"lease", "1m0s", c.Lease.String(), "--lease"},
		{"retention", "24h0m0s", c.Retention.String(), "default"},
	} {
		if want.got != want.value || c.Origin(want.setting).String() != want.origin {
			t.Errorf("%s is %q from %q, want %q from %q", want.setting, want.got, c.Origin(want.setting), want.value, want.origin)
		}
	}
	if c.CodeLength != 6 {
		t.Errorf("an empty variable set code_length to %d", c.CodeLength)
	}
	prefixes := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::1/128")}
	if !reflect.DeepEqual(c.TrustedProxies, prefixes) {
		t.Errorf("trusted_proxies is %v", c.TrustedProxies)
	}
}

func TestFileIsFound(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("otpost.yaml", []byte("# nothing but\nlisten: :1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := write(t, "listen: :2\n")
	for name, c := range map[string]struct {
		from config.Sources
		want string
	}{
		"in the working directory":  {config.Sources{}, ":1"},
		"by variable":               {config.Sources{Environ: []string{"OTPOST_CONFIG=" + other}}, ":2"},
		"by flag over the variable": {config.Sources{Path: other, Environ: []string{"OTPOST_CONFIG=/nowhere"}}, ":2"},
	} {
		if got := load(t, c.from).Listen; got != c.want {
			t.Errorf("%s: listen is %q, want %q", name, got, c.want)
		}
	}
}

func TestZeroValuesWork(t *testing.T) {
	c := load(t, config.Sources{Environ: []string{"OTPOST_RESENDS=0", "OTPOST_RESEND_INTERVAL=0s", "OTPOST_LOCKOUT=0",
		"OTPOST_LIMIT_ADDRESS=off", "OTPOST_LISTEN=:0", "OTPOST_OPS_LISTEN=:0", "OTPOST_PPROF=no", "OTPOST_NOBODY_KNOWS="}})
	if c.Resends != 0 || c.ResendInterval != 0 || c.Lockout != 0 || c.LimitAddress != nil {
		t.Errorf("got %+v", c)
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	c := load(t, config.Sources{Environ: []string{
		"OTPOST_DATABASE_FILE=" + write(t, "postgres://u:p%40ss@db/otpost\n"),
		"OTPOST_ENTRA_FUNCTION_KEY_FILE=" + write(t, "k3y \r\n"),
		"OTPOST_MAIL_URL_FILE=" + write(t, "smtp://u:p@mail.example.com:587?tls=starttls"),
		"OTPOST_MAIL_FROM=Shop <code@example.com>",
	}})
	if c.Database.Source != "postgres://u:p%40ss@db/otpost" || c.Database.Driver != config.Postgres {
		t.Errorf("database is %q", c.Database.Source)
	}
	if got := c.EntraFunctionKey.Reveal(); got != "k3y " {
		t.Errorf("entra_function_key is %q", got)
	}
	if got := c.MailURL.Reveal().String(); got != "smtp://u:p@mail.example.com:587?tls=starttls" {
		t.Errorf("mail_url is %q", got)
	}
	if c.MailFrom.Name != "Shop" || c.MailFrom.Address != "code@example.com" {
		t.Errorf("mail_from is %v", c.MailFrom)
	}
	if got := c.Origin("database").String(); got != "OTPOST_DATABASE_FILE" {
		t.Errorf("origin is %q", got)
	}
}

func TestOthersVariablesAreLeftAlone(t *testing.T) {
	load(t, config.Sources{Others: []string{"OTPOST_URL", "OTPOST_KEY"}, Environ: []string{
		"OTPOST_URL=http://localhost", "OTPOST_KEY=k",
		// What Kubernetes sets for services called otpost and otpost-db.
		"OTPOST_SERVICE_HOST=10.0.0.1", "OTPOST_SERVICE_PORT=80", "OTPOST_SERVICE_PORT_HTTP_OPS=9090",
		"OTPOST_PORT=tcp://10.0.0.1:80", "OTPOST_PORT_80_TCP=tcp://10.0.0.1:80", "OTPOST_PORT_80_TCP_PROTO=tcp",
		"OTPOST_PORT_80_TCP_PORT=80", "OTPOST_PORT_80_TCP_ADDR=10.0.0.1",
		"OTPOST_DB_SERVICE_HOST=10.0.0.2", "OTPOST_DB_PORT_5432_TCP_ADDR=10.0.0.2",
	}})
}

func TestEveryProblemIsReportedAtOnce(t *testing.T) {
	file := write(t, "lissten: :1\ncode_length: 99\ncode_length: 5\n")
	_, err := config.Load(config.Sources{
		Path:    file,
		Environ: []string{"OTPOST_DATABSE=x", "OTPOST_LEASE=5", "OTPOST_KEYS_FILE=x"},
		Flags:   map[string]string{"log_level": "loud"},
	})
	want := strings.Join([]string{
		"7 wrong settings:",
		"  FILE:1: there is no setting lissten; did you mean listen?",
		`  FILE:3: code_length: it is already set at FILE:2; keep one of the two`,
		"  environment: there is no variable OTPOST_DATABSE; did you mean OTPOST_DATABASE?",
		"  OTPOST_KEYS_FILE: keys: only a secret is read from a file; set OTPOST_KEYS",
		`  --log-level: log_level "loud": it is not a level; write debug, info, warn or error`,
		`  FILE:2: code_length "99": it is above 12; write a number from 4 to 12`,
		`  OTPOST_LEASE: lease "5": it is not a duration; write a duration from 1s to 10m, such as 30s`,
	}, "\n")
	if err == nil || strings.ReplaceAll(err.Error(), file, "FILE") != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	var problem *config.Problem
	if !errors.As(err, &problem) || problem.Do == "" {
		t.Errorf("no problem can be read from %v", err)
	}
}

// TestAdvisory_CVE_2026_29794_NobodyIsBelievedByDefault: forwarding headers of strangers once chose the address that
// limits counted.
func TestAdvisory_CVE_2026_29794_NobodyIsBelievedByDefault(t *testing.T) {
	if got := config.Default().TrustedProxies; len(got) != 0 {
		t.Errorf("trusted_proxies is %v", got)
	}
}

// TestAdvisory_CVE_2024_0227_LimitsAreOnByDefault: one-time codes could be guessed without end unless somebody turned
// a limit on.
func TestAdvisory_CVE_2024_0227_LimitsAreOnByDefault(t *testing.T) {
	c := config.Default()
	for name, limits := range map[string]config.Limits{
		"identifier": c.LimitIdentifier, "address": c.LimitAddress, "network": c.LimitNetwork,
		"application": c.LimitApplication, "guesses": c.LimitGuesses,
	} {
		if len(limits) == 0 {
			t.Errorf("limit_%s is off", name)
		}
	}
	if c.CodeTries < 1 || c.CodeTries > 10 || c.Lockout <= 0 {
		t.Errorf("code_tries is %d, lockout %v", c.CodeTries, c.Lockout)
	}
}

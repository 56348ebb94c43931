//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/e2e/mailserver"
	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/doctor"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/provider/nameserver"
	"github.com/otpost/otpost/internal/registry"
	"github.com/otpost/otpost/internal/store"
)

// newPlace are settings of a server that has not run yet.
func newPlace(t *testing.T) *config.Config {
	t.Helper()
	c := config.Default()
	folder := t.TempDir()
	c.Database = config.Database{Driver: config.SQLite, Source: filepath.Join(folder, "otpost.db")}
	c.Keys = filepath.Join(folder, "otpost.keys")
	return c
}

// byMailServer lets the settings name a real mail server.
func byMailServer(t *testing.T, c *config.Config, s *mailserver.Server, password string) {
	t.Helper()
	authority := filepath.Join(t.TempDir(), "mail.pem")
	if err := os.WriteFile(authority, []byte(s.CA), 0o600); err != nil {
		t.Fatal(err)
	}
	u := &url.URL{Scheme: "smtp", User: url.UserPassword(s.User, password), Host: s.Addr, RawQuery: url.Values{"root_ca": {authority}}.Encode()}
	if err := c.MailURL.UnmarshalText([]byte(u.String())); err != nil {
		t.Fatal(err)
	}
	c.MailFrom = mail.Address{Name: "Shop", Address: "code@example.org"}
}

// serveOnce makes the database and the key ring, as a server does, and applies changes.
func serveOnce(t *testing.T, c *config.Config, changes ...registry.Change) {
	t.Helper()
	s, err := openServer(t.Context(), c, newLog(&bytes.Buffer{}, config.LogText, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.registry.Apply(t.Context(), "test", changes); err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, c *config.Config, r *net.Resolver, name string) string {
	t.Helper()
	report, err := examineBy(t.Context(), c, r, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	return textOf(report)
}

func textOf(report doctor.Report) string {
	var b bytes.Buffer
	examined{report}.WriteText(&b)
	return b.String()
}

func demand(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

func TestDoctorMakesNothing(t *testing.T) {
	c := newPlace(t)
	text := run(t, c, nil, "")
	demand(t, text, "key ring doubtful file", "database doubtful file", "routes bad providers None is set up")
	left, err := os.ReadDir(filepath.Dir(c.Keys))
	if err != nil || len(left) != 0 {
		t.Errorf("it made %v, %v", left, err)
	}
}

func TestDoctorOfADatabaseThatCannotBeRead(t *testing.T) {
	for name, spoil := range map[string]struct {
		do   func(c *config.Config) error
		want string
	}{
		"the key ring is gone":        {func(c *config.Config) error { return os.Remove(c.Keys) }, "key ring bad file There is none"},
		"the key ring is another one": {func(c *config.Config) error { os.Remove(c.Keys); return makeRing(t, c.Keys) }, "database bad connection"},
		"others may read the ring":    {func(c *config.Config) error { return os.Chmod(c.Keys, 0o644) }, "chmod 600"},
		"the ring is damaged":         {func(c *config.Config) error { return os.WriteFile(c.Keys, []byte("{}"), 0o600) }, "key ring bad file"},
		"the database is damaged": {func(c *config.Config) error {
			return os.WriteFile(c.Database.Source, bytes.Repeat([]byte("x"), 8192), 0o600)
		}, "database bad connection"},
		"the database is empty": {func(c *config.Config) error {
			c.Database.Source += ".new"
			return os.WriteFile(c.Database.Source, nil, 0o600)
		}, "schema It is at version 0"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newPlace(t)
			serveOnce(t, c)
			for _, beside := range []string{"-wal", "-shm"} { // which hold the last changes, and so would mend it
				if err := os.Remove(c.Database.Source + beside); err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
			}
			if err := spoil.do(c); err != nil {
				t.Fatal(err)
			}
			text := run(t, c, nil, "")
			demand(t, text, spoil.want)
			if strings.Contains(text, "None is set up") {
				t.Errorf("what was not read is told to be missing:\n%s", text)
			}
		})
	}
}

func TestDoctorOfADatabaseThatWasOnlyMigrated(t *testing.T) {
	c := newPlace(t)
	if _, err := migrate(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	demand(t, run(t, c, nil, ""), "database good connection")
}

// makeRing makes a key ring of its own.
func makeRing(t *testing.T, path string) error {
	other := newPlace(t)
	serveOnce(t, other)
	ring, err := os.ReadFile(other.Keys)
	if err != nil {
		return err
	}
	return os.WriteFile(path, ring, 0o600)
}

func TestDoctorReadsTheDocuments(t *testing.T) {
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			return
		}
		if r.Header.Get("Authorization") != "Bearer re_right" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"statusCode":401,"name":"validation_error","message":"API key is invalid"}`)
			return
		}
		fmt.Fprint(w, `{"object":"list","has_more":false,"data":[{"name":"example.org","status":"verified","capabilities":{"sending":"enabled"}}]}`)
	}))
	t.Cleanup(vendor.Close)
	resend := func(name, key string, disabled bool) registry.Change {
		return registry.Change{Kind: registry.ProviderKind, Name: name, Body: jsonOf(t, map[string]any{"kind": "resend", "disabled": disabled,
			"settings": map[string]any{"api_key": key, "from": "code@example.org", "endpoint": vendor.URL, "allow_http": true, "allow_private": true, "receipt_secret": []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}})}
	}
	c := newPlace(t)
	serveOnce(t, c, resend("right", "re_right", false), resend("wrong", "re_s3cret", false), resend("off", "re_right", true),
		registry.Change{Kind: registry.RouteKind, Name: "mail", Body: jsonOf(t, map[string]any{"channel": "email", "providers": []any{map[string]any{"provider": "right"}, map[string]any{"provider": "off"}}})})
	err := withStore(t.Context(), c, func(db *store.DB) error { return db.OpenBreaker(t.Context(), "right", time.Now().Add(time.Hour)) })
	if err != nil {
		t.Fatal(err)
	}
	zone := nameserver.Zone{"example.org": {"MX 10 mail.example.org.", "TXT v=spf1 -all"},
		"_dmarc.example.org": {"TXT v=DMARC1; p=none"}}
	text := run(t, c, zone.Start(t), "")
	demand(t, text, "key ring good file", "database good connection", "good email Every message has a route", "bad route mail All its providers are down: right.",
		"doubtful provider wrong It is in no route", "bad recent messages", "provider wrong (resend) good connection", "bad credentials The vendor refuses them (401)",
		"doubtful delivery reports", "sender domain example.org, by right", "It is disabled, so nothing was looked at")
	if strings.Contains(text, "s3cret") || strings.Contains(text, "code@") {
		t.Errorf("a secret or an address is shown:\n%s", text)
	}
	text = run(t, c, zone.Start(t), "off")
	demand(t, text, "provider off (resend) good connection", "good credentials")
	if strings.Contains(text, "right") {
		t.Errorf("others are looked at too:\n%s", text)
	}
	_, err = examineBy(t.Context(), c, nil, "rihgt", nil)
	if codeOf(err) != exitUsage || !strings.Contains(err.Error(), "did you mean right?") {
		t.Errorf("for an unknown provider: %v", err)
	}
}

func TestDoctorNamesStoredSettingsThatCannotBeUsed(t *testing.T) {
	c := newPlace(t)
	c.Inbox = config.InboxOn
	serveOnce(t, c, registry.Change{Kind: registry.RouteKind, Name: "mail", Body: jsonOf(t, map[string]any{"channel": "email", "providers": []any{map[string]any{"provider": "inbox"}}})})
	c.Inbox = config.InboxOff
	demand(t, run(t, c, nil, ""), "settings in the database bad route mail It cannot be used and is left out: ", "inbox")
}

func TestDoctorLooksAtEntra(t *testing.T) {
	c := newPlace(t)
	c.PublicURL = &url.URL{Scheme: "https", Host: "otp.example.org"}
	c.EntraAudience = []string{"api://other.example.org/11112222-bbbb-3333-cccc-4444dddd5555"}
	gone := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(gone.Close)
	c.EntraIssuers = []config.Issuer{{Issuer: "https://issuer.example/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0", Metadata: gone.URL}}
	x := &examination{settings: c}
	report := doctor.Report{Sections: []doctor.Section{{Name: "Entra", Findings: x.entra(t.Context())}}}
	demand(t, textOf(report), "bad token keys", "doubtful audience entra_audience names the host other.example.org, and public_url otp.example.org.")
	c.EntraAudience[0] = "api://otp.example.org/11112222-bbbb-3333-cccc-4444dddd5555"
	if list := x.audience(); list[0].Verdict != provider.Good {
		t.Errorf("found %+v", list)
	}
	c.EntraAudience[0], c.PublicURL = "11112222-bbbb-3333-cccc-4444dddd5555", nil
	if list := x.audience(); list[0].Verdict != provider.Doubtful {
		t.Errorf("found %+v", list)
	}
}

// inGuide holds a transcript in docs/guides/doctor.md to what a command says.
func inGuide(t *testing.T, name, command, text string) {
	t.Helper()
	var shown strings.Builder
	shown.WriteString("    $ " + command + "\n")
	for line := range strings.Lines(text) {
		if line != "\n" {
			line = "    " + line
		}
		shown.WriteString(line)
	}
	const path = "../../docs/guides/doctor.md"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- transcript of "+name+" -->\n\n", "\n<!-- end -->"
	before, rest, ok := strings.Cut(string(page), begin)
	kept, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("the page has no place for the transcript of %s", name)
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+shown.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if kept != shown.String() {
		t.Errorf("the guide shows\n%s\nand the program says\n%s", kept, shown.String())
	}
}

// TestDoctorGuide holds the transcript in docs/guides/doctor.md to the program: a real mail server with a wrong password,
// and a domain with two SPF records. Run with -update to write it anew.
func TestDoctorGuide(t *testing.T) {
	server := mailserver.Start(t)
	c := newPlace(t)
	byMailServer(t, c, server, "wrong")
	serveOnce(t, c)
	zone := nameserver.Zone{"_dmarc.example.org": {"TXT v=DMARC1; p=none"},
		"example.org": {"MX 10 mail.example.org.", "TXT v=spf1 mx ~all", "TXT v=spf1 include:_spf.example.net ~all"}}
	text := strings.ReplaceAll(run(t, c, zone.Start(t), ""), server.Addr, "mail.example.org:587")
	if log := server.Log(); strings.Contains(log, "<=") {
		t.Errorf("a message was sent:\n%s", log)
	}
	inGuide(t, "doctor", "otpost doctor", text)
	byMailServer(t, c, server, server.Password)
	demand(t, run(t, c, zone.Start(t), "environment"), "good login The server accepts it.", "good sender")
}

func TestDoctorAsJSON(t *testing.T) {
	c := newPlace(t)
	report, err := examineBy(t.Context(), c, nil, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(examined{report})
	var got struct {
		Good, Doubtful, Bad int
		Sections            []struct {
			Name     string
			Findings []struct{ Subject, Verdict, Found, Do string }
		}
	}
	if err != nil || json.Unmarshal(body, &got) != nil || got.Bad != 1 || got.Doubtful != 2 || got.Sections[2].Findings[0].Verdict != "bad" {
		t.Errorf("got %s, %v", body, err)
	}
}

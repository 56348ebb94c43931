package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// openSink is a sink that answers every message.
func openSink(t *testing.T) *rig.Sink {
	t.Helper()
	k := rig.StartSink(t, "")
	k.Answer(-1)
	return k
}

// settingsFile writes a file in which all mail goes through one sink.
func settingsFile(t *testing.T, k *rig.Sink) string {
	t.Helper()
	host, port, _ := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(k.Settings()["mail_url"], "?tls=none"), "smtp://"), ":")
	path := filepath.Join(t.TempDir(), "settings.yaml")
	text := fmt.Sprintf(`providers:
  - name: mail
    kind: smtp
    settings:
      host: %s
      port: %s
      tls: none
      from: Shop <codes@example.test>
routes:
  - name: all-mail
    channel: email
    providers: [{provider: mail}]
`, host, port)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// apply runs otpost apply and wants its last line.
func apply(t *testing.T, set rig.Settings, path, last string) {
	t.Helper()
	stdout, stderr, code := rig.Run(t, set, "apply", "-f", path)
	if code != 0 || !strings.HasSuffix(stdout, last+"\n") {
		t.Fatalf("apply: exit %d\n%s%swant %s", code, stdout, stderr, last)
	}
}

// TestSettingsChangeWithoutARestart sets a server up by a file before it starts, then moves its mail to another mail
// server while it runs: over its API, and beside it through the database. The next message goes the new way.
func TestSettingsChangeWithoutARestart(t *testing.T) {
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		first, second, third := openSink(t), openSink(t), openSink(t)
		set := db.Settings()
		apply(t, set, settingsFile(t, first), "created 2, changed 0 and deleted 0")
		key := rig.CreateKey(t, set, "Shop")
		adminKey, stderr, code := rig.Run(t, set, "key", "create", "--admin")
		if code != 0 {
			t.Fatalf("key create --admin: exit %d\n%s", code, stderr)
		}
		p := rig.Start(t, set)
		c := rig.NewClient(t, p, key)
		wantMail(t, c, first, 1)

		server := rig.Settings{"OTPOST_URL": "http://" + p.Public, "OTPOST_KEY": strings.TrimSpace(adminKey)}
		moved := settingsFile(t, second)
		apply(t, server, moved, "created 0, changed 1 and deleted 0")
		apply(t, server, moved, "nothing to change")
		wantMail(t, c, second, 2)

		apply(t, set, settingsFile(t, third), "created 0, changed 1 and deleted 0")
		n := 2
		rig.Await(t, "the server to follow the database", func() bool {
			n++
			got := rig.Call[rig.Passcode](c, "POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q,"wait_ms":10000}`, rig.Address(n)), 201)
			return got.Delivery.State == "accepted" && third.Total() > 0
		})
		if _, stderr, code := rig.Run(t, rig.Settings{"OTPOST_URL": server["OTPOST_URL"], "OTPOST_KEY": key}, "export"); code != 1 ||
			!strings.Contains(stderr, "admin_key_required") {
			t.Errorf("export with an application's key: exit %d\n%s", code, stderr)
		}
		if first.Total() != 1 || strings.Contains(p.Log.String(), adminKey) {
			t.Errorf("the first mail server got %d messages, want 1; or the log holds the admin key", first.Total())
		}
		p.Stop()
	})
}

// TestAllNodesFollowASettingsChange changes settings at one of two nodes and sends through the other.
func TestAllNodesFollowASettingsChange(t *testing.T) {
	t.Parallel()
	db := rig.NewPostgres(t)
	first, second := openSink(t), openSink(t)
	set := db.Settings()
	apply(t, set, settingsFile(t, first), "created 2, changed 0 and deleted 0")
	key := rig.CreateKey(t, set, "Shop")
	adminKey, _, _ := rig.Run(t, set, "key", "create", "--admin")
	here, there := rig.Start(t, set), rig.Start(t, set)
	c := rig.NewClient(t, there, key)
	wantMail(t, c, first, 1)
	apply(t, rig.Settings{"OTPOST_URL": "http://" + here.Public, "OTPOST_KEY": strings.TrimSpace(adminKey)}, settingsFile(t, second),
		"created 0, changed 1 and deleted 0")
	wantMail(t, rig.NewClient(t, here, key), second, 2)
	n := 2
	rig.Await(t, "the other node to follow", func() bool {
		n++
		before := second.Total()
		c.Issue(rig.Address(n), `,"wait_ms":10000`)
		return second.Total() > before
	})
	here.Stop()
	there.Stop()
}

// wantMail sends the nth person a passcode and wants it at a sink.
func wantMail(t *testing.T, c *rig.Client, k *rig.Sink, n int) {
	t.Helper()
	made := c.IssueAndWait(rig.Address(n), "")
	if made.Delivery.State != "accepted" || made.Delivery.Provider != "mail" {
		t.Errorf("got %+v, want it accepted by mail", made.Delivery)
	}
	if v := c.Verify(made.ID, k.To(t, rig.Address(n), 1)[0].Code); !v.Verified {
		t.Errorf("the code of message %d: %+v", n, v)
	}
}

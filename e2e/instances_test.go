package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

func TestASecondServerOfOneSQLiteFileIsRefused(t *testing.T) {
	db := rig.NewSQLite(t)
	set := db.Settings().With(rig.Settings{"inbox": "on", "listen": "127.0.0.1:0", "ops_listen": "127.0.0.1:0"})
	p := rig.Start(t, set)
	_, stderr, code := rig.Run(t, set, "serve")
	if code != 1 || !strings.Contains(stderr, "another otpost serves "+db.File()) {
		t.Errorf("exit %d, %q, want 1 and a word about the other server", code, stderr)
	}
	// The first one did not notice.
	made := rig.NewClient(t, p, rig.CreateKey(t, set, "Shop")).IssueAndWait(rig.Address(1), "")
	if made.Delivery.State != "accepted" {
		t.Errorf("got %+v", made)
	}
	p.Stop()
	rig.Start(t, set).Stop() // and the lock went with it
}

func TestKeysAreMadeAndRevokedBesideARunningServer(t *testing.T) {
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		set := db.Settings().With(rig.Settings{"inbox": "on"})
		p := rig.Start(t, set)
		first := rig.NewClient(t, p, rig.CreateKey(t, set, "Shop"))
		first.Issue(rig.Address(1), "")
		second := rig.NewClient(t, p, rig.CreateKey(t, set, "Shop"))
		second.Issue(rig.Address(2), "")

		stdout, stderr, code := rig.Run(t, set, "key", "list", "--output", "json")
		var keys []struct{ ID, Application string }
		if err := json.Unmarshal([]byte(stdout), &keys); code != 0 || err != nil || len(keys) != 2 {
			t.Fatalf("key list: exit %d, %v\n%s%s", code, err, stdout, stderr)
		}
		for _, key := range keys {
			if _, stderr, code := rig.Run(t, set, "key", "revoke", key.ID); code != 0 {
				t.Fatalf("key revoke: exit %d\n%s", code, stderr)
			}
		}
		for _, c := range []*rig.Client{first, second} { // another process may remember a key for a few seconds
			rig.Await(t, "the key to be refused", func() bool {
				got, err := c.Send("GET", "/v1/passcodes/pc_1", "")
				return err == nil && got.Status == 401
			})
		}
		p.Stop()
	})
}

func TestMigrateTwiceChangesNothing(t *testing.T) {
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		set := db.Settings()
		type migrated struct{ From, To int }
		var steps []migrated
		for range 2 {
			stdout, stderr, code := rig.Run(t, set, "migrate", "--output", "json")
			var m migrated
			if err := json.Unmarshal([]byte(stdout), &m); code != 0 || err != nil {
				t.Fatalf("migrate: exit %d, %v\n%s%s", code, err, stdout, stderr)
			}
			steps = append(steps, m)
		}
		if steps[0].From != 0 || steps[0].To < 1 || steps[1].From != steps[0].To || steps[1].To != steps[0].To {
			t.Errorf("got %+v, want one migration and then none", steps)
		}
		p := rig.Start(t, set.With(rig.Settings{"inbox": "on"}))
		if _, stderr, code := rig.Run(t, set, "migrate"); code != 0 {
			t.Errorf("migrate beside a server: exit %d\n%s", code, stderr)
		}
		p.Stop()
	})
}

// TestTwoNodesShareWorkAndLimits runs two servers on one PostgreSQL.
func TestTwoNodesShareWorkAndLimits(t *testing.T) {
	t.Parallel()
	const people, asked, granted = 100, 60, 5
	db, k := rig.NewPostgres(t), rig.StartSink(t, "")
	set := db.Settings().With(k.Settings(), rig.ShortLeases)
	key := rig.CreateKey(t, set, "Shop")
	nodes := []*rig.Server{rig.Start(t, set), rig.Start(t, set)}
	clients := []*rig.Client{rig.NewClient(t, nodes[0], key), rig.NewClient(t, nodes[1], key)}

	// Both grant together what one would: five messages to a person in ten minutes.
	var made, limited atomic.Int32
	rig.Together(asked, asked, func(i int) {
		got, err := clients[i%2].Send("POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q}`, rig.Address(0)))
		switch {
		case err == nil && got.Status == 201:
			made.Add(1)
		case err == nil && got.Status == 429 && strings.Contains(string(got.Body), `"limit_reached"`):
			limited.Add(1)
		default:
			t.Errorf("got %v, %v", got, err)
		}
	})
	if made.Load() != granted || limited.Load() != asked-granted {
		t.Errorf("%d were granted and %d refused, want %d granted", made.Load(), limited.Load(), granted)
	}
	if n := db.Number(t, `SELECT COUNT(*) FROM challenges WHERE state = 'pending'`); n != 1 {
		t.Errorf("%d passcodes of one person can be used, want 1", n)
	}

	// What is asked of one node is proved at the other, and only once.
	k.Answer(-1)
	shared := clients[0].Issue(rig.Address(1), "")
	code := k.To(t, rig.Address(1), 1)[0].Code
	var verified atomic.Int32
	rig.Together(64, 64, func(i int) {
		got, err := clients[i%2].Send("POST", "/v1/passcodes/"+shared.ID+"/verify", fmt.Sprintf(`{"code":%q}`, code))
		if err != nil || got.Status != 200 {
			t.Errorf("got %v, %v", got, err)
		}
		if strings.Contains(string(got.Body), `"verified":true`) {
			verified.Add(1)
		}
	})
	if verified.Load() != 1 {
		t.Errorf("%d of 64 right codes were verified, want 1", verified.Load())
	}

	// One dies with its work in hand; the other does it.
	k.Hold()
	clients[0].IssueAll(2, people)
	rig.Await(t, "all workers of the first node to be busy", func() bool { return k.Waiting() == rig.Workers })
	nodes[0].Kill()
	k.Answer(-1)
	rig.Await(t, "every delivery to end", func() bool {
		return db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE ended_at = 0`) == 0
	})
	got := k.ByRecipient()
	for i := range people {
		if n := len(got[rig.Address(2+i)]); n < 1 || n > 2 {
			t.Errorf("%s got %d messages, want 1, or 2 if the first was in flight", rig.Address(2+i), n)
		}
	}
	nodes[1].Stop()
}

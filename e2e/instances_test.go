package e2e_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
)

func TestASecondServerOfOneSQLiteFileIsRefused(t *testing.T) {
	db := newSQLite(t)
	set := db.settings().with(settings{"inbox": "on", "listen": "127.0.0.1:0", "ops_listen": "127.0.0.1:0"})
	p := start(t, set)
	_, stderr, code := run(t, set, "serve")
	if code != 1 || !strings.Contains(stderr, "another otpost serves "+db.file()) {
		t.Errorf("exit %d, %q, want 1 and a word about the other server", code, stderr)
	}
	// The first one did not notice.
	made := newClient(t, p, createKey(t, set, "Shop")).issue(address(1), `,"wait_ms":10000`)
	if made.Delivery.State != "accepted" {
		t.Errorf("got %+v", made)
	}
	p.stop()
	start(t, set).stop() // and the lock went with it
}

func TestKeysAreMadeAndRevokedBesideARunningServer(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		set := db.settings().with(settings{"inbox": "on"})
		p := start(t, set)
		first := newClient(t, p, createKey(t, set, "Shop"))
		first.issue(address(1), "")
		second := newClient(t, p, createKey(t, set, "Shop"))
		second.issue(address(2), "")

		stdout, stderr, code := run(t, set, "key", "list", "--output", "json")
		var keys []struct{ ID, Application string }
		if err := json.Unmarshal([]byte(stdout), &keys); code != 0 || err != nil || len(keys) != 2 {
			t.Fatalf("key list: exit %d, %v\n%s%s", code, err, stdout, stderr)
		}
		for _, key := range keys {
			if _, stderr, code := run(t, set, "key", "revoke", key.ID); code != 0 {
				t.Fatalf("key revoke: exit %d\n%s", code, stderr)
			}
		}
		for _, c := range []*client{first, second} { // another process may remember a key for a few seconds
			await(t, "the key to be refused", func() bool {
				got, err := c.send("GET", "/v1/passcodes/pc_1", "")
				return err == nil && got.status == 401
			})
		}
		p.stop()
	})
}

func TestMigrateTwiceChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		set := db.settings()
		type migrated struct{ From, To int }
		var steps []migrated
		for range 2 {
			stdout, stderr, code := run(t, set, "migrate", "--output", "json")
			var m migrated
			if err := json.Unmarshal([]byte(stdout), &m); code != 0 || err != nil {
				t.Fatalf("migrate: exit %d, %v\n%s%s", code, err, stdout, stderr)
			}
			steps = append(steps, m)
		}
		if steps[0].From != 0 || steps[0].To < 1 || steps[1].From != steps[0].To || steps[1].To != steps[0].To {
			t.Errorf("got %+v, want one migration and then none", steps)
		}
		p := start(t, set.with(settings{"inbox": "on"}))
		if _, stderr, code := run(t, set, "migrate"); code != 0 {
			t.Errorf("migrate beside a server: exit %d\n%s", code, stderr)
		}
		p.stop()
	})
}

// TestTwoNodesShareWorkAndLimits runs two servers on one PostgreSQL.
func TestTwoNodesShareWorkAndLimits(t *testing.T) {
	t.Parallel()
	const people, asked, granted = 100, 60, 5
	db, k := newPostgres(t), startSink(t, "")
	set := db.settings().with(k.settings(), shortLeases)
	key := createKey(t, set, "Shop")
	nodes := []*server{start(t, set), start(t, set)}
	clients := []*client{newClient(t, nodes[0], key), newClient(t, nodes[1], key)}

	// Both grant together what one would: five messages to a person in ten minutes.
	var made, limited atomic.Int32
	together(asked, asked, func(i int) {
		got, err := clients[i%2].send("POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q}`, address(0)))
		switch {
		case err == nil && got.status == 201:
			made.Add(1)
		case err == nil && got.status == 429 && strings.Contains(string(got.body), `"limit_reached"`):
			limited.Add(1)
		default:
			t.Errorf("got %v, %v", got, err)
		}
	})
	if made.Load() != granted || limited.Load() != asked-granted {
		t.Errorf("%d were granted and %d refused, want %d granted", made.Load(), limited.Load(), granted)
	}
	if n := db.number(t, `SELECT COUNT(*) FROM challenges WHERE state = 'pending'`); n != 1 {
		t.Errorf("%d passcodes of one person can be used, want 1", n)
	}

	// What is asked of one node is proved at the other, and only once.
	k.answer(-1)
	shared := clients[0].issue(address(1), "")
	code := k.to(t, address(1), 1)[0].code
	var verified atomic.Int32
	together(64, 64, func(i int) {
		got, err := clients[i%2].send("POST", "/v1/passcodes/"+shared.ID+"/verify", fmt.Sprintf(`{"code":%q}`, code))
		if err != nil || got.status != 200 {
			t.Errorf("got %v, %v", got, err)
		}
		if strings.Contains(string(got.body), `"verified":true`) {
			verified.Add(1)
		}
	})
	if verified.Load() != 1 {
		t.Errorf("%d of 64 right codes were verified, want 1", verified.Load())
	}

	// One dies with its work in hand; the other does it.
	k.hold()
	clients[0].issueAll(2, people)
	await(t, "all workers of the first node to be busy", func() bool { return k.waiting() == workers })
	nodes[0].kill()
	k.answer(-1)
	await(t, "every delivery to end", func() bool {
		return db.number(t, `SELECT COUNT(*) FROM deliveries WHERE ended_at = 0`) == 0
	})
	got := k.byRecipient()
	for i := range people {
		if n := len(got[address(2+i)]); n < 1 || n > 2 {
			t.Errorf("%s got %d messages, want 1, or 2 if the first was in flight", address(2+i), n)
		}
	}
	nodes[1].stop()
}

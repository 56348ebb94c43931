package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
)

func challenge(to string) (passcode.Challenge, passcode.Issuance) {
	now := time.Now().UTC().Truncate(time.Millisecond)
	c := passcode.Challenge{ID: outbox.NewID("pc", now), Tenant: "default", Channel: outbox.Email, To: to, Identifier: to,
		Mailbox: to, Purpose: passcode.Verify, State: passcode.Pending, CodeHash: []byte("h"), Policy: passcode.DefaultPolicy(),
		CreatedAt: now, SentAt: now, ExpiresAt: now.Add(time.Minute)}
	d := outbox.Delivery{ID: outbox.NewID("dl", now), Tenant: "default", Challenge: c.ID, Channel: outbox.Email, To: to,
		Route: []string{"mail"}, State: outbox.Queued, CreatedAt: now, DueAt: now, Deadline: c.ExpiresAt,
		Message: &outbox.Message{Text: "482913 is your code", Code: "482913"}}
	return c, passcode.Issuance{Challenge: c, Delivery: d, Now: now}
}

// TestOneCallersFailureIsNotAnothers runs many transactions together, of which some fail after they wrote and some
// panic. The others share a commit with them all the same, and must not notice.
func TestOneCallersFailureIsNotAnothers(t *testing.T) {
	db := open(t, "sqlite:"+filepath.Join(t.TempDir(), "otpost.db"))
	failure := errors.New("on purpose")
	var wg sync.WaitGroup
	results := make([]error, 90)
	refs := make([]passcode.Ref, len(results))
	for i := range results {
		c, issuance := challenge(fmt.Sprintf("u%d@example.org", i))
		refs[i] = passcode.Ref{Tenant: "default", ID: c.ID}
		if err := db.Issue(t.Context(), issuance); err != nil {
			t.Fatal(err)
		}
	}
	for i := range results {
		wg.Go(func() {
			results[i] = db.Update(t.Context(), refs[i], time.Now(), func(c *passcode.Challenge, turn passcode.Turn) error {
				if err := turn.Spend(passcode.Spend{Key: fmt.Appendf(nil, "%016d", i), Limit: 9, Window: time.Hour, Cost: 1}); err != nil {
					return err
				}
				c.Tries = 1
				switch i % 3 {
				case 1:
					return failure
				case 2:
					panic("on purpose")
				}
				return nil
			})
		})
	}
	wg.Wait()
	for i, err := range results {
		line, readErr := db.Timeline(t.Context(), refs[i])
		if readErr != nil {
			t.Fatal(readErr)
		}
		want := 0
		if i%3 == 0 {
			want = 1
		}
		if (err == nil) != (i%3 == 0) || i%3 == 1 && !errors.Is(err, failure) || line.Challenge.Tries != want {
			t.Errorf("transaction %d: error %v, tries %d, want %d", i, err, line.Challenge.Tries, want)
		}
	}
}

func TestASQLiteFileHasOneServer(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "deep", "otpost.db")
	first := open(t, url)
	if err := first.Own(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	second := open(t, url) // beside the server, for key create and its like
	if err := second.Own(t.Context(), time.Now()); err == nil || !strings.Contains(err.Error(), "another otpost serves") {
		t.Errorf("a second server was let in: %v", err)
	}
	first.Close()
	if err := second.Own(t.Context(), time.Now()); err != nil {
		t.Errorf("after the first one ended: %v", err)
	}
}

func TestTheFileIsTheOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "otpost.db")
	open(t, "sqlite:"+path)
	for _, name := range []string{path, path + "-wal"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v %v, want it closed to others", filepath.Base(name), info.Mode(), err)
		}
	}
}

func TestOddPathsWork(t *testing.T) {
	for _, name := range []string{"with space.db", "per%cent.db", "que?stion.db", "hash#.db", "ünï.db"} {
		path := filepath.Join(t.TempDir(), name)
		db := open(t, "sqlite:"+path)
		if err := db.Ready(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenExplains(t *testing.T) {
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"":                "write sqlite:PATH",
		"mysql://x":       "write sqlite:PATH",
		"sqlite:":         "needs the path",
		"sqlite::memory:": "needs the path",
		"postgres://127.0.0.1:1/x?connect_timeout=1": "open database",
	} {
		if _, err := store.Open(t.Context(), url, ring, store.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want it to say %q", url, err, want)
		}
	}
}

func TestMigrateTogetherAndAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "otpost.db")
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), "sqlite:"+path, ring, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Ready(t.Context()); err == nil {
		t.Error("ready without a schema")
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := db.Migrate(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n, err := db.Migrate(t.Context()); err != nil || n != 0 {
		t.Errorf("migrated %d steps again, %v", n, err)
	}
	if have, want, err := db.Version(t.Context()); err != nil || have != want || have == 0 {
		t.Errorf("version %d of %d, %v", have, want, err)
	}
}

func TestAfterCloseNothingHangs(t *testing.T) {
	db := open(t, "sqlite:"+filepath.Join(t.TempDir(), "otpost.db"))
	db.Close()
	_, issuance := challenge("lea@example.org")
	if err := db.Issue(t.Context(), issuance); err == nil {
		t.Error("wrote to a closed database")
	}
	if err := db.Ready(t.Context()); err == nil {
		t.Error("a closed database is ready")
	}
}

// TestAStartDoesNotReadWhatWaits holds the time of a start over a long backlog: a million waiting messages took 22 s to
// read, and take 0.2 s where the index alone is read.
func TestAStartDoesNotReadWhatWaits(t *testing.T) {
	db := open(t, "sqlite:"+filepath.Join(t.TempDir(), "otpost.db"))
	plan, err := db.Plan(t.Context(), store.UnderWay)
	if err != nil || !strings.Contains(plan, "USING COVERING INDEX deliveries_due") {
		t.Errorf("got the plan %q, %v", plan, err)
	}
}

package store_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
	"github.com/otpost/otpost/internal/store/pgtest"
)

// The life of one passcode in the store, without anything around it: issue with three limits, record that a provider
// took the message, verify. 64 callers at once.
func BenchmarkLife(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		benchmarkLife(b, "sqlite:"+filepath.Join(b.TempDir(), "otpost.db"))
	})
	b.Run("postgres", func(b *testing.B) {
		benchmarkLife(b, pgtest.Start(b, "fsync=on").Database(b))
	})
}

func benchmarkLife(b *testing.B, url string) {
	ring, err := seal.New()
	if err != nil {
		b.Fatal(err)
	}
	db, err := store.Open(b.Context(), url, ring, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	html := strings.Repeat("<p>482913 is your code</p>", 80)
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := life(b, db, fmt.Sprintf("u%d@example.org", n.Add(1)), html); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func life(b *testing.B, db *store.DB, to, html string) error {
	now := time.Now()
	c := passcode.Challenge{ID: outbox.NewID("pc", now), Tenant: "default", Application: "app_1", Channel: outbox.Email,
		To: to, Identifier: to, Mailbox: to, Purpose: passcode.SignIn, State: passcode.Pending, CodeHash: make([]byte, 37),
		CodeSealed: make([]byte, 38), Policy: passcode.DefaultPolicy(), Sends: 1, Locale: "en",
		CreatedAt: now, SentAt: now, ExpiresAt: now.Add(10 * time.Minute)}
	d := outbox.Delivery{ID: outbox.NewID("dl", now), Tenant: "default", Application: "app_1", Challenge: c.ID,
		Channel: outbox.Email, To: to, Route: []string{"mail"}, State: outbox.Sending, Lease: "me", CreatedAt: now,
		DueAt: now.Add(time.Minute), Deadline: c.ExpiresAt,
		Message: &outbox.Message{Channel: outbox.Email, To: to, Text: html[:300], HTML: html, Code: "482913"}}
	spend := func(name string, limit int) passcode.Spend {
		return passcode.Spend{Key: fmt.Appendf(nil, "%-16s", name+to)[:16], Name: name, Limit: limit, Window: time.Minute, Cost: 1}
	}
	shared := passcode.Spend{Key: []byte("0123456789abcdef"), Name: "application", Limit: 1 << 40, Window: time.Hour, Cost: 1}
	ctx := b.Context()
	if err := db.Issue(ctx, passcode.Issuance{Challenge: c, Delivery: d, Now: now,
		Spends: []passcode.Spend{spend("a", 5), spend("b", 25), shared}}); err != nil {
		return err
	}
	took := outbox.Acceptance{Delivery: d, Attempt: outbox.Attempt{Delivery: d.ID, Provider: "mail", At: now}}
	if _, err := db.Accept(ctx, []outbox.Acceptance{took}, now); err != nil {
		return err
	}
	guess := spend("g", 10)
	return db.Update(ctx, passcode.Ref{Tenant: "default", ID: c.ID}, now, func(c *passcode.Challenge, t passcode.Turn) error {
		c.State, c.EndedAt, c.CodeSealed = passcode.Verified, now, nil
		return t.Guess(true, guess)
	})
}

package growth_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/store"
	"github.com/otpost/otpost/proof/rig"
)

// TestSweeperForgetsWhatIsOver fills a database with passcodes past their retention, passcodes that expired and
// passcodes that live, and wants the sweeper to end the second, delete the first, and touch nothing of the third.
func TestSweeperForgetsWhatIsOver(t *testing.T) {
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		k := rig.StartSink(t, "")
		k.Answer(-1)
		like := takeSample(t, db, db.Settings().With(k.Settings()), k)
		n := rig.Size(500, 50_000)
		before := db.Counts(t)
		fill(t, db, like, func(f *filler) {
			f.passcodes(n, "verified", "old.test", f.now.Add(-72*time.Hour))
			f.passcodes(n, "pending", "expired.test", f.now.Add(-25*time.Hour))
			f.passcodes(n, "pending", "live.test", f.now)
			f.idempotency(n, f.now.Add(-time.Hour))
			f.analyse()
		})
		size := sizeOf(t, db)
		s := open(t, db, like)
		began := time.Now()
		if _, err := s.Sweep(t.Context(), began, 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		took := time.Since(began)
		after := db.Counts(t)
		for table, want := range map[string]int{"challenges": 2 * n, "deliveries": 2 * n, "attempts": 2 * n, "idempotency": 0} {
			if got := after[table] - before[table]; got != want {
				t.Errorf("after the sweep %s has %d rows of those that were filled in, want %d", table, got, want)
			}
		}
		expired := db.Number(t, `SELECT COUNT(*) FROM challenges WHERE state = 'expired' AND code_sealed IS NULL AND recipient LIKE '%expired.test'`)
		living := db.Number(t, `SELECT COUNT(*) FROM challenges WHERE state = 'pending' AND code_sealed IS NOT NULL AND recipient LIKE '%live.test'`)
		if expired != n || living != n {
			t.Errorf("%d of %d expired passcodes have ended, %d of %d live ones live", expired, n, living, n)
		}
		forgetLimits(t, s, db, 4*n)
		rig.Figure(t, "growth.sweep.rate."+db.Kind(), int(float64(n)/took.Seconds()),
			"passcodes forgotten a second, while as many expired and as many idempotency keys went with them")
		again := refilled(t, db, like, n)
		if rig.Full() {
			rig.Figure(t, "growth.sweep.reuse."+db.Kind(), fmt.Sprintf("%.2f", float64(again)/float64(size)),
				"size of a database after a sweep and as many new passcodes, over its size before")
		}
	})
}

// forgetLimits sweeps until half of the limits that are over must be gone: one sweep looks at a random 64th of them. At
// least n are over, both windows of the old passcodes and of the expired ones.
func forgetLimits(t *testing.T, s *store.DB, db *rig.Database, n int) {
	t.Helper()
	over := func() int {
		return db.Number(t, `SELECT COUNT(*) FROM limits WHERE resets_at <= $1`, time.Now().UnixMilli())
	}
	kept := db.Number(t, `SELECT COUNT(*) FROM limits WHERE resets_at > $1`, time.Now().Add(time.Minute).UnixMilli())
	was := over()
	if was < n*9/10 {
		t.Fatalf("%d limits are over, want at least %d", was, n)
	}
	for range 96 {
		if _, err := s.Sweep(t.Context(), time.Now(), 24*time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if left := over(); left > was/2 {
		t.Errorf("after 96 sweeps %d of %d limits that are over are still there", left, was)
	}
	if still := db.Number(t, `SELECT COUNT(*) FROM limits WHERE resets_at > $1`, time.Now().Add(time.Minute).UnixMilli()); still != kept {
		t.Errorf("of %d limits that are not over %d are left", kept, still)
	}
}

// open is the store of a database in this process.
func open(t *testing.T, db *rig.Database, like *sample) *store.DB {
	t.Helper()
	s, err := store.Open(t.Context(), db.Settings()["database"], like.ring, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// refilled writes as many passcodes as were forgotten and returns the size of the database then.
func refilled(t *testing.T, db *rig.Database, like *sample, n int) int {
	t.Helper()
	fill(t, db, like, func(f *filler) {
		f.analyse()
		f.passcodes(n, "pending", "new.test", f.now)
	})
	return sizeOf(t, db)
}

// sizeOf is the size of a database, without what SQLite has not yet moved from its log.
func sizeOf(t *testing.T, db *rig.Database) int {
	t.Helper()
	if db.Kind() == "postgres" {
		return db.Number(t, `SELECT pg_database_size(current_database())`)
	}
	return db.Number(t, `SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`)
}

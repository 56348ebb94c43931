package failover_test

import (
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/proof/rig"
)

// try is one try as the database has it, in milliseconds since 1970.
type try struct {
	provider   string
	class      outbox.Class
	detail     string
	begun, end int64
}

// late reports whether the connection did not come in the time that the caller left for one. On a busy machine that can
// happen with any provider; nothing was sent then.
func (a *try) late() bool {
	return a.class == outbox.Transient && a.detail == "no connection in the time that was left for one"
}

// delivery is one message as the database has it.
type delivery struct {
	id, state, provider string
	uncertain           bool
	tries               []try
}

func (d *delivery) count(class outbox.Class) (n int) {
	for _, a := range d.tries {
		if a.class == class {
			n++
		}
	}
	return n
}

// overlap reports whether two providers were tried at the same time.
func (d *delivery) overlap() bool {
	for i, a := range d.tries {
		for _, b := range d.tries[i+1:] {
			if a.provider != b.provider && a.begun < b.end && b.begun < a.end {
				return true
			}
		}
	}
	return false
}

// deliveries are all messages, by recipient.
func deliveries(t testing.TB, db *rig.Database) map[string]*delivery {
	t.Helper()
	rows, err := db.SQL.Query(`SELECT d.recipient, d.id, d.state, d.provider, d.uncertain, COALESCE(a.provider, ''), COALESCE(a.class, ''),
		COALESCE(a.detail, ''), COALESCE(a.at, 0), COALESCE(a.took, 0) FROM deliveries d LEFT JOIN attempts a ON a.delivery = d.id ORDER BY d.id, a.n`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]*delivery{}
	for rows.Next() {
		var to string
		var d delivery
		var a try
		var took int64
		if err := rows.Scan(&to, &d.id, &d.state, &d.provider, &d.uncertain, &a.provider, &a.class, &a.detail, &a.begun, &took); err != nil {
			t.Fatal(err)
		}
		a.end = a.begun + took
		known := all[to]
		if known == nil {
			known = &d
			all[to] = known
		}
		if known.id != d.id {
			t.Fatalf("%s has two deliveries", to)
		}
		if a.provider != "" {
			known.tries = append(known.tries, a)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// settle waits until every message has its end.
func settle(t testing.TB, db *rig.Database) {
	t.Helper()
	rig.Await(t, "the end of every message", func() bool {
		return db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE state IN ('queued', 'sending')`) == 0
	})
}

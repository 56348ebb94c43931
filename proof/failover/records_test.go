package failover_test

import (
	"slices"
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

// late reports whether the try took all the time that it had. On a busy machine that can happen with any provider, and
// is then known for what it is: nothing was sent where no connection came, and the answer was lost where one did.
func (a *try) late() bool {
	switch a.detail {
	case "no connection in the time that was left for one":
		return a.class == outbox.Transient
	case "no answer in time":
		return a.end-a.begun >= (budget / 2).Milliseconds()
	}
	return false
}

// delivery is one message as the database has it.
type delivery struct {
	id, state, provider string
	uncertain           bool
	tries               []try
}

// lost reports whether the answer to a try came too late to be read.
func (d *delivery) lost() bool {
	return slices.ContainsFunc(d.tries, func(a try) bool { return a.class == outbox.Ambiguous && a.late() })
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
			if a.provider != b.provider && a.begun <= b.end && b.begun <= a.end {
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

package faults_test

import (
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/proof/rig"
)

// attempt is one try as the database has it.
type attempt struct {
	class outbox.Class
	// code is the provider's.
	code, detail string
	// at is in milliseconds since 1970, took in milliseconds.
	at, took int64
}

// delivery is one message as the database has it.
type delivery struct {
	id, to, state string
	dueAt         int64
	attempts      []attempt
}

func (d *delivery) count(class outbox.Class) (n int) {
	for _, a := range d.attempts {
		if a.class == class {
			n++
		}
	}
	return n
}

// deliveries are all messages by recipient; each recipient is sent one.
func deliveries(t testing.TB, db *rig.Database) map[string]*delivery {
	t.Helper()
	rows, err := db.SQL.Query(`SELECT d.id, d.recipient, d.state, d.due_at, COALESCE(a.n, 0), COALESCE(a.class, ''),
		COALESCE(a.code, ''), COALESCE(a.detail, ''), COALESCE(a.at, 0), COALESCE(a.took, 0)
		FROM deliveries d LEFT JOIN attempts a ON a.delivery = d.id ORDER BY d.id, a.n`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string]*delivery{}
	for rows.Next() {
		var d delivery
		var a attempt
		var n int
		if err := rows.Scan(&d.id, &d.to, &d.state, &d.dueAt, &n, &a.class, &a.code, &a.detail, &a.at, &a.took); err != nil {
			t.Fatal(err)
		}
		known := all[d.to]
		if known == nil {
			known = &d
			all[d.to] = known
		}
		if known.id != d.id {
			t.Fatalf("%s has two deliveries", d.to)
		}
		if n > 0 {
			known.attempts = append(known.attempts, a)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// begun is how many messages of these recipients, a pattern of SQL's LIKE, were tried at least once.
func begun(t testing.TB, db *rig.Database, pattern string) int {
	return db.Number(t, `SELECT COUNT(*) FROM attempts a JOIN deliveries d ON d.id = a.delivery
		WHERE a.n = 1 AND d.recipient LIKE '`+pattern+`'`)
}

// soonAgain is how many messages to these recipients are under way that no account has to be mended for.
func soonAgain(t testing.TB, db *rig.Database, pattern string) int {
	return db.Number(t, `SELECT COUNT(*) FROM deliveries d WHERE d.state IN ('queued', 'sending')
		AND d.recipient LIKE '`+pattern+`' AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.delivery = d.id AND a.class IN ('config', 'quota'))`)
}

// underWay is how many messages have no end yet.
func underWay(t testing.TB, db *rig.Database) int {
	return db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE state IN ('queued', 'sending')`)
}

// hurry makes due now what waits for a mended account.
func hurry(t testing.TB, db *rig.Database) {
	t.Helper()
	if _, err := db.SQL.Exec(`UPDATE deliveries SET due_at = $1 WHERE state = 'queued'`, time.Now().UnixMilli()); err != nil {
		t.Fatal(err)
	}
}

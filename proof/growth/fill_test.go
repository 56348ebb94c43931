package growth_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/proof/rig"
)

// filler multiplies a sample. On SQLite the program does not run meanwhile.
type filler struct {
	t      testing.TB
	db     *rig.Database
	conn   *sql.Conn
	sample *sample
	now    time.Time
}

// fill opens a filler on the database that a sample was taken of, and calls write with it.
func fill(t testing.TB, db *rig.Database, like *sample, write func(f *filler)) {
	t.Helper()
	db.SQL.SetMaxIdleConns(0) // so that a SQLite file can leave WAL mode for a while
	conn, err := db.SQL.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	f := &filler{t: t, db: db, conn: conn, sample: like, now: time.Now()}
	if db.Kind() == "sqlite" {
		f.exec("PRAGMA synchronous=OFF")
		f.exec("PRAGMA cache_size=-1000000")
		// A file that somebody else has open stays in WAL mode, which is only slower.
		if _, err := conn.ExecContext(t.Context(), "PRAGMA journal_mode=OFF"); err != nil {
			t.Logf("fill in WAL mode: %v", err)
		}
		defer f.exec("PRAGMA journal_mode=WAL")
	}
	write(f)
}

// analyse does what PostgreSQL's autovacuum does within the minute. A SQLite file of otpost's has no statistics.
func (f *filler) analyse() {
	f.t.Helper()
	if f.db.Kind() == "postgres" {
		f.exec("VACUUM ANALYZE")
	}
}

func (f *filler) exec(statement string, args ...any) {
	f.t.Helper()
	if _, err := f.conn.ExecContext(f.t.Context(), statement, args...); err != nil {
		f.t.Fatalf("%s: %v", statement, err)
	}
}

// scrambled is a number of 32 bits for each i: all different, and in no order, as addresses and hashes are.
const scrambled = `(CAST(n.i AS BIGINT) * 2654435761 & 4294967295)`

// numbered are ids that were made at a time, one for each i.
func numbered(prefix string, at time.Time) string {
	const kept = len("_") + 9 // the part of an id that is time alone
	return fmt.Sprintf(`'%s' || substr(CAST(100000000000000000 + n.i AS TEXT), 2)`, outbox.NewID(prefix, at)[:len(prefix)+kept])
}

// multiply writes n rows like those that are in a table where a condition holds; columns say what is different.
func (f *filler) multiply(table, where string, n int, columns map[string]string) {
	f.t.Helper()
	names, values := f.columns(table), []string{}
	for _, name := range names {
		value, ok := columns[name]
		if !ok {
			value = "t." + name
		}
		values = append(values, value)
	}
	order := ""
	if key := columns["key"]; key != "" {
		order = " ORDER BY " + key // in order, since rows that come anywhere take several times as long
	}
	f.exec(fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO %s (%s) SELECT %s FROM n CROSS JOIN (SELECT * FROM %s WHERE %s LIMIT 1) t%s`,
		n, table, strings.Join(names, ", "), strings.Join(values, ", "), table, where, order))
}

func (f *filler) columns(table string) []string {
	f.t.Helper()
	rows, err := f.conn.QueryContext(f.t.Context(), `SELECT * FROM `+table+` WHERE 1 = 0`)
	if err != nil {
		f.t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		f.t.Fatal(err)
	}
	return names
}

// passcodes writes n passcodes that were delivered and whose state is given, made at a time, of as many people of a
// domain: challenge, delivery, attempt, and the two limits that each person spent.
func (f *filler) passcodes(n int, state, domain string, at time.Time) {
	f.t.Helper()
	person := fmt.Sprintf(`'p' || CAST(%s AS TEXT) || '@%s'`, scrambled, domain)
	ended, sealed := "0", "t.code_sealed"
	expires := at.Add(24 * time.Hour).UnixMilli() // the longest life that a passcode can have
	if state != "pending" {
		sealed = "NULL"
		ended = fmt.Sprint(at.Add(time.Minute).UnixMilli())
	}
	f.multiply("challenges", `id = '`+f.sample.challenge+`'`, n, map[string]string{"id": numbered("pc", at), "recipient": person,
		"identifier": person, "mailbox": person, "state": "'" + state + "'", "newest": "1", "code_sealed": sealed,
		"expires_at": fmt.Sprint(expires), "ended_at": ended, "created_at": fmt.Sprint(at.UnixMilli())})
	f.multiply("deliveries", `id = '`+f.sample.delivery+`'`, n, map[string]string{"id": numbered("dl", at), "recipient": person,
		"challenge": numbered("pc", at), "created_at": fmt.Sprint(at.UnixMilli()), "deadline": fmt.Sprint(expires)})
	f.multiply("attempts", `delivery = '`+f.sample.delivery+`'`, n, map[string]string{"delivery": numbered("dl", at)})
	for i, window := range []time.Duration{10 * time.Minute, 24 * time.Hour} {
		f.multiply("limits", fmt.Sprintf(`quota = %d`, []int{5, 25}[i]), n, map[string]string{"key": f.limitKey(domain, i),
			"resets_at": fmt.Sprint(at.Add(window).UnixMilli())})
	}
}

// limitKey is the key of a person's ith limit: 12 bytes of anything, 4 that say which limit.
func (f *filler) limitKey(domain string, i int) string {
	hex, bytes := `lpad(to_hex(`+scrambled+`), 8, '0')`, `decode(%s, 'hex')`
	if f.db.Kind() == "sqlite" {
		hex, bytes = `printf('%08x', `+scrambled+`)`, `unhex(%s)`
	}
	tail := fmt.Sprintf("%-16.16x%08x", domain+strings.Repeat(".", 8), i)
	return fmt.Sprintf(bytes, hex+` || '`+tail+`'`)
}

// backlog writes n queued deliveries that are due at a time, each of one of the pending passcodes that were written
// before, and each with a message that the program can open.
func (f *filler) backlog(n int, made, due, deadline time.Time) {
	f.t.Helper()
	names := f.columns("deliveries")
	row := make([]any, len(names))
	if err := f.conn.QueryRowContext(f.t.Context(), `SELECT * FROM deliveries WHERE id = $1`, f.sample.delivery).Scan(pointers(row)...); err != nil {
		f.t.Fatal(err)
	}
	at := map[string]int{}
	for i, name := range names {
		at[name] = i
	}
	row[at["state"]], row[at["lease"]], row[at["provider"]], row[at["ref"]] = "queued", "", "", ""
	row[at["tries"]], row[at["ended_at"]], row[at["uncertain"]] = int64(0), int64(0), int64(0)
	row[at["created_at"]], row[at["deadline"]] = made.UnixMilli(), deadline.UnixMilli()
	challenge, delivery := outbox.NewID("pc", made)[:12], outbox.NewID("dl", made.Add(time.Second))[:12]
	i := 0
	f.insert("deliveries", names, func() ([]any, error) {
		if i++; i > n {
			return nil, nil
		}
		id := fmt.Sprintf("%s%017d", delivery, i)
		row[at["id"]], row[at["challenge"]] = id, fmt.Sprintf("%s%017d", challenge, i)
		row[at["due_at"]] = due.UnixMilli() + int64(i%60_000) // as retries are: not all at the same instant
		sealed, err := f.sample.ring.Seal(f.sample.message, "message "+id)
		row[at["message"]] = sealed
		return row, err
	})
}

func pointers(row []any) []any {
	to := make([]any, len(row))
	for i := range row {
		to[i] = &row[i]
	}
	return to
}

// insert writes the rows that next returns until it returns none.
func (f *filler) insert(table string, names []string, next func() ([]any, error)) {
	f.t.Helper()
	write := f.insertOneByOne
	if f.db.Kind() == "postgres" {
		write = f.copyIn
	}
	if err := write(table, names, next); err != nil {
		f.t.Fatalf("fill %s: %v", table, err)
	}
}

func (f *filler) copyIn(table string, names []string, next func() ([]any, error)) error {
	return f.conn.Raw(func(conn any) error {
		_, err := conn.(*stdlib.Conn).Conn().CopyFrom(context.Background(), pgx.Identifier{table}, names, pgx.CopyFromFunc(next))
		return err
	})
}

func (f *filler) insertOneByOne(table string, names []string, next func() ([]any, error)) error {
	tx, err := f.conn.BeginTx(f.t.Context(), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	marks := strings.TrimSuffix(strings.Repeat("?,", len(names)), ",")
	statement, err := tx.Prepare(`INSERT INTO ` + table + ` (` + strings.Join(names, ", ") + `) VALUES (` + marks + `)`)
	if err != nil {
		return err
	}
	for {
		row, err := next()
		if err != nil {
			return err
		}
		if row == nil {
			return tx.Commit()
		}
		if _, err := statement.Exec(row...); err != nil {
			return err
		}
	}
}

// idempotency writes n idempotency keys that are remembered until a time.
func (f *filler) idempotency(n int, until time.Time) {
	f.t.Helper()
	f.exec(fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO idempotency (application, key, fingerprint, challenge, expires_at)
		SELECT t.application, 'key ' || CAST(%s AS TEXT), t.code_hash, t.id, %d
		FROM n CROSS JOIN (SELECT * FROM challenges WHERE id = '%s') t`, n, scrambled, until.UnixMilli(), f.sample.challenge))
}

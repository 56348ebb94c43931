// Package store keeps everything durable, in SQLite or in PostgreSQL, with one SQL text for both.
//
// Each exported verb is one transaction. The common subset that both databases run: $1 placeholders, RETURNING,
// ON CONFLICT, times as integer milliseconds since 1970, lists and maps as text. What differs is in sqlite.go and
// postgres.go, and is small.
package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
)

// Sealer seals what must not be readable in a copy of the database. *seal.Ring is one.
type Sealer interface {
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
}

// DB is an open database. It is safe for use by many goroutines.
type DB struct {
	backend
	sealer          Sealer
	suppressBounced time.Duration
	// lane is which deliveries are claimed.
	lane lane
	// publisher is nil where nobody is told of anything.
	publisher Publisher
}

// Options are what Open may be told beside the address; the zero value works.
type Options struct {
	// ObserveGroup is told how many transactions shared a commit (SQLite only).
	ObserveGroup func(size int)
	// SuppressBounced is for how long a recipient is not sent to after a hard bounce; 0 is not at all.
	SuppressBounced time.Duration
}

// backend is what the two databases do differently.
type backend interface {
	// transact runs body in one transaction and commits it, unless body returns an error. body may be called again
	// from the start, and must not depend on what an earlier call left behind.
	transact(ctx context.Context, body func(*tx) error) error
	// whole does what transact does, for a body that can do without the answers to its statements; see tx.whole.
	whole(ctx context.Context, body func(*tx) error) error
	// read runs body where it sees one committed state and changes nothing; look does so for a single statement.
	read(ctx context.Context, body func(*tx) error) error
	look(ctx context.Context, body func(*tx) error) error
	// far reports whether an answer costs a round trip.
	far() bool
	// migrate brings the schema to this program's version, under a lock.
	migrate(ctx context.Context) (applied int, err error)
	// version returns the schema's version, and this program's.
	version(ctx context.Context) (have, want int64, err error)
	ping(ctx context.Context) error
	// own takes the right to be the only server of this database where the database needs one, and reports whether
	// leases of earlier owners are void.
	own() (alone bool, err error)
	close() error
}

// Open opens the database at url: "sqlite:PATH", or "postgres://…". It does not touch the schema: see Migrate.
func Open(ctx context.Context, url string, sealer Sealer, o Options) (*DB, error) {
	var b backend
	var err error
	switch {
	case strings.HasPrefix(url, "sqlite:"):
		b, err = openSQLite(strings.TrimPrefix(strings.TrimPrefix(url, "sqlite:"), "//"), o)
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		b, err = openPostgres(ctx, url)
	default:
		scheme, _, _ := strings.Cut(url, ":")
		return nil, fmt.Errorf("open database: %q is not a kind of database; write sqlite:PATH or postgres://USER@HOST/NAME", scheme)
	}
	if err != nil {
		return nil, err
	}
	return &DB{backend: b, sealer: sealer, lane: messages, suppressBounced: o.SuppressBounced}, nil
}

// Migrate brings the schema to this program's version and returns how many steps that took. Processes that start
// together take turns.
func (db *DB) Migrate(ctx context.Context) (applied int, err error) { return db.migrate(ctx) }

// Version returns the version the schema has and the one this program wants.
func (db *DB) Version(ctx context.Context) (have, want int64, err error) { return db.version(ctx) }

// Ready reports whether the database answers and has this program's schema or a later one.
func (db *DB) Ready(ctx context.Context) error {
	have, want, err := db.version(ctx)
	if err != nil {
		return fmt.Errorf("ask the database: %w", err)
	}
	if have < want {
		return fmt.Errorf("the schema is at version %d, this program needs %d: run otpost migrate", have, want)
	}
	return nil
}

// underWay are the deliveries that somebody holds. What waits beside them may be much, so they are found in the index of
// what waits alone; it is of both states, which the first condition says to it.
const underWay = `SELECT id FROM deliveries WHERE state IN ('queued', 'sending') AND ` + string(messages) + ` AND state = 'sending'
	UNION ALL SELECT id FROM deliveries WHERE state IN ('queued', 'sending') AND ` + string(events) + ` AND state = 'sending'`

// voidLease is the lease of a row whose holder is known to be dead.
const voidLease = "void"

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error { return db.ping(ctx) }

// Own is called once by a process that is about to serve. A SQLite file has one server at a time, so leases that an
// earlier one left are void and its deliveries are due at once; over PostgreSQL leases lapse by themselves.
func (db *DB) Own(ctx context.Context, now time.Time) error {
	alone, err := db.own()
	if err != nil || !alone {
		return err
	}
	return db.transact(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE deliveries SET due_at = CASE WHEN answer_by > $1 THEN answer_by ELSE $1 END,
			lease = '`+voidLease+`' WHERE id IN (`+underWay+`)`, now.UnixMilli())
		faultpoint.Here("own.before_commit")
		return err
	})
}

// Close ends the use of the database; transactions under way finish first.
func (db *DB) Close() error { return db.close() }

// tx is one transaction as the verbs see it.
type tx struct {
	ctx context.Context
	querier
	// wrote is set once a statement changed a row: then an error must undo it.
	wrote bool
}

// querier runs one statement; each backend has one.
type querier interface {
	execute(ctx context.Context, sql string, args []any) (affected int64, err error)
	// later is for a statement whose answer nobody waits for: it is carried out with a later one, in order, and its
	// error is that one's.
	later(ctx context.Context, sql string, args []any) error
	// query calls each for every row; each scans it.
	query(ctx context.Context, sql string, args []any, each func(scan func(...any) error) error) error
	// lock is what a SELECT ends with to lock its rows.
	lock() string
	// near reports whether an answer costs no round trip.
	near() bool
	// whole reports whether the transaction goes to the database as a whole, so that no answer comes before its end.
	// Then what has to be true is not asked but demanded: by a statement that fails where it is not. The transaction is
	// undone, and run once more in the other way, which finds out what to say.
	whole() bool
}

func (t *tx) exec(sql string, args ...any) (int64, error) {
	n, err := t.execute(t.ctx, sql, args)
	t.wrote = t.wrote || n > 0 || err != nil
	return n, err
}

// do carries out a statement whose answer does not matter, but for an error.
func (t *tx) do(sql string, args ...any) error {
	t.wrote = true
	return t.later(t.ctx, sql, args)
}

// one reads the only row of a statement into dest, and reports whether there was one. A statement that writes says so
// by RETURNING.
func (t *tx) one(sql string, args []any, dest ...any) (found bool, err error) {
	err = t.query(t.ctx, sql, args, func(scan func(...any) error) error {
		found = true
		return scan(dest...)
	})
	if found && strings.Contains(sql, "RETURNING") {
		t.wrote = true
	}
	return found, err
}

// errRace makes the backend run the transaction again: another one came between.
var errRace = errors.New("store: another transaction came between")

// millis is how times are kept; the zero time is 0.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/otpost/otpost/internal/faultpoint"
)

// postgresDB is a pool of connections to PostgreSQL. Any number of processes share the database.
type postgresDB struct {
	pool *pgxpool.Pool
}

// postgresConns is the size of the pool unless the URL says otherwise (pool_max_conns). pgx's own default, one for each
// processor, leaves a server idle that waits for disks and networks more than for processors.
const postgresConns = 24

// postgresRetries bounds how often a transaction that lost a race is run again. Each time one of the racers wins, so it
// is more than the pool has connections.
const postgresRetries = 64

// A server that is there and says nothing must not hold a process up: what it does not answer in this time has failed,
// and its connection is closed. Of several servers in the URL the next is tried then.
const (
	connectTime  = 3 * time.Second
	transactTime = 10 * time.Second
)

// with lends a connection to f.
func (db *postgresDB) with(ctx context.Context, f func(context.Context, *pgxpool.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, transactTime)
	defer cancel()
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return unreachable{err}
	}
	defer conn.Release()
	switch err = f(ctx, conn); {
	case cannotWrite(err):
		// All connections of the pool lead to a server that is no primary any more.
		db.pool.Reset()
		return unreachable{err}
	case err != nil && conn.Conn().IsClosed():
		return unreachable{err}
	}
	return err
}

// unreachable is a failure on the way to the database, which passes. Whether a transaction took place is not known.
type unreachable struct{ error }

// Temporary is how a door knows that the same request may succeed soon.
func (unreachable) Temporary() bool { return true }

func (u unreachable) Unwrap() error { return u.error }

// errReadOnly is said by a server that is no primary, or no longer.
var errReadOnly = errors.New("the database server takes no writes")

func cannotWrite(err error) bool {
	var e *pgconn.PgError
	return errors.Is(err, errReadOnly) || errors.As(err, &e) && e.Code == "25006"
}

func openPostgres(ctx context.Context, url string) (*postgresDB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// pgx's message repeats the address; the password in it is pgx's to hide, and it does.
		return nil, fmt.Errorf("open database: %w", err)
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTime
	}
	if !strings.Contains(url, "pool_max_conns=") {
		config.MaxConns = postgresConns
	}
	if _, set := config.ConnConfig.RuntimeParams["application_name"]; !set {
		config.ConnConfig.RuntimeParams["application_name"] = "otpost"
	}
	config.AfterConnect = useIndexes
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &postgresDB{pool: pool}, nil
}

// useIndexes keeps PostgreSQL from reading whole tables where there is an index. It does so while they are empty, keeps
// that plan for a statement that is prepared, and goes on with it after they have filled, until it looks at them again.
// Every statement here has an index.
func useIndexes(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "SET enable_seqscan = off")
	return err
}

func (db *postgresDB) transact(ctx context.Context, body func(*tx) error) error {
	return db.with(ctx, func(ctx context.Context, conn *pgxpool.Conn) (err error) {
		for range postgresRetries {
			if err = run(ctx, conn, "begin", body); !lostRace(err) {
				return err
			}
			select {
			case <-time.After(rand.N(2 * time.Millisecond)):
			case <-ctx.Done():
				return err
			}
		}
		return err
	})
}

// run is one transaction on one connection.
func run(ctx context.Context, conn *pgxpool.Conn, begin string, body func(*tx) error) error {
	p := &postgresTx{conn: conn}
	p.queue(begin, nil)
	err := body(&tx{ctx: ctx, querier: p})
	if err == nil {
		faultpoint.Here("commit.before")
		p.queue("commit", nil)
		err = p.send(ctx, nil)
		faultpoint.Here("commit.after")
	}
	if err != nil && p.begun {
		// A connection on which even this fails is not given to anybody else.
		if _, undo := conn.Exec(context.WithoutCancel(ctx), "rollback"); undo != nil {
			conn.Conn().Close(context.WithoutCancel(ctx))
		}
	}
	return err
}

// whole sends all statements of body in one go. PostgreSQL carries out what comes between two Syncs as one transaction
// (manual, "Extended Query", "Pipelining").
func (db *postgresDB) whole(ctx context.Context, body func(*tx) error) error {
	err := db.with(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		p := &postgresTx{conn: conn, atOnce: true}
		if err := body(&tx{ctx: ctx, querier: p}); err != nil {
			return err
		}
		faultpoint.Here("commit.before")
		err := p.send(ctx, nil)
		faultpoint.Here("commit.after")
		return err
	})
	if unmet(err) {
		return db.transact(ctx, body)
	}
	return err
}

// unmet reports whether something that a transaction demanded was not true, or another transaction came between.
func unmet(err error) bool {
	var e *pgconn.PgError
	return lostRace(err) || errors.As(err, &e) && (e.Code == checkViolation || e.Code == divisionByZero)
}

// Two errors by which a statement says that what it demands is not true (PostgreSQL manual, appendix A).
const (
	checkViolation = "23514"
	divisionByZero = "22012"
)

// lostRace reports whether another transaction was the cause of an error, so that the same again can succeed: a row
// that both inserted, a deadlock, a serialisation failure (PostgreSQL manual, appendix A).
func lostRace(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code == "23505" || e.Code == "40P01" || e.Code == "40001"
	}
	return errors.Is(err, errRace)
}

func (db *postgresDB) read(ctx context.Context, body func(*tx) error) error {
	return db.with(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		return run(ctx, conn, "begin isolation level repeatable read read only", body)
	})
}

func (db *postgresDB) look(ctx context.Context, body func(*tx) error) error {
	return db.with(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		return body(&tx{ctx: ctx, querier: &postgresTx{conn: conn}})
	})
}

func (db *postgresDB) far() bool { return true }

// ping asks whether the server can be written: one that was demoted still answers.
func (db *postgresDB) ping(ctx context.Context) error {
	return db.with(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		var readOnly bool
		err := conn.QueryRow(ctx, `SELECT current_setting('transaction_read_only')::boolean`).Scan(&readOnly)
		if err == nil && readOnly {
			err = errReadOnly
		}
		return err
	})
}

// own has nothing to take: leases say who holds what.
func (db *postgresDB) own() (alone bool, err error) { return false, nil }

func (db *postgresDB) close() error {
	db.pool.Close()
	return nil
}

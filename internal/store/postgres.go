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
)

// postgresDB is a pool of connections to PostgreSQL. Any number of processes share the database.
type postgresDB struct {
	pool *pgxpool.Pool
	url  string
}

// postgresConns is the size of the pool unless the URL says otherwise (pool_max_conns). pgx's own default, one for each
// processor, leaves a server idle that waits for disks and networks more than for processors.
const postgresConns = 24

// postgresRetries bounds how often a transaction that lost a race is run again. Each time one of the racers wins, so it
// is more than the pool has connections.
const postgresRetries = 64

func openPostgres(ctx context.Context, url string) (*postgresDB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// pgx's message repeats the address; the password in it is pgx's to hide, and it does.
		return nil, fmt.Errorf("open database: %w", err)
	}
	if !strings.Contains(url, "pool_max_conns=") {
		config.MaxConns = postgresConns
	}
	if _, set := config.ConnConfig.RuntimeParams["application_name"]; !set {
		config.ConnConfig.RuntimeParams["application_name"] = "otpost"
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return &postgresDB{pool: pool, url: url}, nil
}

func (db *postgresDB) transact(ctx context.Context, body func(*tx) error) error {
	var err error
	for range postgresRetries {
		err = pgx.BeginFunc(ctx, db.pool, func(p pgx.Tx) error {
			return body(&tx{ctx: ctx, querier: postgresTx{p}})
		})
		if !lostRace(err) {
			return err
		}
		select {
		case <-time.After(rand.N(2 * time.Millisecond)):
		case <-ctx.Done():
			return err
		}
	}
	return err
}

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
	return pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
		func(p pgx.Tx) error { return body(&tx{ctx: ctx, querier: postgresTx{p}}) })
}

func (db *postgresDB) ping(ctx context.Context) error { return db.pool.Ping(ctx) }

// own has nothing to take: leases say who holds what.
func (db *postgresDB) own() (alone bool, err error) { return false, nil }

func (db *postgresDB) close() error {
	db.pool.Close()
	return nil
}

type postgresTx struct{ pgx.Tx }

func (p postgresTx) lock() string { return " FOR UPDATE" }

func (p postgresTx) execute(ctx context.Context, sql string, args []any) (int64, error) {
	tag, err := p.Exec(ctx, sql, args...)
	return tag.RowsAffected(), err
}

func (p postgresTx) query(ctx context.Context, sql string, args []any, each func(scan func(...any) error) error) error {
	rows, err := p.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

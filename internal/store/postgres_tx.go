package store

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresTx sends statements together with the next one whose answer is needed: a round trip is what they cost most.
type postgresTx struct {
	conn   *pgxpool.Conn
	queued pgx.Batch
	// begun is set once something was sent, and so the transaction exists.
	begun bool
	// atOnce is set when all statements go together.
	atOnce bool
}

func (p *postgresTx) lock() string { return " FOR UPDATE" }

func (p *postgresTx) near() bool { return false }

func (p *postgresTx) whole() bool { return p.atOnce }

func (p *postgresTx) queue(sql string, args []any) { p.queued.Queue(sql, args...) }

func (p *postgresTx) later(_ context.Context, sql string, args []any) error {
	p.queue(sql, args)
	return nil
}

func (p *postgresTx) execute(ctx context.Context, sql string, args []any) (affected int64, err error) {
	p.queue(sql, args)
	err = p.send(ctx, func(results pgx.BatchResults) error {
		tag, err := results.Exec()
		affected = tag.RowsAffected()
		return err
	})
	return affected, err
}

func (p *postgresTx) query(ctx context.Context, sql string, args []any, each func(scan func(...any) error) error) error {
	p.queue(sql, args)
	return p.send(ctx, func(results pgx.BatchResults) error {
		rows, err := results.Query()
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
	})
}

// send sends what is queued in one go and hands the answer to the last of it to last. The first error is the one
// returned: the server carries out nothing after it.
func (p *postgresTx) send(ctx context.Context, last func(pgx.BatchResults) error) (err error) {
	batch := p.queued
	p.queued, p.begun = pgx.Batch{}, true
	results := p.conn.SendBatch(ctx, &batch)
	defer func() { err = cmp.Or(err, results.Close()) }()
	before := batch.Len()
	if last != nil {
		before--
	}
	for range before {
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	if last == nil {
		return nil
	}
	return last(results)
}

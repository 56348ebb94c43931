package store

import (
	"context"
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/outbox"
)

// lane is a condition that divides the deliveries; each has an index of its own.
type lane string

const (
	messages lane = `channel <> 'event'`
	events   lane = `channel = 'event'`
)

// Events is the same database as the store of an outbox that carries events to customers, and nothing else. It is not to
// be closed.
func (db *DB) Events() *DB {
	other := *db
	other.lane = events
	return &other
}

// Claim implements outbox.Store.
func (db *DB) Claim(ctx context.Context, lease string, now, until time.Time, n int) (claimed []outbox.Delivery, examined int, err error) {
	err = db.transact(ctx, func(t *tx) error {
		claimed = nil
		due, err := t.due(db.lane, lease, now, n)
		examined = len(due)
		if err != nil {
			return err
		}
		for i := range due {
			if err := db.claimOne(t, &due[i], lease, now, until); err != nil {
				return err
			}
			if due[i].delivery.State == outbox.Sending {
				claimed = append(claimed, due[i].delivery)
			}
		}
		if len(claimed) > 0 {
			faultpoint.Here("claim.before_commit")
		}
		return nil
	})
	return claimed, examined, err
}

// dueRow is a delivery that may be claimed, with what decides whether it should.
type dueRow struct {
	delivery outbox.Delivery
	sealed   []byte
}

func (t *tx) due(l lane, lease string, now time.Time, n int) (due []dueRow, err error) {
	skip := t.lock()
	if skip != "" {
		skip += " SKIP LOCKED"
	}
	err = t.query(t.ctx, `SELECT `+deliveryColumns+`, message FROM deliveries
		WHERE state IN ('queued', 'sending') AND `+string(l)+` AND due_at <= $1 AND lease <> $2 ORDER BY due_at LIMIT $3`+skip,
		[]any{now.UnixMilli(), lease, n}, func(scan func(...any) error) error {
			var row dueRow
			row.delivery, err = scanDelivery(scan, &row.sealed)
			due = append(due, row)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("find due deliveries: %w", err)
	}
	return due, nil
}

func (db *DB) claimOne(t *tx, row *dueRow, lease string, now, until time.Time) error {
	d := &row.delivery
	abandoned := d.State == outbox.Sending
	d.Uncertain = d.Uncertain || abandoned
	alive, err := t.wanted(d, now)
	if err != nil {
		return err
	}
	switch {
	case !now.Before(d.Deadline), !alive:
		d.State, d.EndedAt, d.Lease = outbox.Stale, now, ""
	case !d.AnswerBy.IsZero() && !now.Before(d.AnswerBy):
		// Its caller got no answer from the process that held it, so it has used its own fallback.
		d.State, d.EndedAt, d.Lease = outbox.Failed, now, ""
	default:
		d.State, d.Lease, d.DueAt = outbox.Sending, lease, until
		if d.Message, err = db.openMessage(d.ID, row.sealed); err != nil {
			// Sealed under a key this ring has lost. One such row must not hold up all that are due after it.
			d.State, d.EndedAt, d.Lease = outbox.Failed, now, ""
		}
	}
	return db.moveDelivery(t, d, now)
}

// wanted reports whether the passcode that a delivery carries can still be used.
func (t *tx) wanted(d *outbox.Delivery, now time.Time) (bool, error) {
	if d.Challenge == "" {
		return true, nil
	}
	var one int
	found, err := t.one(`SELECT 1 FROM challenges WHERE id = $1 AND state = 'pending' AND expires_at > $2`,
		[]any{d.Challenge, now.UnixMilli()}, &one)
	if err != nil {
		return false, fmt.Errorf("read challenge of delivery: %w", err)
	}
	return found, nil
}

// Renew implements outbox.Store.
func (db *DB) Renew(ctx context.Context, id, lease string, until time.Time) (held bool, err error) {
	err = db.transact(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE deliveries SET due_at = CASE WHEN answer_by > $3 THEN answer_by ELSE $3 END WHERE id = $1 AND lease = $2 AND state = 'sending'`,
			id, lease, until.UnixMilli())
		held = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("renew lease: %w", err)
	}
	return held, nil
}

// Return implements outbox.Store.
func (db *DB) Return(ctx context.Context, lease string, ids []string, now time.Time) error {
	return db.transact(ctx, func(t *tx) error {
		for _, id := range ids {
			if _, err := t.exec(`UPDATE deliveries SET state = 'queued', lease = '', due_at = $3
				WHERE id = $1 AND lease = $2 AND state = 'sending'`, id, lease, now.UnixMilli()); err != nil {
				return fmt.Errorf("return delivery: %w", err)
			}
		}
		faultpoint.Here("return.before_commit")
		return nil
	})
}

// NextDue implements outbox.Store.
func (db *DB) NextDue(ctx context.Context, lease string) (at time.Time, err error) {
	err = db.look(ctx, func(t *tx) error {
		var ms int64
		_, err := t.one(`SELECT due_at FROM deliveries WHERE state IN ('queued', 'sending') AND `+string(db.lane)+` AND lease <> $1
			ORDER BY due_at LIMIT 1`, []any{lease}, &ms)
		at = fromMillis(ms)
		return err
	})
	if err != nil {
		return at, fmt.Errorf("find next due delivery: %w", err)
	}
	return at, nil
}

package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

var _ outbox.Store = (*DB)(nil)

const deliveryColumns = `id, tenant, application, challenge, channel, recipient, route, step, state, tries, uncertain,
	created_at, due_at, deadline, answer_by, lease, provider, ref, ended_at`

func scanDelivery(scan func(...any) error, more ...any) (d outbox.Delivery, err error) {
	var channel, route, state string
	var uncertain, created, due, deadline, answer, ended int64
	err = scan(append([]any{&d.ID, &d.Tenant, &d.Application, &d.Challenge, &channel, &d.To, &route, &d.Step, &state,
		&d.Tries, &uncertain, &created, &due, &deadline, &answer, &d.Lease, &d.Provider, &d.Ref, &ended}, more...)...)
	if err != nil {
		return d, fmt.Errorf("read delivery: %w", err)
	}
	d.Channel, d.State, d.Uncertain = outbox.Channel(channel), outbox.State(state), uncertain != 0
	d.Route = strings.Split(route, ",")
	d.CreatedAt, d.DueAt, d.Deadline = fromMillis(created), fromMillis(due), fromMillis(deadline)
	d.AnswerBy, d.EndedAt = fromMillis(answer), fromMillis(ended)
	return d, nil
}

// insertDelivery writes a delivery that nobody has tried yet.
func (t *tx) insertDelivery(d *outbox.Delivery, sealed []byte) error {
	err := t.do(`INSERT INTO deliveries (id, tenant, application, challenge, channel, recipient, route, state,
			created_at, due_at, deadline, answer_by, lease, dedup, step, tries, uncertain, provider, ref, ended_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 0, 0, 0, '', '', 0)`,
		d.ID, d.Tenant, d.Application, d.Challenge, string(d.Channel), d.To, strings.Join(d.Route, ","),
		string(d.State), millis(d.CreatedAt), millis(d.DueAt), millis(d.Deadline), millis(d.AnswerBy), d.Lease, d.Dedup)
	if err != nil {
		return fmt.Errorf("write delivery: %w", err)
	}
	if err := t.do(`INSERT INTO bodies (delivery, message) VALUES ($1, $2)`, d.ID, sealed); err != nil {
		return fmt.Errorf("write body: %w", err)
	}
	return nil
}

// updateDelivery writes what can change in a delivery. Its body goes with the last chance to send it.
func (t *tx) updateDelivery(d *outbox.Delivery) error {
	err := t.do(`UPDATE deliveries SET step = $2, state = $3, tries = $4, uncertain = $5, due_at = $6,
			answer_by = $7, lease = $8, provider = $9, ref = $10, ended_at = $11 WHERE id = $1`,
		d.ID, d.Step, string(d.State), d.Tries, flag(d.Uncertain), millis(d.DueAt), millis(d.AnswerBy), d.Lease,
		d.Provider, d.Ref, millis(d.EndedAt))
	if err != nil {
		return fmt.Errorf("update delivery: %w", err)
	}
	if d.State.Final() {
		return t.wipe(d.ID)
	}
	return nil
}

// wipe forgets a message that will not be sent again.
func (t *tx) wipe(delivery string) error {
	if err := t.do(`DELETE FROM bodies WHERE delivery = $1`, delivery); err != nil {
		return fmt.Errorf("wipe body: %w", err)
	}
	return nil
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// delivery reads one row; lock is the backend's locking clause or nothing.
func (t *tx) delivery(where string, lock string, arg any) (d outbox.Delivery, err error) {
	found := false
	err = t.query(t.ctx, `SELECT `+deliveryColumns+` FROM deliveries WHERE `+where+lock, []any{arg},
		func(scan func(...any) error) error {
			found = true
			d, err = scanDelivery(scan)
			return err
		})
	if err == nil && !found {
		err = outbox.ErrNoDelivery
	}
	return d, err
}

// Delivery implements outbox.Store.
func (db *DB) Delivery(ctx context.Context, id string) (d outbox.Delivery, err error) {
	err = db.look(ctx, func(t *tx) error {
		d, err = t.delivery(`id = $1`, "", id)
		return err
	})
	return d, err
}

// Relay implements passcode.Store.
func (db *DB) Relay(ctx context.Context, d outbox.Delivery, spends []passcode.Spend, now time.Time) (joined *outbox.Delivery, tookUp bool, err error) {
	sealed, err := db.sealMessage(&d)
	if err != nil {
		return nil, false, err
	}
	err = db.transact(ctx, func(t *tx) error {
		joined, tookUp = nil, false
		refused := error(nil)
		for range 2 {
			first, err := t.delivery(`dedup = $1`, t.lock(), d.Dedup)
			if err == nil {
				joined = &first
				tookUp, err = t.join(joined, &d, now)
				return err
			}
			if !errors.Is(err, outbox.ErrNoDelivery) {
				return err
			}
			// A limit that the first request spent a moment ago must not refuse the second: look for it once more.
			if refused = t.spend(spends, now); refused == nil {
				break
			}
		}
		if refused != nil {
			return refused
		}
		return t.insertDelivery(&d, sealed)
	})
	return joined, tookUp, err
}

// join lets a repeated request take part in the first one's delivery: the caller waits anew, and a row that nobody
// holds any more is taken up at once instead of when a sweep finds it.
func (t *tx) join(first, again *outbox.Delivery, now time.Time) (tookUp bool, err error) {
	if first.State.Final() {
		return false, nil
	}
	if !first.AnswerBy.IsZero() {
		first.AnswerBy = again.AnswerBy
	}
	// What this process holds itself is in its own queue, however long that is.
	if first.State == outbox.Sending && !now.Before(first.DueAt) && first.Lease != again.Lease {
		first.Uncertain = true
		first.State, first.Lease, first.DueAt = again.State, again.Lease, again.DueAt
		tookUp = again.State == outbox.Sending
	}
	return tookUp, t.updateDelivery(first)
}

// Message implements outbox.Store.
func (db *DB) Message(ctx context.Context, id string) (m *outbox.Message, err error) {
	err = db.look(ctx, func(t *tx) error {
		var sealed []byte
		found, err := t.one(`SELECT message FROM bodies WHERE delivery = $1`, []any{id}, &sealed)
		if err != nil {
			return fmt.Errorf("read message: %w", err)
		}
		if !found {
			return outbox.ErrNoDelivery
		}
		m, err = db.openMessage(id, sealed)
		return err
	})
	return m, err
}

// Claim implements outbox.Store.
func (db *DB) Claim(ctx context.Context, lease string, now, until time.Time, n int) (claimed []outbox.Delivery, examined int, err error) {
	err = db.transact(ctx, func(t *tx) error {
		claimed = nil
		due, err := t.due(lease, now, n)
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
		return nil
	})
	return claimed, examined, err
}

// dueRow is a delivery that may be claimed, with what decides whether it should.
type dueRow struct {
	delivery outbox.Delivery
	sealed   []byte
}

func (t *tx) due(lease string, now time.Time, n int) (due []dueRow, err error) {
	skip := t.lock()
	if skip != "" {
		skip += " OF deliveries SKIP LOCKED"
	}
	err = t.query(t.ctx, `SELECT `+deliveryColumns+`, message FROM deliveries JOIN bodies ON delivery = id
		WHERE state IN ('queued', 'sending') AND due_at <= $1 AND lease <> $2 ORDER BY due_at LIMIT $3`+skip,
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
	case !d.AnswerBy.IsZero() && now.After(d.AnswerBy):
		// Its caller got no answer from the process that held it, so it has used its own fallback.
		d.State, d.EndedAt, d.Lease = outbox.Failed, now, ""
	default:
		d.State, d.Lease, d.DueAt = outbox.Sending, lease, until
		if d.Message, err = db.openMessage(d.ID, row.sealed); err != nil {
			// Sealed under a key this ring has lost. One such row must not hold up all that are due after it.
			d.State, d.EndedAt, d.Lease = outbox.Failed, now, ""
		}
	}
	return t.updateDelivery(d)
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
		n, err := t.exec(`UPDATE deliveries SET due_at = $3 WHERE id = $1 AND lease = $2 AND state = 'sending'`,
			id, lease, until.UnixMilli())
		held = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("renew lease: %w", err)
	}
	return held, nil
}

// Accept implements outbox.Store.
func (db *DB) Accept(ctx context.Context, d outbox.Delivery, a outbox.Attempt, now time.Time) (state outbox.State, tries int, err error) {
	err = db.transact(ctx, func(t *tx) error {
		// As a rule the sender still holds the row as it was.
		state, tries = outbox.Accepted, d.Tries+1
		n, err := t.exec(`UPDATE deliveries SET state = 'accepted', tries = $3, provider = $4, ref = $5, ended_at = $6,
			lease = '' WHERE id = $1 AND lease = $2 AND state = 'sending' AND tries = $3 - 1`,
			d.ID, d.Lease, tries, a.Provider, a.Ref, now.UnixMilli())
		if err == nil && n == 0 {
			state, tries, err = t.acceptLate(a, now)
		}
		if err != nil {
			return err
		}
		a.N = tries
		if err := t.wipe(a.Delivery); err != nil {
			return err
		}
		return t.insertAttempt(&a)
	})
	if err != nil {
		return "", 0, fmt.Errorf("record acceptance: %w", err)
	}
	return state, tries, nil
}

// acceptLate records an acceptance by somebody who does not hold the row any more. States only move forward: a
// provider's later word stays.
func (t *tx) acceptLate(a outbox.Attempt, now time.Time) (state outbox.State, tries int, err error) {
	found, err := t.one(`UPDATE deliveries SET tries = tries + 1, lease = '',
			provider = CASE WHEN state IN ('accepted', 'delivered', 'bounced') THEN provider ELSE $2 END,
			ref = CASE WHEN state IN ('accepted', 'delivered', 'bounced') THEN ref ELSE $3 END,
			ended_at = CASE WHEN state IN ('accepted', 'delivered', 'bounced') THEN ended_at ELSE $4 END,
			state = CASE WHEN state IN ('delivered', 'bounced') THEN state ELSE 'accepted' END
		WHERE id = $1 RETURNING state, tries`,
		[]any{a.Delivery, a.Provider, a.Ref, now.UnixMilli()}, (*string)(&state), &tries)
	if err == nil && !found {
		err = outbox.ErrNoDelivery
	}
	return state, tries, err
}

// Fail implements outbox.Store.
func (db *DB) Fail(ctx context.Context, a outbox.Attempt, lease string, judge func(*outbox.Delivery)) (d outbox.Delivery, err error) {
	err = db.transact(ctx, func(t *tx) error {
		if d, err = t.delivery(`id = $1`, t.lock(), a.Delivery); err != nil {
			return err
		}
		d.Tries++
		a.N = d.Tries
		judged := d
		judge(&judged)
		if d.Lease == lease {
			d = judged
		} else {
			// Somebody else holds the row: what the attempt proves is kept, what comes next is theirs to say.
			d.Uncertain = judged.Uncertain
		}
		if d.State != outbox.Sending {
			d.Lease = ""
		}
		if err := t.updateDelivery(&d); err != nil {
			return err
		}
		return t.insertAttempt(&a)
	})
	if err != nil {
		return d, fmt.Errorf("record failure: %w", err)
	}
	return d, nil
}

func (t *tx) insertAttempt(a *outbox.Attempt) error {
	return t.do(`INSERT INTO attempts (delivery, n, provider, at, took, class, code, detail, ref)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		a.Delivery, a.N, a.Provider, a.At.UnixMilli(), a.Took.Milliseconds(), string(a.Class), a.Code, a.Detail, a.Ref)
}

func (t *tx) attempts(delivery string) (attempts []outbox.Attempt, err error) {
	err = t.query(t.ctx, `SELECT n, provider, at, took, class, code, detail, ref FROM attempts
		WHERE delivery = $1 ORDER BY n`, []any{delivery}, func(scan func(...any) error) error {
		a := outbox.Attempt{Delivery: delivery}
		var at, took int64
		var class string
		err := scan(&a.N, &a.Provider, &at, &took, &class, &a.Code, &a.Detail, &a.Ref)
		a.At, a.Took, a.Class = fromMillis(at), time.Duration(took)*time.Millisecond, outbox.Class(class)
		attempts = append(attempts, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read attempts: %w", err)
	}
	return attempts, nil
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
		return nil
	})
}

// Settle implements outbox.Store.
func (db *DB) Settle(ctx context.Context, id string, decide func(*outbox.Delivery)) (d outbox.Delivery, err error) {
	err = db.transact(ctx, func(t *tx) error {
		if d, err = t.delivery(`id = $1`, t.lock(), id); err != nil || d.State.Final() {
			return err
		}
		decide(&d)
		return t.updateDelivery(&d)
	})
	if err != nil {
		return d, fmt.Errorf("settle delivery: %w", err)
	}
	return d, nil
}

// NextDue implements outbox.Store.
func (db *DB) NextDue(ctx context.Context, lease string) (at time.Time, err error) {
	err = db.look(ctx, func(t *tx) error {
		var ms int64
		_, err := t.one(`SELECT COALESCE(MIN(due_at), 0) FROM deliveries WHERE state IN ('queued', 'sending') AND lease <> $1`,
			[]any{lease}, &ms)
		at = fromMillis(ms)
		return err
	})
	if err != nil {
		return at, fmt.Errorf("find next due delivery: %w", err)
	}
	return at, nil
}

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/outbox"
)

// Accept implements outbox.Store.
func (db *DB) Accept(ctx context.Context, took []outbox.Acceptance, now time.Time) (became []outbox.Accepting, err error) {
	err = db.whole(ctx, func(t *tx) error {
		became = make([]outbox.Accepting, len(took))
		early, err := t.early(took)
		if err != nil {
			return err
		}
		for i := range took {
			if err := t.accept(db, &took[i], &became[i], now); err != nil {
				return err
			}
			if early {
				if err := t.catchUpAfter(db, &took[i], &became[i], now); err != nil {
					return err
				}
			}
		}
		faultpoint.Here("record.before_commit")
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("record acceptances: %w", err)
	}
	return became, nil
}

// acceptSQL moves a row that the sender still holds as it was, which is the rule.
const acceptSQL = `UPDATE deliveries SET state = 'accepted', tries = $3, provider = $4, ref = $5, ended_at = $6,
	lease = '', message = NULL WHERE id = $1 AND lease = $2 AND state = 'sending' AND tries = $3 - 1 AND reported = 0`

// demandNoneEarly is for PostgreSQL, whose arrays make one question of many.
var demandNoneEarly = `WITH took AS (SELECT * FROM unnest($1::text[], $2::text[]) AS t (provider, ref)) ` +
	demandNone(`SELECT 1 FROM took JOIN receipts ON receipts.provider = took.provider AND receipts.ref = took.ref AND receipts.delivery = ''`)

// early reports whether receipts may be waiting for acceptances: seldom. Where an answer costs a round trip, it demands
// that there are none.
func (t *tx) early(took []outbox.Acceptance) (bool, error) {
	if t.whole() {
		providers, refs := make([]string, len(took)), make([]string, len(took))
		for i := range took {
			providers[i], refs[i] = took[i].Attempt.Provider, took[i].Attempt.Ref
		}
		return false, t.do(demandNoneEarly, providers, refs)
	}
	var one int
	return t.one(`SELECT 1 FROM receipts WHERE delivery = '' LIMIT 1`, nil, &one)
}

// catchUpAfter applies the receipts that came before an acceptance that was just recorded.
func (t *tx) catchUpAfter(db *DB, took *outbox.Acceptance, became *outbox.Accepting, now time.Time) error {
	if became.State == "" {
		return nil
	}
	a := &took.Attempt
	state, err := t.claimReceipts(db, a.Delivery, a.Provider, a.Ref, now)
	if state != "" {
		became.State = state
	}
	return err
}

// demandOne makes of a statement one that fails unless it changes a row. It is for tx.whole.
func demandOne(sql string) string {
	return `WITH done AS (` + sql + ` RETURNING 1) SELECT 1 / COUNT(*) FROM done`
}

// demandNone makes of a query a statement that fails where it finds a row. It is for tx.whole.
func demandNone(query string) string {
	return `SELECT 1 / CASE WHEN EXISTS (` + query + `) THEN 0 ELSE 1 END`
}

var acceptWhole = demandOne(acceptSQL)

func (t *tx) accept(db *DB, took *outbox.Acceptance, became *outbox.Accepting, now time.Time) error {
	d, a := &took.Delivery, took.Attempt
	*became = outbox.Accepting{State: outbox.Accepted, Tries: d.Tries + 1}
	args := []any{d.ID, d.Lease, became.Tries, a.Provider, a.Ref, now.UnixMilli()}
	if t.whole() {
		if err := t.do(acceptWhole, args...); err != nil {
			return err
		}
	} else if n, err := t.exec(acceptSQL, args...); err != nil {
		return err
	} else if n == 0 {
		if became.State, became.Tries, err = t.acceptLate(db, a, now); err != nil || became.State == "" {
			return err
		}
	}
	a.N = became.Tries
	return t.insertAttempt(&a)
}

// acceptLate records an acceptance by somebody who does not hold the row any more, or on which there is a report
// already. A provider's later word stays. The state is empty when there is no row.
func (t *tx) acceptLate(db *DB, a outbox.Attempt, now time.Time) (state outbox.State, tries int, err error) {
	n, err := t.exec(`UPDATE deliveries SET tries = tries + 1, lease = '', message = NULL, reported = 0,
			provider = CASE WHEN state IN ('accepted', 'delivered', 'bounced') AND reported = 0 THEN provider ELSE $2 END,
			ref = CASE WHEN state IN ('accepted', 'delivered', 'bounced') AND reported = 0 THEN ref ELSE $3 END,
			ended_at = CASE WHEN state IN ('accepted', 'delivered', 'bounced') THEN ended_at ELSE $4 END,
			state = CASE WHEN state IN ('delivered', 'bounced') THEN state ELSE 'accepted' END
		WHERE id = $1`, a.Delivery, a.Provider, a.Ref, now.UnixMilli())
	if err != nil || n == 0 {
		return "", 0, err
	}
	d, err := t.delivery(`id = $1`, "", a.Delivery)
	if err != nil {
		return "", 0, err
	}
	before := d.State
	if err = t.catchUp(&d); err == nil && d.State != before {
		err = db.moveDelivery(t, &d, now)
	}
	return d.State, d.Tries, err
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
		if err := db.moveDelivery(t, &d, a.At); err != nil {
			return err
		}
		faultpoint.Here("failure.before_commit")
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

// Attempts reads what each try of a delivery came to, in order.
func (db *DB) Attempts(ctx context.Context, delivery string) (attempts []outbox.Attempt, err error) {
	err = db.look(ctx, func(t *tx) error {
		attempts, err = t.attempts(delivery)
		return err
	})
	return attempts, err
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

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// receiveBatch bounds how many receipts share a transaction: a vendor may post a thousand at once, and over a network
// each costs three round trips. A vendor who repeats a post of which a part was kept changes nothing.
const receiveBatch = 100

// Receive implements outbox.Store.
func (db *DB) Receive(ctx context.Context, provider string, receipts []outbox.Receipt, now time.Time) ([]outbox.Receiving, error) {
	became := make([]outbox.Receiving, 0, len(receipts))
	for batch := range slices.Chunk(receipts, receiveBatch) {
		var some []outbox.Receiving
		err := db.transact(ctx, func(t *tx) error {
			some = make([]outbox.Receiving, len(batch))
			for i := range batch {
				receipt, ok := batch[i].Bounded(now)
				if !ok {
					continue
				}
				if err := t.receive(db, provider, &receipt, &some[i], now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return became, fmt.Errorf("keep receipts: %w", err)
		}
		became = append(became, some...)
	}
	return became, nil
}

// receive keeps one receipt and does what follows from it.
func (t *tx) receive(db *DB, provider string, r *outbox.Receipt, became *outbox.Receiving, now time.Time) error {
	d, err := t.reportedOn(provider, r)
	if err != nil && !errors.Is(err, outbox.ErrNoDelivery) {
		return err
	}
	n, err := t.exec(`INSERT INTO receipts (provider, event, delivery, ref, report, class, at, code, detail, received_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (provider, event) DO NOTHING`,
		provider, r.Event, d.ID, r.Ref, string(r.Report), string(r.Class), r.At.UnixMilli(), r.Code, r.Detail, now.UnixMilli())
	if err != nil {
		return fmt.Errorf("write receipt: %w", err)
	}
	if became.Repeated = n == 0; !became.Repeated && d.ID != "" {
		before := d.State
		if err := t.follow(db, &d, provider, r, now); err != nil {
			return err
		}
		became.Moved = d.State != before
	}
	became.Delivery = d
	return nil
}

// reportedOn reads and locks the delivery that a receipt is about: by the id that the provider gives back, else by its
// own reference, which is of an attempt. It returns outbox.ErrNoDelivery where there is none that this provider was to carry.
func (t *tx) reportedOn(provider string, r *outbox.Receipt) (d outbox.Delivery, err error) {
	err = outbox.ErrNoDelivery
	if r.Delivery != "" {
		d, err = t.delivery(`id = $1`, t.lock(), r.Delivery)
	}
	if errors.Is(err, outbox.ErrNoDelivery) && r.Ref != "" {
		d, err = t.delivery(`id = (SELECT delivery FROM attempts WHERE provider = $1 AND ref = $2 AND ref <> ''
			ORDER BY delivery DESC LIMIT 1)`, t.lock(), provider, r.Ref)
	}
	if err == nil && !slices.Contains(d.Route, provider) {
		err = outbox.ErrNoDelivery
	}
	if err != nil {
		return outbox.Delivery{}, err
	}
	return d, nil
}

// follow does what follows from a receipt that is kept with its delivery, whose row is locked.
func (t *tx) follow(db *DB, d *outbox.Delivery, provider string, r *outbox.Receipt, now time.Time) error {
	if err := t.suppress(d, provider, r, db.suppressBounced, now); err != nil {
		return err
	}
	before := d.State
	if !d.State.Taken() {
		if err := t.do(`UPDATE deliveries SET reported = 1 WHERE id = $1`, d.ID); err != nil || r.Report != outbox.ReportDelivered {
			return err // it may yet be refused and tried elsewhere: nothing is decided until it is known who took it
		}
		d.Adopt(provider, r.Ref, now)
	}
	if err := t.catchUp(d); err != nil || d.State == before {
		return err
	}
	return db.moveDelivery(t, d, now)
}

// catchUp moves a delivery that a provider took by all that is reported on it.
func (t *tx) catchUp(d *outbox.Delivery) error {
	reports, err := t.reports(d.ID)
	if err == nil {
		d.State = outbox.StateAfter(d.Provider, reports)
	}
	return err
}

// claimReceipts gives a delivery that a provider took under ref the receipts that came before that was on disk. It
// returns the delivery's state after them, empty when there were none.
func (t *tx) claimReceipts(db *DB, delivery, provider, ref string, now time.Time) (outbox.State, error) {
	if ref == "" {
		return "", nil
	}
	var early []outbox.Receipt
	err := t.query(t.ctx, `UPDATE receipts SET delivery = $1 WHERE provider = $2 AND ref = $3 AND delivery = ''
		RETURNING report, class, at, ref`, []any{delivery, provider, ref}, func(scan func(...any) error) error {
		var r outbox.Receipt
		var at int64
		err := scan((*string)(&r.Report), (*string)(&r.Class), &at, &r.Ref)
		r.At = fromMillis(at)
		early = append(early, r)
		return err
	})
	if err != nil || len(early) == 0 {
		return "", err
	}
	t.wrote = true
	d, err := t.delivery(`id = $1`, t.lock(), delivery)
	if err != nil {
		return "", err
	}
	for i := range early {
		if err := t.follow(db, &d, provider, &early[i], now); err != nil {
			return "", err
		}
	}
	return d.State, nil
}

// reports are the receipts of a delivery.
func (t *tx) reports(delivery string) (reports []outbox.Reported, err error) {
	err = t.query(t.ctx, `SELECT provider, event, ref, report, class, at, code, detail, received_at FROM receipts
		WHERE delivery = $1 AND delivery <> '' ORDER BY at, provider, event`, []any{delivery}, func(scan func(...any) error) error {
		r := outbox.Reported{Receipt: outbox.Receipt{Delivery: delivery}}
		var at, received int64
		err := scan(&r.Provider, &r.Event, &r.Ref, (*string)(&r.Report), (*string)(&r.Class), &at, &r.Code, &r.Detail, &received)
		r.At, r.ReceivedAt = fromMillis(at), fromMillis(received)
		reports = append(reports, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read receipts: %w", err)
	}
	return reports, nil
}

// earlyFor is how long a receipt whose delivery is not known waits for an acceptance to be recorded: longer than a
// database is away. Those that nothing takes up are of messages that others sent with the same account.
const earlyFor = time.Hour

// matchEarly gives deliveries the receipts that came in the same instant as their acceptance, when neither transaction
// saw the other.
func (db *DB) matchEarly(ctx context.Context, now time.Time) (touched int, err error) {
	type match struct{ delivery, provider, ref string }
	var matches []match
	err = db.look(ctx, func(t *tx) error {
		return t.query(ctx, `SELECT DISTINCT attempts.delivery, attempts.provider, attempts.ref FROM receipts CROSS JOIN attempts
			WHERE attempts.provider = receipts.provider AND attempts.ref = receipts.ref AND attempts.ref <> ''
				AND receipts.delivery = '' AND receipts.received_at > $1 LIMIT $2`, // SQLite keeps a CROSS JOIN's order: receipts are few
			[]any{now.Add(-10 * time.Minute).UnixMilli(), sweepBatch}, func(scan func(...any) error) error {
				var m match
				err := scan(&m.delivery, &m.provider, &m.ref)
				matches = append(matches, m)
				return err
			})
	})
	for _, m := range matches {
		if err == nil {
			err = db.transact(ctx, func(t *tx) error {
				_, err := t.claimReceipts(db, m.delivery, m.provider, m.ref, now)
				return err
			})
			touched++
		}
	}
	if err != nil {
		return touched, fmt.Errorf("match receipts: %w", err)
	}
	return touched, nil
}

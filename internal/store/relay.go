package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// Relay implements passcode.Store.
func (db *DB) Relay(ctx context.Context, d outbox.Delivery, spends []passcode.Spend, now time.Time) (joined *outbox.Delivery, tookUp bool, err error) {
	sealed, err := db.sealMessage(&d)
	if err != nil {
		return nil, false, err
	}
	to, err := passcode.ParseAddress(d.To)
	if err != nil {
		return nil, false, err
	}
	same, hashes := sameRequest(&d)
	err = db.whole(ctx, func(t *tx) error {
		joined, tookUp = nil, false
		if t.whole() { // that it is the first of its kind is what the index demands
			faultpoint.Here("relay.before_commit")
			return errors.Join(t.demandFirst(&d), t.mayReach(d.Tenant, d.Channel, to.Identifier, now), t.insertDelivery(&d, sealed), t.spend(spends, now))
		}
		refused := error(nil)
		for range 2 {
			first, err := t.delivery(same, t.lock(), hashes...)
			if err == nil {
				joined = &first
				tookUp, err = t.join(joined, &d, now)
				faultpoint.Here("join.before_commit")
				return err
			}
			if !errors.Is(err, outbox.ErrNoDelivery) {
				return err
			}
			if err := t.mayReach(d.Tenant, d.Channel, to.Identifier, now); err != nil {
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
		faultpoint.Here("relay.before_commit")
		return t.insertDelivery(&d, sealed)
	})
	return joined, tookUp, err
}

// sameRequest is the condition for the delivery of an earlier request that d repeats.
func sameRequest(d *outbox.Delivery) (where string, hashes []any) {
	where, hashes = `dedup IN ($1`, []any{d.Dedup}
	for _, other := range d.DedupElse {
		hashes = append(hashes, other)
		where += fmt.Sprintf(`, $%d`, len(hashes))
	}
	return where + `)`, hashes
}

// demandFirst fails, for tx.whole, where there is an earlier request under another key of the ring: what it would find
// under the same key, the index does.
func (t *tx) demandFirst(d *outbox.Delivery) error {
	if len(d.DedupElse) == 0 {
		return nil
	}
	same, hashes := sameRequest(d)
	return t.do(demandNone(`SELECT 1 FROM deliveries WHERE `+same), hashes...)
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
	abandoned := !now.Before(first.DueAt) || first.Lease == voidLease
	if first.State == outbox.Sending && abandoned && first.Lease != again.Lease {
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
		found, err := t.one(`SELECT message FROM deliveries WHERE id = $1 AND message IS NOT NULL`, []any{id}, &sealed)
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

// Settle implements outbox.Store.
func (db *DB) Settle(ctx context.Context, id string, decide func(*outbox.Delivery)) (d outbox.Delivery, err error) {
	err = db.transact(ctx, func(t *tx) error {
		if d, err = t.delivery(`id = $1`, t.lock(), id); err != nil || d.State.Final() {
			return err
		}
		decide(&d)
		faultpoint.Here("settle.before_commit")
		return db.moveDelivery(t, &d, d.EndedAt)
	})
	if err != nil {
		return d, fmt.Errorf("settle delivery: %w", err)
	}
	return d, nil
}

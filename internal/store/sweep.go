package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/outbox"
)

// sweepBatch bounds how many rows one transaction of the sweeper touches, and so how long others wait for it.
const sweepBatch = 500

// documentRetention is how long earlier forms of settings, with their credentials, are kept at most.
const documentRetention = 365 * 24 * time.Hour

// Sweep ends what expired, wipes its codes, and forgets what is older than the retention time. It works in short
// transactions and returns how many rows it touched. Nothing depends on it being on time.
func (db *DB) Sweep(ctx context.Context, now time.Time, retention time.Duration) (touched int, err error) {
	// Ids begin with the time they were made, so what is old is one range of the primary key. A passcode lives at most
	// a day, so one made a day before the retention time began has as a rule ended before it. One that was handed over
	// again and again may have ended later or live yet: it stays for a day and the retention time after its end, since its
	// count of generations and its lock-out hold for as long.
	old := now.Add(-retention - 24*time.Hour)
	for _, step := range []struct {
		sql  string
		args []any
	}{
		{`UPDATE challenges SET state = 'expired', code_sealed = NULL, ended_at = expires_at WHERE id IN
			(SELECT id FROM challenges WHERE state = 'pending' AND expires_at <= $1 LIMIT $2)`, []any{now.UnixMilli(), sweepBatch}},
		{`DELETE FROM challenges WHERE id IN (SELECT id FROM challenges WHERE id < $1 AND state <> 'pending' AND ended_at < $2 LIMIT $3)`,
			[]any{before("pc", old), old.UnixMilli(), sweepBatch}},
		{`DELETE FROM challenge_notes WHERE challenge IN
			(SELECT challenge FROM challenge_notes WHERE challenge < $1 LIMIT $2)`, []any{before("pc", old), sweepBatch}},
		{`DELETE FROM attempts WHERE delivery IN (SELECT delivery FROM attempts WHERE delivery < $1 LIMIT $2)`, []any{before("dl", old), sweepBatch}},
		{`DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE id < $1
			AND state NOT IN ('queued', 'sending') LIMIT $2)`, []any{before("dl", old), sweepBatch}},
		// Events for customers: ids of their own, and a day to be sent in.
		{`DELETE FROM attempts WHERE delivery IN (SELECT delivery FROM attempts WHERE delivery >= 'ev_' AND delivery < $1 LIMIT $2)`,
			[]any{before("ev", old), sweepBatch}},
		{`DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE id >= 'ev_' AND id < $1
			AND state NOT IN ('queued', 'sending') LIMIT $2)`, []any{before("ev", old), sweepBatch}},
		{`DELETE FROM receipts WHERE (provider, event) IN
			(SELECT provider, event FROM receipts WHERE delivery < $1 AND delivery <> '' LIMIT $2)`, []any{before("dl", old), sweepBatch}},
		{`DELETE FROM receipts WHERE (provider, event) IN
			(SELECT provider, event FROM receipts WHERE delivery = '' AND received_at < $1 LIMIT $2)`, []any{now.Add(-earlyFor).UnixMilli(), sweepBatch}},
		{`DELETE FROM suppressions WHERE (tenant, channel, recipient) IN
			(SELECT tenant, channel, recipient FROM suppressions WHERE until <> 0 AND until <= $1 LIMIT $2)`, []any{now.UnixMilli(), sweepBatch}},
		{`UPDATE authenticators SET state = 'revoked', slot = 0, secret = NULL, revoked_at = $1 WHERE id IN
			(SELECT id FROM authenticators WHERE state = 'pending' AND created_at <= $2 LIMIT $3)`,
			[]any{now.UnixMilli(), now.Add(-authenticator.MaxPending).UnixMilli(), sweepBatch}},
		{`DELETE FROM authenticators WHERE id IN (SELECT id FROM authenticators WHERE state = 'revoked' AND revoked_at < $1 LIMIT $2)`,
			[]any{now.Add(-retention).UnixMilli(), sweepBatch}},
		{`DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE received_at < $1 LIMIT $2)`, []any{now.Add(-retention).UnixMilli(), sweepBatch}},
		{`DELETE FROM idempotency WHERE (application, key) IN
			(SELECT application, key FROM idempotency WHERE expires_at <= $1 LIMIT $2)`, []any{now.UnixMilli(), sweepBatch}},
		{`DELETE FROM document_history WHERE (tenant, kind, name, version) IN
			(SELECT tenant, kind, name, version FROM document_history WHERE replaced_at < $1 LIMIT $2)`,
			[]any{now.Add(-documentRetention).UnixMilli(), sweepBatch}},
	} {
		n, err := db.sweepStep(ctx, step.sql, step.args)
		touched += n
		if err != nil {
			return touched, err
		}
	}
	n, err := db.matchEarly(ctx, now)
	touched += n
	if err != nil {
		return touched, err
	}
	n, err = db.sweepLimits(ctx, now)
	return touched + n, err
}

// sweepStep repeats one statement until it finds less than a batch.
func (db *DB) sweepStep(ctx context.Context, sql string, args []any) (touched int, err error) {
	for {
		var n int64
		err := db.transact(ctx, func(t *tx) (err error) {
			n, err = t.exec(sql, args...)
			if n > 0 {
				faultpoint.Here("sweep.before_commit")
			}
			return err
		})
		if n > 0 {
			faultpoint.Here("sweep.after_commit")
		}
		touched += int(n)
		if err != nil {
			return touched, fmt.Errorf("sweep: %w", err)
		}
		if n < sweepBatch || ctx.Err() != nil {
			return touched, ctx.Err()
		}
	}
}

// sweepLimits forgets windows that are over. There is no index by time, since every spend would have to keep it up;
// keys are hashes, so a random 64th of the key space is a fair sample and a range of the primary key. It is walked batch
// by batch: to begin anew for each would meet all windows that are still open again and again.
func (db *DB) sweepLimits(ctx context.Context, now time.Time) (touched int, err error) {
	var at [1]byte
	rand.Read(at[:])
	low := at[0] &^ 3
	from, to := []byte{low}, []byte{low + 4}
	if low+4 == 0 {
		to = bytes.Repeat([]byte{0xff}, 9)
	}
	for from != nil && err == nil {
		var next []byte
		if next, err = db.limitAfter(ctx, from, to, sweepBatch); err != nil {
			break
		}
		end := next
		if end == nil {
			end = to
		}
		err = db.transact(ctx, func(t *tx) error {
			n, err := t.exec(`DELETE FROM limits WHERE key >= $1 AND key < $2 AND resets_at <= $3`, from, end, now.UnixMilli())
			touched += int(n)
			return err
		})
		from = next
	}
	if err != nil {
		return touched, fmt.Errorf("sweep limits: %w", err)
	}
	return touched, nil
}

// limitAfter is the key that n others in a range come before, nil when there are not so many.
func (db *DB) limitAfter(ctx context.Context, from, to []byte, n int) (key []byte, err error) {
	err = db.look(ctx, func(t *tx) error {
		_, err := t.one(`SELECT key FROM limits WHERE key >= $1 AND key < $2 ORDER BY key LIMIT 1 OFFSET $3`,
			[]any{from, to, n}, &key)
		return err
	})
	return key, err
}

// before is an id that sorts before all ids made at t or later.
func before(prefix string, t time.Time) string {
	// The first 9 characters after the prefix hold 45 of the 48 bits of time; rounding down forgets later, never earlier.
	return outbox.NewID(prefix, t)[:len(prefix)+1+9]
}

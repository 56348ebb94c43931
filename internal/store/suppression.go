package store

import (
	"context"
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// suppress ends the sending to a delivery's recipient where a receipt says so. Of several reasons the one that lasts
// longest stays, so that it does not matter which came first.
func (t *tx) suppress(d *outbox.Delivery, provider string, r *outbox.Receipt, bounced time.Duration, now time.Time) error {
	reason, until := r.Suppresses(bounced)
	if reason == "" || !until.IsZero() && !until.After(now) {
		return nil
	}
	to, err := passcode.ParseAddress(d.To)
	if err != nil {
		return nil // written by another program, whose forms are not known
	}
	err = t.do(`INSERT INTO suppressions (tenant, channel, recipient, reason, provider, at, until)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (tenant, channel, recipient) DO UPDATE SET reason = excluded.reason, provider = excluded.provider,
			at = excluded.at, until = excluded.until
		WHERE CASE WHEN suppressions.until = excluded.until
			THEN (excluded.at, excluded.reason, excluded.provider) < (suppressions.at, suppressions.reason, suppressions.provider)
			ELSE excluded.until = 0 OR suppressions.until <> 0 AND excluded.until > suppressions.until END`,
		d.Tenant, string(d.Channel), to.Identifier, string(reason), provider, r.At.UnixMilli(), millis(until))
	if err != nil {
		return fmt.Errorf("suppress recipient: %w", err)
	}
	return nil
}

// suppressed finds a suppression that counts now.
const suppressed = `SELECT reason, until FROM suppressions
	WHERE tenant = $1 AND channel = $2 AND recipient = $3 AND (until = 0 OR until > $4)`

var demandUnsuppressed = demandNone(suppressed)

// mayReach returns *passcode.Unwanted when the recipient is suppressed. recipient is the canonical form.
func (t *tx) mayReach(tenant string, channel outbox.Channel, recipient string, now time.Time) error {
	args := []any{tenant, string(channel), recipient, now.UnixMilli()}
	if t.whole() {
		return t.do(demandUnsuppressed, args...)
	}
	var reason string
	var until int64
	found, err := t.one(suppressed, args, &reason, &until)
	if err != nil {
		return fmt.Errorf("look for suppression: %w", err)
	}
	if found {
		return &passcode.Unwanted{Reason: outbox.SuppressionReason(reason), Until: fromMillis(until)}
	}
	return nil
}

// Suppressions lists the recipients of a tenant and channel that are not sent to now, by recipient, at most limit of
// those that come after one: the empty string begins.
func (db *DB) Suppressions(ctx context.Context, tenant string, channel outbox.Channel, after string, limit int, now time.Time) (list []outbox.Suppression, err error) {
	err = db.look(ctx, func(t *tx) error {
		return t.query(ctx, `SELECT recipient, reason, provider, at, until FROM suppressions
			WHERE tenant = $1 AND channel = $2 AND recipient > $3 AND (until = 0 OR until > $4) ORDER BY recipient LIMIT $5`,
			[]any{tenant, string(channel), after, now.UnixMilli(), limit}, func(scan func(...any) error) error {
				s := outbox.Suppression{Tenant: tenant, Channel: channel}
				var at, until int64
				err := scan(&s.Recipient, (*string)(&s.Reason), &s.Provider, &at, &until)
				s.At, s.Until = fromMillis(at), fromMillis(until)
				list = append(list, s)
				return err
			})
	})
	if err != nil {
		return nil, fmt.Errorf("list suppressions: %w", err)
	}
	return list, nil
}

// Suppression finds that of a recipient who is not sent to now. recipient is the canonical form.
func (db *DB) Suppression(ctx context.Context, tenant string, channel outbox.Channel, recipient string, now time.Time) (s outbox.Suppression, found bool, err error) {
	s = outbox.Suppression{Tenant: tenant, Channel: channel, Recipient: recipient}
	var at, until int64
	err = db.look(ctx, func(t *tx) error {
		found, err = t.one(`SELECT reason, provider, at, until FROM suppressions
			WHERE tenant = $1 AND channel = $2 AND recipient = $3 AND (until = 0 OR until > $4)`,
			[]any{tenant, string(channel), recipient, now.UnixMilli()}, (*string)(&s.Reason), &s.Provider, &at, &until)
		return err
	})
	if err != nil {
		return s, false, fmt.Errorf("find suppression: %w", err)
	}
	s.At, s.Until = fromMillis(at), fromMillis(until)
	return s, found, nil
}

// Unsuppress lets a recipient be sent to again, and reports whether it was suppressed. Reports that were received
// before do not suppress it anew.
func (db *DB) Unsuppress(ctx context.Context, tenant string, channel outbox.Channel, recipient string) (was bool, err error) {
	err = db.transact(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM suppressions WHERE tenant = $1 AND channel = $2 AND recipient = $3`,
			tenant, string(channel), recipient)
		was = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("remove suppression: %w", err)
	}
	return was, nil
}

package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/passcode"
)

var _ authenticator.Store = (*DB)(nil)

// Enrol implements authenticator.Store. A device takes one of its user's slots, which a unique index keeps from two
// that come together: one of them loses the race, is run again, and finds another slot or none.
func (db *DB) Enrol(ctx context.Context, d authenticator.Device, most int, stale time.Time) error {
	return db.transact(ctx, func(t *tx) error {
		slot, overdue, err := t.freeSlot(d.Tenant, d.User, most, stale)
		if err != nil {
			return err
		}
		for _, id := range overdue {
			err := t.do(`UPDATE authenticators SET state = 'revoked', slot = 0, secret = NULL, revoked_at = $2
				WHERE id = $1 AND state = 'pending'`, id, millis(d.CreatedAt))
			if err != nil {
				return fmt.Errorf("revoke overdue authenticator: %w", err)
			}
		}
		err = t.do(`INSERT INTO authenticators (id, tenant, application, user_id, slot, state, issuer, label, algorithm, digits,
				period, secret, last_step, created_at, confirmed_at, revoked_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
			d.ID, d.Tenant, d.Application, d.User, slot, string(d.State), d.Issuer, d.Label, string(d.Algorithm), d.Digits,
			int(d.Period/time.Second), d.SecretSealed, d.LastStep, millis(d.CreatedAt), millis(d.ConfirmedAt), millis(d.RevokedAt))
		if err != nil {
			return fmt.Errorf("write authenticator: %w", err)
		}
		return nil
	})
}

// freeSlot is the lowest slot of a user that no device has, but for those that were to be confirmed by now: they are
// overdue. It returns authenticator.ErrFull when there is none.
func (t *tx) freeSlot(tenant, user string, most int, stale time.Time) (slot int, overdue []string, err error) {
	var taken []int
	err = t.query(t.ctx, `SELECT id, slot, state, created_at FROM authenticators
		WHERE user_id = $1 AND tenant = $2 AND slot > 0 ORDER BY id`+t.lock(), []any{user, tenant}, func(scan func(...any) error) error {
		var id, state string
		var slot int
		var created int64
		if err := scan(&id, &slot, &state, &created); err != nil {
			return err
		}
		if state == string(authenticator.Pending) && created <= stale.UnixMilli() {
			overdue = append(overdue, id)
		} else {
			taken = append(taken, slot)
		}
		return nil
	})
	if err != nil {
		return 0, nil, fmt.Errorf("read authenticators: %w", err)
	}
	if len(taken) >= most {
		return 0, nil, authenticator.ErrFull
	}
	for slot = 1; slices.Contains(taken, slot); slot++ {
	}
	return slot, overdue, nil
}

// ChangeDevices implements authenticator.Store.
func (db *DB) ChangeDevices(ctx context.Context, tenant, user string, now time.Time,
	change func([]authenticator.Device, authenticator.Turn) error) error {
	return db.transact(ctx, func(t *tx) error {
		devices, err := t.devices(tenant, user, t.lock())
		if err != nil {
			return err
		}
		before := slices.Clone(devices)
		if err := change(devices, deviceTurn{turn{db: db, t: t, now: now}}); err != nil {
			return err
		}
		for i := range devices {
			if err := t.updateDevice(&before[i], &devices[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// updateDevice writes what can change in a device.
func (t *tx) updateDevice(before, d *authenticator.Device) error {
	if d.State == before.State && d.LastStep == before.LastStep {
		return nil
	}
	err := t.do(`UPDATE authenticators SET state = $2, slot = CASE WHEN $2 = 'revoked' THEN 0 ELSE slot END, secret = $3,
			last_step = $4, confirmed_at = $5, revoked_at = $6 WHERE id = $1`,
		d.ID, string(d.State), d.SecretSealed, d.LastStep, millis(d.ConfirmedAt), millis(d.RevokedAt))
	if err != nil {
		return fmt.Errorf("update authenticator: %w", err)
	}
	return nil
}

// deviceTurn implements authenticator.Turn by the table of limits that passcodes have.
type deviceTurn struct{ of turn }

// Guess implements authenticator.Turn.
func (u deviceTurn) Guess(right bool, spends ...authenticator.Spend) error {
	if len(spends) == 0 {
		return nil
	}
	taken := make([]passcode.Spend, len(spends))
	for i, s := range spends {
		taken[i] = passcode.Spend{Key: s.Key, Limit: s.Limit, Window: s.Window, Cost: 1}
	}
	err := u.of.Guess(right, taken...)
	var spent *passcode.Exhausted
	if errors.As(err, &spent) {
		return &authenticator.Exhausted{RetryAt: spent.RetryAt}
	}
	return err
}

// Devices implements authenticator.Store.
func (db *DB) Devices(ctx context.Context, tenant, user string) (devices []authenticator.Device, err error) {
	err = db.look(ctx, func(t *tx) error {
		devices, err = t.devices(tenant, user, "")
		return err
	})
	return devices, err
}

// devices reads a user's devices that are not revoked; lock is the backend's locking clause or nothing. Everybody locks
// them in the same order, so that two callers cannot block each other.
func (t *tx) devices(tenant, user, lock string) (devices []authenticator.Device, err error) {
	err = t.query(t.ctx, `SELECT id, application, state, issuer, label, algorithm, digits, period, secret, last_step,
			created_at, confirmed_at
		FROM authenticators WHERE user_id = $1 AND tenant = $2 AND slot > 0 ORDER BY id`+lock,
		[]any{user, tenant}, func(scan func(...any) error) error {
			d := authenticator.Device{Tenant: tenant, User: user}
			var period, created, confirmed int64
			err := scan(&d.ID, &d.Application, (*string)(&d.State), &d.Issuer, &d.Label, (*string)(&d.Algorithm), &d.Digits,
				&period, &d.SecretSealed, &d.LastStep, &created, &confirmed)
			d.Period = time.Duration(period) * time.Second
			d.CreatedAt, d.ConfirmedAt = fromMillis(created), fromMillis(confirmed)
			devices = append(devices, d)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("read authenticators: %w", err)
	}
	return devices, nil
}

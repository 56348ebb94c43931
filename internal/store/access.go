package store

import (
	"context"
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/access"
)

var _ access.Store = (*DB)(nil)

// Application implements access.Store.
func (db *DB) Application(ctx context.Context, a access.Application) (kept access.Application, err error) {
	err = db.transact(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO applications (id, tenant, name, domain, created_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (tenant, name) DO UPDATE SET
				domain = CASE WHEN excluded.domain = '' THEN applications.domain ELSE excluded.domain END`,
			a.ID, a.Tenant, a.Name, a.Domain, millis(a.CreatedAt)); err != nil {
			return err
		}
		kept = access.Application{}
		var created int64
		_, err := t.one(`SELECT id, tenant, name, domain, created_at FROM applications WHERE tenant = $1 AND name = $2`,
			[]any{a.Tenant, a.Name}, &kept.ID, &kept.Tenant, &kept.Name, &kept.Domain, &created)
		kept.CreatedAt = fromMillis(created)
		return err
	})
	if err != nil {
		return kept, fmt.Errorf("keep application: %w", err)
	}
	return kept, nil
}

// AddKey implements access.Store.
func (db *DB) AddKey(ctx context.Context, k access.Key) error {
	err := db.transact(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO keys (id, tenant, application, admin, hash, created_at, revoked_at)
			VALUES ($1, $2, NULLIF($3, ''), $4, $5, $6, 0)`, k.ID, k.Tenant, k.Application, flag(k.Admin), k.Hash, millis(k.CreatedAt))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep key: %w", err)
	}
	return nil
}

// RevokeKey implements access.Store.
func (db *DB) RevokeKey(ctx context.Context, id string, now time.Time) (found bool, err error) {
	err = db.transact(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE keys SET revoked_at = CASE WHEN revoked_at = 0 THEN $2 ELSE revoked_at END WHERE id = $1`,
			id, millis(now))
		found = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("revoke key: %w", err)
	}
	return found, nil
}

// ofKey are a key's application, empty for one that is of none.
const ofKey = `COALESCE(a.id, ''), COALESCE(a.tenant, ''), COALESCE(a.name, ''), COALESCE(a.domain, ''), COALESCE(a.created_at, 0)
	FROM keys k LEFT JOIN applications a ON a.id = k.application`

// Caller implements access.Store.
func (db *DB) Caller(ctx context.Context, hash []byte) (caller access.Caller, found bool, err error) {
	err = db.look(ctx, func(t *tx) error {
		a := &caller.Application
		var created, admin int64
		found, err = t.one(`SELECT k.id, k.tenant, k.admin, `+ofKey+` WHERE k.hash = $1 AND k.revoked_at = 0`,
			[]any{hash}, &caller.Key, &caller.Tenant, &admin, &a.ID, &a.Tenant, &a.Name, &a.Domain, &created)
		a.CreatedAt, caller.Admin = fromMillis(created), admin == 1
		return err
	})
	if err != nil {
		return caller, false, fmt.Errorf("find key: %w", err)
	}
	return caller, found, nil
}

// Keys implements access.Store.
func (db *DB) Keys(ctx context.Context) (keys []access.ListedKey, err error) {
	err = db.look(ctx, func(t *tx) error {
		keys = nil
		return t.query(ctx, `SELECT k.id, k.created_at, k.revoked_at, k.admin, `+ofKey+` ORDER BY k.id`, nil, func(scan func(...any) error) error {
			var k access.ListedKey
			var created, revoked, since, admin int64
			a := &k.Application
			err := scan(&k.ID, &created, &revoked, &admin, &a.ID, &a.Tenant, &a.Name, &a.Domain, &since)
			k.CreatedAt, k.RevokedAt, a.CreatedAt, k.Admin = fromMillis(created), fromMillis(revoked), fromMillis(since), admin == 1
			keys = append(keys, k)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	return keys, nil
}

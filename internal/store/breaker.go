package store

import (
	"context"
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

var _ outbox.BreakerStore = (*DB)(nil)

// Breakers implements outbox.BreakerStore.
func (db *DB) Breakers(ctx context.Context) (open map[string]time.Time, err error) {
	err = db.look(ctx, func(t *tx) error {
		open = map[string]time.Time{}
		return t.query(ctx, `SELECT provider, open_until FROM breakers`, nil, func(scan func(...any) error) error {
			var provider string
			var until int64
			err := scan(&provider, &until)
			open[provider] = fromMillis(until)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read breakers: %w", err)
	}
	return open, nil
}

// OpenBreaker implements outbox.BreakerStore. Of two nodes that open it the later time stays.
func (db *DB) OpenBreaker(ctx context.Context, provider string, until time.Time) error {
	err := db.transact(ctx, func(t *tx) error {
		return t.do(`INSERT INTO breakers (provider, open_until) VALUES ($1, $2) ON CONFLICT (provider) DO UPDATE SET
			open_until = CASE WHEN excluded.open_until > breakers.open_until THEN excluded.open_until ELSE breakers.open_until END`,
			provider, millis(until))
	})
	if err != nil {
		return fmt.Errorf("open breaker: %w", err)
	}
	return nil
}

// ProbeBreaker implements outbox.BreakerStore.
func (db *DB) ProbeBreaker(ctx context.Context, provider string, now, until time.Time) (won bool, err error) {
	err = db.transact(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE breakers SET open_until = $3 WHERE provider = $1 AND open_until <= $2`, provider, millis(now), millis(until))
		won = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("probe breaker: %w", err)
	}
	return won, nil
}

// CloseBreaker implements outbox.BreakerStore.
func (db *DB) CloseBreaker(ctx context.Context, provider string) error {
	err := db.transact(ctx, func(t *tx) error { return t.do(`DELETE FROM breakers WHERE provider = $1`, provider) })
	if err != nil {
		return fmt.Errorf("close breaker: %w", err)
	}
	return nil
}

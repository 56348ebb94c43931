package store

import "context"

// Exec runs a statement that no verb has.
func (db *DB) Exec(ctx context.Context, sql string) error {
	return db.transact(ctx, func(t *tx) error {
		_, err := t.exec(sql)
		return err
	})
}

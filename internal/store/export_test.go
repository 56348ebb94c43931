package store

import "context"

// Exec runs a statement that no verb has.
func (db *DB) Exec(ctx context.Context, sql string) error {
	return db.transact(ctx, func(t *tx) error {
		_, err := t.exec(sql)
		return err
	})
}

// UnderWay is what Own looks for.
const UnderWay = underWay

// Plan is SQLite's plan for a statement.
func (db *DB) Plan(ctx context.Context, sql string) (plan string, err error) {
	err = db.look(ctx, func(t *tx) error {
		return t.query(ctx, "EXPLAIN QUERY PLAN "+sql, nil, func(scan func(...any) error) error {
			var id, parent, unused int
			var step string
			err := scan(&id, &parent, &unused, &step)
			plan += step + "\n"
			return err
		})
	})
	return plan, err
}

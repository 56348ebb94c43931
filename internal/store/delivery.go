package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

var _ outbox.Store = (*DB)(nil)

const deliveryColumns = `id, tenant, application, challenge, channel, recipient, route, step, state, tries, uncertain,
	created_at, due_at, deadline, answer_by, lease, provider, ref, ended_at`

func scanDelivery(scan func(...any) error, more ...any) (d outbox.Delivery, err error) {
	var channel, route, state string
	var uncertain, created, due, deadline, answer, ended int64
	err = scan(append([]any{&d.ID, &d.Tenant, &d.Application, &d.Challenge, &channel, &d.To, &route, &d.Step, &state,
		&d.Tries, &uncertain, &created, &due, &deadline, &answer, &d.Lease, &d.Provider, &d.Ref, &ended}, more...)...)
	if err != nil {
		return d, fmt.Errorf("read delivery: %w", err)
	}
	d.Channel, d.State, d.Uncertain = outbox.Channel(channel), outbox.State(state), uncertain != 0
	d.Route = strings.Split(route, ",")
	d.CreatedAt, d.DueAt, d.Deadline = fromMillis(created), fromMillis(due), fromMillis(deadline)
	d.AnswerBy, d.EndedAt = fromMillis(answer), fromMillis(ended)
	return d, nil
}

// insertDelivery writes a delivery that nobody has tried yet.
func (t *tx) insertDelivery(d *outbox.Delivery, sealed []byte) error {
	err := t.do(insertDeliverySQL, insertDeliveryArgs(d, sealed)...)
	if err != nil {
		return fmt.Errorf("write delivery: %w", err)
	}
	return nil
}

const insertDeliverySQL = `INSERT INTO deliveries (id, tenant, application, challenge, channel, recipient, route, state,
		created_at, due_at, deadline, answer_by, lease, dedup, message, step, tries, uncertain, provider, ref, ended_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 0, 0, 0, '', '', 0)`

func insertDeliveryArgs(d *outbox.Delivery, sealed []byte) []any {
	return []any{d.ID, d.Tenant, d.Application, d.Challenge, string(d.Channel), d.To, strings.Join(d.Route, ","),
		string(d.State), millis(d.CreatedAt), dueAt(d), millis(d.Deadline), millis(d.AnswerBy), d.Lease, d.Dedup, sealed}
}

// updateDelivery writes what can change in a delivery. Its body goes with the last chance to send it.
func (t *tx) updateDelivery(d *outbox.Delivery) error {
	err := t.do(`UPDATE deliveries SET step = $2, state = $3, tries = $4, uncertain = $5, due_at = $6,
			answer_by = $7, lease = $8, provider = $9, ref = $10, ended_at = $11,
			message = CASE WHEN CAST($11 AS BIGINT) = 0 THEN message ELSE NULL END, route = $12 WHERE id = $1`,
		d.ID, d.Step, string(d.State), d.Tries, flag(d.Uncertain), dueAt(d), millis(d.AnswerBy), d.Lease,
		d.Provider, d.Ref, millis(d.EndedAt), strings.Join(d.Route, ","))
	if err != nil {
		return fmt.Errorf("update delivery: %w", err)
	}
	return nil
}

// dueAt is when any process may claim the row. One whose caller waits is left to that caller until its time is over,
// even if its holder dies: the caller's retry may join it, and if none comes, the caller has used its fallback.
func dueAt(d *outbox.Delivery) int64 {
	if d.State == outbox.Sending {
		return max(millis(d.DueAt), millis(d.AnswerBy))
	}
	return millis(d.DueAt)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// delivery reads one row; lock is the backend's locking clause or nothing.
func (t *tx) delivery(where string, lock string, args ...any) (d outbox.Delivery, err error) {
	found := false
	err = t.query(t.ctx, `SELECT `+deliveryColumns+` FROM deliveries WHERE `+where+lock, args,
		func(scan func(...any) error) error {
			found = true
			d, err = scanDelivery(scan)
			return err
		})
	if err == nil && !found {
		err = outbox.ErrNoDelivery
	}
	return d, err
}

// Delivery implements outbox.Store.
func (db *DB) Delivery(ctx context.Context, id string) (d outbox.Delivery, err error) {
	err = db.look(ctx, func(t *tx) error {
		d, err = t.delivery(`id = $1`, "", id)
		return err
	})
	return d, err
}

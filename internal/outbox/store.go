package outbox

import (
	"context"
	"time"
)

// Store keeps deliveries. Each method is one transaction, durable when it returns nil.
type Store interface {
	// Claim leases at most n deliveries that are due: queued ones whose time has come, and those whose holder's lease
	// lapsed (which it marks Uncertain, since nobody knows how far the holder came). Deliveries that must not be sent
	// any more (past the deadline, their challenge ended, their caller never told) are ended on the way and not returned.
	Claim(ctx context.Context, lease string, now, until time.Time, n int) ([]Delivery, error)
	// Renew extends a lease, and reports false when the row is not held under that lease any more.
	Renew(ctx context.Context, id, lease string, until time.Time) (bool, error)
	// Record adds an attempt and moves the delivery by what judge makes of it. An accepted attempt is a fact and is
	// recorded whoever holds the row; a failed one moves the row only while lease still holds it. It returns the row
	// as it then is, without the message.
	Record(ctx context.Context, a Attempt, lease string, judge func(*Delivery)) (Delivery, error)
	// Return gives unsent deliveries back, due at once.
	Return(ctx context.Context, lease string, ids []string, now time.Time) error
	// HandOver clears AnswerBy of a delivery that is not final: from here on it is sent until its deadline. With
	// withdraw the delivery, which its holder has not begun to send, ends as Failed instead. It returns the row.
	HandOver(ctx context.Context, id string, withdraw bool, now time.Time) (Delivery, error)
	// Delivery reads one row, without the message. It returns ErrNoDelivery when there is none.
	Delivery(ctx context.Context, id string) (Delivery, error)
	// NextDue is when the next row that nobody can claim yet becomes due, zero when there is none.
	NextDue(ctx context.Context) (time.Time, error)
}

package outbox

import (
	"context"
	"time"
)

// Acceptance is that a provider took the message of a delivery in an attempt. Delivery is as the sender last knew it.
type Acceptance struct {
	Delivery Delivery
	Attempt  Attempt
}

// Accepting is what became of a delivery by an Acceptance.
type Accepting struct {
	State State
	Tries int
}

// Store keeps deliveries. Each method is one transaction, durable when it returns nil.
type Store interface {
	// Claim leases at most n deliveries that are due: queued ones whose time has come, and those whose holder's lease
	// lapsed (which it marks Uncertain, since nobody knows how far the holder came). A row under lease itself is the
	// caller's own backlog and never claimed. Deliveries that must not be sent
	// any more (past the deadline, their challenge ended, their caller never told) are ended on the way and not
	// returned; examined counts them too, so that a caller knows whether more may be due.
	Claim(ctx context.Context, lease string, now, until time.Time, n int) (claimed []Delivery, examined int, err error)
	// Renew extends a lease, and reports false when the row is not held under that lease any more.
	Renew(ctx context.Context, id, lease string, until time.Time) (bool, error)
	// Accept records that providers took messages, in one transaction for all. Each is a fact, whoever holds the row and
	// whatever its state, but that a provider's later word stays. It wipes the messages, and returns for each the state
	// and the count of tries; the state is empty where there is no such row.
	Accept(ctx context.Context, took []Acceptance, now time.Time) ([]Accepting, error)
	// Receive keeps what a provider reported later, moves the deliveries it is about, and suppresses recipients that
	// should not be sent to again. A report that was received before does nothing, and the order in which reports come
	// changes nothing. A provider is believed only about deliveries whose route it is on. It returns what became of each.
	Receive(ctx context.Context, provider string, receipts []Receipt, now time.Time) ([]Receiving, error)
	// Fail records an attempt that failed and moves the delivery by what judge makes of it, if lease still holds the
	// row. It returns the row as it then is, without the message.
	Fail(ctx context.Context, a Attempt, lease string, judge func(*Delivery)) (Delivery, error)
	// Return gives unsent deliveries back, due at once.
	Return(ctx context.Context, lease string, ids []string, now time.Time) error
	// Settle moves a delivery that is not final by what decide makes of it, and returns the row.
	Settle(ctx context.Context, id string, decide func(*Delivery)) (Delivery, error)
	// Delivery reads one row, without the message. It returns ErrNoDelivery when there is none.
	Delivery(ctx context.Context, id string) (Delivery, error)
	// Message opens the body of a delivery that is not final. It returns ErrNoDelivery when there is none.
	Message(ctx context.Context, id string) (*Message, error)
	// NextDue is the earliest time at which a row becomes due that is not held under lease, zero when there is none.
	NextDue(ctx context.Context, lease string) (time.Time, error)
}

package store

import (
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// Publisher makes the events that customers are sent. It answers from memory.
type Publisher interface {
	// Publishes reports whether anybody wants to be told of such a thing.
	Publishes(outbox.HappeningType) bool
	// Notify makes the deliveries of what happened, none when nobody wants them.
	Notify(outbox.Happening) []outbox.Delivery
}

// Publish has the store write, in the transaction in which something happens, the deliveries that p makes of it. It is
// called once, before the store is used.
func (db *DB) Publish(p Publisher) { db.publisher = p }

func (db *DB) publishes(what outbox.HappeningType) bool {
	return db.publisher != nil && db.publisher.Publishes(what)
}

// tell writes the events of what happened. The same event written twice is one: a message that fails again after it
// failed is no news.
func (db *DB) tell(t *tx, h outbox.Happening) error {
	if !db.publishes(h.Type) {
		return nil
	}
	for _, d := range db.publisher.Notify(h) {
		sealed, err := db.sealMessage(&d)
		if err != nil {
			return err
		}
		if err := t.do(insertDeliverySQL+` ON CONFLICT DO NOTHING`, insertDeliveryArgs(&d, sealed)...); err != nil {
			return fmt.Errorf("write event: %w", err)
		}
	}
	return nil
}

func happened(c *passcode.Challenge, what outbox.HappeningType, at time.Time) outbox.Happening {
	return outbox.Happening{Type: what, At: at, Tenant: c.Tenant, Application: c.Application, Challenge: c.ID, Channel: c.Channel,
		Purpose: string(c.Purpose)}
}

// moveDelivery writes what changed in a delivery, and tells of it when that is the end of it.
func (db *DB) moveDelivery(t *tx, d *outbox.Delivery, at time.Time) error {
	if err := t.updateDelivery(d); err != nil || d.Channel == outbox.Event {
		return err
	}
	h := outbox.Happening{At: at, Tenant: d.Tenant, Application: d.Application, Challenge: d.Challenge, Delivery: d.ID,
		Channel: d.Channel, State: d.State, Provider: d.Provider}
	switch d.State {
	case outbox.Delivered:
		h.Type = outbox.PasscodeDelivered
	case outbox.Bounced, outbox.Failed, outbox.Stale:
		h.Type = outbox.PasscodeFailed
	default:
		return nil
	}
	return db.tell(t, h)
}

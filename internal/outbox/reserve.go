package outbox

import (
	"context"
	"sync"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
)

// CarryNothing is the Capacity of a process that writes deliveries and leaves them to others.
const CarryNothing = -1

// held knows which deliveries wait in memory for a worker.
type held struct {
	mu sync.Mutex
	// waiting maps an id to whether it was withdrawn while it waited.
	waiting map[string]bool
}

// Held is how many deliveries this process holds.
func (o *Outbox) Held() int { return cap(o.ready) - int(o.room.Load()) }

// Reserve leases d to this process when there is room for one more, and reports whether it did. HandOver or Release
// must follow.
func (o *Outbox) Reserve(d *Delivery) bool {
	if o.closing.Load() || !o.take() {
		return false
	}
	d.State, d.Lease, d.DueAt = Sending, o.token, o.Now().Add(o.Lease)
	return true
}

func (o *Outbox) take() bool {
	if o.room.Add(-1) >= 0 {
		return true
	}
	o.room.Add(1)
	return false
}

// Release gives back a reservation whose row was not written.
func (o *Outbox) Release() { o.room.Add(1) }

// Abandon gives back a reservation whose row may or may not have been written, because the store lost its connection
// in between: if the row is there, it is due for anybody, as soon as the store can be reached.
func (o *Outbox) Abandon(d Delivery) {
	o.giveUp(d.ID, func() {
		o.room.Add(1)
		o.Wake()
	})
}

// giveUp returns a row to the store, as soon as the store can be reached.
func (o *Outbox) giveUp(id string, then func()) {
	o.pending.Go(func() {
		for tries := 1; ; tries++ {
			err := o.store.Return(context.Background(), o.token, []string{id}, o.Now())
			if err == nil || o.closing.Load() { // at the end the lease lapses, which comes to the same
				break
			}
			o.Log.Error("return delivery", "delivery", id, "error", err)
			time.Sleep(backoff(soon, tries))
		}
		then()
	})
}

// HandOver gives the worker a delivery that was reserved and is on disk. It never blocks.
func (o *Outbox) HandOver(d Delivery) {
	o.held.mu.Lock()
	o.held.waiting[d.ID] = false
	o.held.mu.Unlock()
	o.ready <- d // never more than Capacity are reserved
}

// TakeUp hands over a delivery that was leased to this process without its message.
func (o *Outbox) TakeUp(ctx context.Context, d Delivery) error {
	m, err := o.store.Message(ctx, d.ID)
	if err != nil {
		o.Release()
		return err
	}
	d.Message = m
	o.HandOver(d)
	return nil
}

// Wake makes the worker look for due rows now.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Settle ends a caller's wait: what nobody has begun to send ends as Failed, and with handOver anything else is sent
// until its deadline, whoever carries it.
func (o *Outbox) Settle(ctx context.Context, id string, handOver bool) (Delivery, error) {
	unbegun := false
	now := o.Now()
	d, err := o.store.Settle(ctx, id, func(d *Delivery) {
		// Under the row's lock: before it, another process may hand the delivery over, or take it up. What was withdrawn
		// stays so when the transaction is run again.
		if d.Lease == o.token && !d.AnswerBy.IsZero() {
			unbegun = o.withdraw(id) || unbegun
		}
		settle(d, unbegun, handOver, now)
	})
	if err != nil && unbegun {
		// No worker will send it, and the row may still say that one will. Whoever claims it finds its caller's time over.
		o.giveUp(id, o.Wake)
	}
	if err == nil {
		faultpoint.Here("settle.after_commit")
	}
	return d, err
}

func (o *Outbox) withdraw(id string) bool {
	o.held.mu.Lock()
	defer o.held.mu.Unlock()
	_, waiting := o.held.waiting[id]
	if waiting {
		o.held.waiting[id] = true
	}
	return waiting
}

// begin reports whether a delivery that waited may be sent.
func (o *Outbox) begin(id string) bool {
	o.held.mu.Lock()
	defer o.held.mu.Unlock()
	withdrawn := o.held.waiting[id]
	delete(o.held.waiting, id)
	return !withdrawn
}

package outbox

import (
	"context"
	"sync"
	"time"
)

// A delivery that another process holds is looked at while a caller waits for it: soon, and then less and less often,
// so that many who wait for a slow provider do not keep the store busy.
const (
	firstPoll = 50 * time.Millisecond
	lastPoll  = 800 * time.Millisecond
)

// watches tells those who wait for a delivery when its state is final.
type watches struct {
	mu sync.Mutex
	by map[string][]*Watch
}

// Watch waits for one delivery. It is made before the delivery is handed over, so nothing is missed.
type Watch struct {
	id    string
	ended chan Delivery
	all   *watches
	store Store
}

// Watch begins to watch a delivery; Stop must follow.
func (o *Outbox) Watch(id string) *Watch {
	w := &Watch{id: id, ended: make(chan Delivery, 1), all: &o.watches, store: o.store}
	o.watches.mu.Lock()
	defer o.watches.mu.Unlock()
	if o.watches.by == nil {
		o.watches.by = map[string][]*Watch{}
	}
	o.watches.by[id] = append(o.watches.by[id], w)
	return w
}

// Stop ends the watch.
func (w *Watch) Stop() {
	w.all.mu.Lock()
	defer w.all.mu.Unlock()
	left := w.all.by[w.id][:0:0]
	for _, other := range w.all.by[w.id] {
		if other != w {
			left = append(left, other)
		}
	}
	if len(left) == 0 {
		delete(w.all.by, w.id)
		return
	}
	w.all.by[w.id] = left
}

// Wait returns the delivery once its state is final, or false when ctx ended first. A delivery that this process does
// not hold is looked up now and then.
func (w *Watch) Wait(ctx context.Context) (Delivery, bool) {
	interval := firstPoll
	poll := time.NewTimer(interval)
	defer poll.Stop()
	for {
		select {
		case d := <-w.ended:
			return d, true
		case <-ctx.Done():
			return Delivery{}, false
		case <-poll.C:
			if d, err := w.store.Delivery(ctx, w.id); err == nil && d.State.Final() {
				return d, true
			}
			interval = min(2*interval, lastPoll)
			poll.Reset(interval)
		}
	}
}

// Look reads the delivery as it is now.
func (w *Watch) Look(ctx context.Context) (Delivery, error) { return w.store.Delivery(ctx, w.id) }

func (w *watches) tell(d Delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, watch := range w.by[d.ID] {
		select {
		case watch.ended <- d:
		default:
		}
	}
}

package outbox

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Settings are what New takes; every one but Store and Senders has a default.
type Settings struct {
	Store Store
	// Senders finds providers by name, for each attempt anew.
	Senders Senders
	// Breakers shares between nodes which providers are down; without it each process finds out for itself.
	Breakers BreakerStore
	// Rates bounds what each provider is given; nil bounds nothing.
	Rates Rates
	// Workers is how many messages are sent at the same time, 16 when 0.
	Workers int
	// Capacity is how many deliveries this process holds at most, 4096 when 0, none when CarryNothing; what comes
	// beyond waits in the store.
	Capacity int
	// Lease is how long a process that died holds up its deliveries, 30 s when 0. It is longer than AttemptTimeout.
	Lease time.Duration
	// AttemptTimeout bounds one try at one provider, 15 s when 0.
	AttemptTimeout time.Duration
	// Poll is how often the store is asked for due rows that nobody told this process of, 1 s when 0.
	Poll time.Duration
	Now  func() time.Time
	Log  *slog.Logger
	// Observe is told of every attempt and the delivery after it, for metrics. It may be nil.
	Observe func(Delivery, Attempt)
}

// claimBatch is how many rows one claim takes at most.
const claimBatch = 64

// Outbox carries deliveries: those handed over by this process, and those it claims from the store.
type Outbox struct {
	Settings
	store Store
	// token is this process's name in the leases; a restarted process is another one.
	token string
	// room counts the deliveries that may still be taken in. Whoever takes one gives it back when the row is final,
	// queued again or returned.
	room  atomic.Int64
	ready chan Delivery
	wake  chan struct{}
	// records holds a token for each attempt whose outcome is not on disk yet, taken those that were accepted.
	records chan struct{}
	taken   chan Acceptance
	// besides holds a token for each attempt whose message another provider has taken meanwhile.
	besides chan struct{}
	watches watches
	held    held
	down    breakers
	tracks  tracks
	closing atomic.Bool
	pending sync.WaitGroup // what has to be on disk before this process may end
}

// New returns an outbox that carries nothing until Run.
func New(s Settings) *Outbox {
	s.Workers = orElse(s.Workers, 16)
	s.Capacity = orElse(s.Capacity, 4096)
	s.Lease = orElse(s.Lease, 30*time.Second)
	s.AttemptTimeout = orElse(s.AttemptTimeout, 15*time.Second)
	s.Poll = orElse(s.Poll, time.Second)
	if s.Now == nil {
		s.Now = time.Now
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	o := &Outbox{Settings: s, store: s.Store, token: NewID("ls", s.Now()), ready: make(chan Delivery, max(0, s.Capacity)),
		wake: make(chan struct{}, 1), records: make(chan struct{}, recording),
		taken: make(chan Acceptance, recording), besides: make(chan struct{}, besides), held: held{waiting: map[string]bool{}},
		tracks: newTracks(),
		down: breakers{store: s.Breakers, log: s.Log, failures: map[string]int{}, open: map[string]time.Time{},
			opened: map[string]time.Time{}}}
	o.room.Store(int64(max(0, s.Capacity)))
	return o
}

func orElse[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// Run carries deliveries until ctx ends. Then it takes in no more, finishes what is being sent, gives the rest back,
// and returns; when sending ends, sends under way are cut off.
func (o *Outbox) Run(ctx, sending context.Context) error {
	var workers, recorder sync.WaitGroup
	o.tracks.running = ctx
	for range recorders {
		recorder.Go(func() { o.recordTaken(sending) })
	}
	for range o.Workers {
		workers.Go(func() { o.work(ctx, sending) })
	}
	o.claimLoop(ctx)
	o.closing.Store(true)
	workers.Wait()
	close(o.taken)
	recorder.Wait()
	o.pending.Wait()
	o.tracks.group.Wait()
	return o.giveBack(context.WithoutCancel(ctx))
}

// work sends until ctx ends.
func (o *Outbox) work(ctx, sending context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-o.ready:
			if ctx.Err() != nil {
				o.ready <- d // for giveBack: select takes either when both are ready
				return
			}
			o.carry(sending, d)
		}
	}
}

// giveBack returns what waits in memory to the store.
func (o *Outbox) giveBack(ctx context.Context) error {
	var ids []string
	for {
		select {
		case d := <-o.ready:
			if o.begin(d.ID) {
				ids = append(ids, d.ID)
			}
			o.room.Add(1)
			continue
		default:
		}
		break
	}
	if len(ids) == 0 {
		return nil
	}
	return o.store.Return(ctx, o.token, ids, o.Now())
}

// keeps makes sure that the lease outlives the attempt and, by half of what it has over an attempt, its record: a
// process that was stopped for a while must not send what another has taken up meanwhile, nor one whose record is slow
// see its message sent again.
func (o *Outbox) keeps(ctx context.Context, d *Delivery, now time.Time) bool {
	if d.DueAt.Sub(now) > (o.AttemptTimeout+o.Lease)/2 {
		return true
	}
	until := now.Add(o.Lease)
	ok, err := o.store.Renew(ctx, d.ID, o.token, until)
	if err != nil {
		o.Log.ErrorContext(ctx, "renew lease", "delivery", d.ID, "passcode_id", d.Challenge, "error", err)
	}
	d.DueAt = until
	return ok && err == nil
}

// drop gives back a delivery that may not be sent from here; whoever claims it ends it or goes on. A row that could not
// be given back stays in hand, since this process does not claim what it holds.
func (o *Outbox) drop(ctx context.Context, d Delivery, now time.Time) {
	if err := o.store.Return(ctx, o.token, []string{d.ID}, now); err != nil {
		o.Log.ErrorContext(ctx, "return delivery", "delivery", d.ID, "passcode_id", d.Challenge, "error", err)
		time.AfterFunc(soon[0], func() { o.HandOver(d) })
		return
	}
	o.room.Add(1)
	o.Wake()
}

package outbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Settings are what New takes; every one but Store and Senders has a default.
type Settings struct {
	Store Store
	// Senders are the providers by name.
	Senders map[string]Sender
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

// recording bounds the attempts whose outcome is known but not yet on disk. It is the most messages that a crash of
// this process can send twice, beside those being sent.
const recording = 256

// CarryNothing is the Capacity of a process that writes deliveries and leaves them to others.
const CarryNothing = -1

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
	room    atomic.Int64
	ready   chan Delivery
	wake    chan struct{}
	records chan struct{}
	watches watches
	held    held
	closing atomic.Bool
	pending sync.WaitGroup // what has to be on disk before this process may end
}

// held knows which deliveries wait in memory for a worker.
type held struct {
	mu sync.Mutex
	// waiting maps an id to whether it was withdrawn while it waited.
	waiting map[string]bool
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
		wake: make(chan struct{}, 1), records: make(chan struct{}, recording), held: held{waiting: map[string]bool{}}}
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
	o.pending.Go(func() {
		for tries := 1; ; tries++ {
			err := o.store.Return(context.Background(), o.token, []string{d.ID}, o.Now())
			if err == nil || o.closing.Load() { // at the end the lease lapses, which comes to the same
				break
			}
			o.Log.Error("return delivery", "delivery", d.ID, "passcode_id", d.Challenge, "error", err)
			time.Sleep(backoff(soon, tries))
		}
		o.room.Add(1)
		o.Wake()
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
	unbegun := o.withdraw(id)
	now := o.Now()
	return o.store.Settle(ctx, id, func(d *Delivery) { settle(d, unbegun, handOver, now) })
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

// Run carries deliveries until ctx ends. Then it takes in no more, finishes what is being sent, gives the rest back,
// and returns; when grace is over, sends under way are cut off.
func (o *Outbox) Run(ctx context.Context, grace time.Duration) error {
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var workers sync.WaitGroup
	for range o.Workers {
		workers.Go(func() { o.work(ctx, sending) })
	}
	o.claimLoop(ctx)
	o.closing.Store(true)
	timer := time.AfterFunc(grace, cut)
	defer timer.Stop()
	workers.Wait()
	o.pending.Wait()
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

// carry makes one attempt at the current provider of a delivery that this process holds.
func (o *Outbox) carry(ctx context.Context, d Delivery) {
	if !o.begin(d.ID) {
		o.room.Add(1)
		return
	}
	now := o.Now()
	if !now.Before(d.Deadline) || !o.keeps(ctx, &d, now) {
		o.drop(ctx, d, now)
		return
	}
	timeout := min(o.AttemptTimeout, d.Deadline.Sub(now))
	attempt := Attempt{Delivery: d.ID, Provider: d.Route[min(d.Step, len(d.Route)-1)], At: now}
	trying, cancel := context.WithTimeout(ctx, timeout)
	ref, err := o.send(trying, attempt.Provider, &d)
	cancel()
	attempt.Took = o.Now().Sub(now)
	var fault *Fault
	if err != nil {
		fault = faultOf(err)
		attempt.Class, attempt.Code, attempt.Detail = fault.Class, cut(fault.Code, 60), cut(fault.Detail, 300)
	}
	attempt.Ref = cut(ref, 200)
	o.records <- struct{}{}
	o.pending.Go(func() {
		defer func() { <-o.records }()
		o.record(ctx, d, attempt, fault)
	})
}

func (o *Outbox) send(ctx context.Context, provider string, d *Delivery) (ref string, err error) {
	sender, ok := o.Senders[provider]
	if !ok {
		return "", Faultf(Account, "unknown_provider", "no provider named %q is set up here", provider)
	}
	return sender.Send(ctx, d.ID, *d.Message)
}

// keeps makes sure that the lease outlives the attempt: a process that was stopped for a while must not send what
// another has taken up meanwhile.
func (o *Outbox) keeps(ctx context.Context, d *Delivery, now time.Time) bool {
	if d.DueAt.Sub(now) > o.AttemptTimeout {
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

// record writes an attempt and does what follows from it. Callers who wait are told only what is on disk.
func (o *Outbox) record(ctx context.Context, d Delivery, a Attempt, fault *Fault) {
	after, err := o.keepAttempt(ctx, d, a, fault)
	if err != nil {
		// This process is ending. When the lease lapses another takes the row up, which may send the message twice.
		o.room.Add(1)
		return
	}
	a.N = after.Tries
	o.logAttempt(ctx, &after, &a)
	if o.Observe != nil {
		o.Observe(after, a)
	}
	if after.State == Sending && after.Lease == o.token {
		after.Message = d.Message
		o.HandOver(after)
		return
	}
	o.room.Add(1)
	if after.State.Final() {
		o.watches.tell(after)
		return
	}
	o.wakeAt(after.DueAt)
}

// keepAttempt writes an attempt, again and again while the store fails: the row stays leased to this process, and
// nobody else may send it meanwhile.
func (o *Outbox) keepAttempt(ctx context.Context, d Delivery, a Attempt, fault *Fault) (after Delivery, err error) {
	for tries := 1; ; tries++ {
		now := o.Now()
		if fault == nil {
			after = d
			after.end(Accepted, now)
			after.Provider, after.Ref = a.Provider, a.Ref
			after.State, after.Tries, err = o.store.Accept(context.WithoutCancel(ctx), d, a, now)
		} else {
			after, err = o.store.Fail(context.WithoutCancel(ctx), a, o.token, func(d *Delivery) { judge(d, fault, now) })
		}
		if err == nil || errors.Is(err, ErrNoDelivery) {
			return after, err
		}
		o.Log.ErrorContext(ctx, "record attempt", "delivery", d.ID, "passcode_id", d.Challenge, "error", err)
		select {
		case <-time.After(backoff(soon, tries) / 10):
		case <-ctx.Done():
			return after, err
		}
	}
}

func (o *Outbox) logAttempt(ctx context.Context, d *Delivery, a *Attempt) {
	level := slog.LevelDebug
	if a.Class != "" {
		level = slog.LevelWarn
	}
	if !o.Log.Enabled(ctx, level) {
		return
	}
	o.Log.LogAttrs(ctx, level, "delivery attempt", slog.String("delivery", d.ID), slog.String("passcode_id", d.Challenge),
		slog.String("provider", a.Provider), slog.Int("attempt", a.N), slog.String("state", string(d.State)),
		slog.String("class", string(a.Class)), slog.String("provider_code", a.Code), slog.String("detail", a.Detail),
		slog.Duration("took", a.Took))
}

func (o *Outbox) wakeAt(at time.Time) { time.AfterFunc(max(0, at.Sub(o.Now())), o.Wake) }

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n]
}

package outbox

import (
	"context"
	"time"
)

// besides bounds the attempts that are still under way while their messages are with another provider. Workers do not
// wait for those: a provider that fell silent would hold up all of them, and with them what the hedge is for.
const besides = 512

// carryHedged tries a provider, and when it is silent for the time of the hedge also the next one. Whichever takes the
// message first is the answer; the other one's outcome is recorded beside it. cancel ends trying, which both end with.
func (o *Outbox) carryHedged(trying context.Context, cancel context.CancelFunc, ctx context.Context, d Delivery) {
	outcomes := make(chan tried, 2)
	answered := make(chan struct{})
	go func() { outcomes <- o.try(trying, &d, d.Step, o.Now(), func() { close(answered) }) }()
	timer := time.NewTimer(d.Hedge)
	defer timer.Stop()
	select {
	case <-answered:
	case <-timer.C:
	}
	now := o.Now()
	select {
	case <-answered: // also when that is as late as the hedge, which then has nothing to be for
		only := <-outcomes
		cancel()
		o.conclude(ctx, d, only)
		return
	default:
	}
	next := o.choose(ctx, &d, d.Step+1, now)
	go func() { outcomes <- o.try(trying, &d, next, now, func() {}) }()
	first := <-outcomes
	if first.fault == nil {
		o.conclude(ctx, d, first)
		o.awaitBeside(ctx, d, outcomes, cancel)
		return
	}
	second := <-outcomes
	cancel()
	if second.fault != nil && goesOn(first, second) {
		first, second = second, first
	}
	o.recordBeside(ctx, d, first)
	d.Uncertain = d.Uncertain || first.fault.Class == Ambiguous
	o.conclude(ctx, d, second)
}

// goesOn reports whether of two failures the first says how the route goes on: there is nobody to reach, or it is the
// later step.
func goesOn(first, second tried) bool {
	if nobody := first.fault.Class == InvalidRecipient; nobody != (second.fault.Class == InvalidRecipient) {
		return nobody
	}
	return first.step > second.step
}

// awaitBeside records the outcome of an attempt that is still under way, and then ends it. The worker waits for it only
// when there are too many of them already.
func (o *Outbox) awaitBeside(ctx context.Context, d Delivery, outcome <-chan tried, cancel context.CancelFunc) {
	record := func() {
		defer cancel()
		o.recordBeside(ctx, d, <-outcome)
	}
	select {
	case o.besides <- struct{}{}:
		o.pending.Go(func() {
			defer func() { <-o.besides }()
			record()
		})
	default:
		record()
	}
}

// recordBeside records an attempt whose delivery goes on, or ends, by another one.
func (o *Outbox) recordBeside(ctx context.Context, d Delivery, t tried) {
	o.records <- struct{}{}
	o.pending.Go(func() {
		defer func() { <-o.records }()
		_ = o.insist(ctx, d, func() (err error) {
			now := o.Now()
			if t.fault == nil {
				if _, err = o.store.Accept(context.WithoutCancel(ctx), []Acceptance{{Delivery: d, Attempt: t.attempt}}, now); err == nil {
					o.track(d, t.attempt)
				}
				return err
			}
			_, err = o.store.Fail(context.WithoutCancel(ctx), t.attempt, o.token, func(d *Delivery) {
				d.Uncertain = d.Uncertain || t.fault.Class == Ambiguous
			})
			return err
		})
		o.logAttempt(ctx, &d, &t.attempt)
		if o.Observe != nil {
			o.Observe(d, t.attempt)
		}
	})
}

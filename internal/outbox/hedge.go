package outbox

import (
	"context"
	"time"
)

// carryHedged tries a provider, and when it is silent for the time of the hedge also the next one. Whichever takes the
// message first is the answer; the other one's outcome is recorded beside it. Both end with trying.
func (o *Outbox) carryHedged(trying, ctx context.Context, d Delivery) {
	outcomes := make(chan tried, 2)
	start := func(step int) { go func() { outcomes <- o.try(trying, &d, step) }() }
	start(d.Step)
	timer := time.NewTimer(d.Hedge)
	defer timer.Stop()
	select {
	case only := <-outcomes:
		o.conclude(ctx, d, only)
		return
	case <-timer.C:
	}
	start(o.choose(ctx, &d, d.Step+1, o.Now()))
	first := <-outcomes
	if first.fault == nil {
		o.conclude(ctx, d, first)
		o.recordBeside(ctx, d, <-outcomes)
		return
	}
	second := <-outcomes
	if second.fault != nil && (first.step > second.step || first.fault.Class == InvalidRecipient) {
		first, second = second, first // the route goes on after the later one, unless there is nobody to reach
	}
	o.recordBeside(ctx, d, first)
	d.Uncertain = d.Uncertain || first.fault.Class == Ambiguous
	o.conclude(ctx, d, second)
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

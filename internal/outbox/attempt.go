package outbox

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
)

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
	trying, cancel := context.WithTimeout(ctx, min(o.AttemptTimeout, d.Deadline.Sub(now)))
	d.Step = o.choose(ctx, &d, d.Step, now)
	if d.Hedge > 0 && d.Step+1 < len(d.Route) {
		o.carryHedged(trying, cancel, ctx, d)
		return
	}
	defer cancel()
	o.conclude(ctx, d, o.try(trying, &d, d.Step, o.Now(), func() {}))
}

// choose returns the step of the first provider, from a step on, that is not known to be down; the step itself when all
// are.
func (o *Outbox) choose(ctx context.Context, d *Delivery, from int, now time.Time) int {
	from = min(from, len(d.Route)-1)
	if len(d.Route) == 1 {
		return from
	}
	for step := from; step < len(d.Route); step++ {
		if o.down.admits(ctx, d.Route[step], now) {
			return step
		}
	}
	return from
}

// tried is one attempt and how it ended; fault is nil when the provider took the message.
type tried struct {
	step    int
	attempt Attempt
	fault   *Fault
}

// try makes one attempt at one provider of a route, and calls answered as soon as that has ended, before what follows
// from it.
func (o *Outbox) try(ctx context.Context, d *Delivery, step int, now time.Time, answered func()) tried {
	t := tried{step: step, attempt: Attempt{Delivery: d.ID, Provider: d.Route[step], At: now}}
	heard := o.listen(ctx, d, t.attempt.Provider, now)
	ref, err := o.send(o.hurried(ctx, d, step, now), t.attempt.Provider, d)
	answered()
	faultpoint.Here("send.after_answer")
	ended := o.Now()
	t.attempt.Took = ended.Sub(now)
	if err != nil {
		t.fault = faultOf(err)
		t.attempt.Class, t.attempt.Code, t.attempt.Detail = t.fault.Class, cut(t.fault.Code, maxCode), cut(t.fault.Detail, maxDetail)
	}
	t.attempt.Ref = cut(ref, maxRef)
	switch inTime := heard(); {
	case errors.Is(ctx.Err(), context.Canceled): // cut off by the end of this process, which says nothing of the provider
	case inTime, t.fault != nil && (len(d.Route) == 1 || t.fault.RetryAfter > 0):
		o.down.learn(context.WithoutCancel(ctx), t.attempt.Provider, t.fault, now, ended)
	}
	return t
}

// conclude has an attempt recorded, and what follows from it done.
func (o *Outbox) conclude(ctx context.Context, d Delivery, t tried) {
	o.records <- struct{}{}
	if t.fault == nil {
		o.taken <- Acceptance{Delivery: d, Attempt: t.attempt} // has room for as many as records
		return
	}
	o.pending.Go(func() {
		defer func() { <-o.records }()
		o.recordFailure(ctx, d, t)
	})
}

func (o *Outbox) send(ctx context.Context, provider string, d *Delivery) (ref string, err error) {
	sender, ok := o.Senders.Sender(provider)
	if !ok {
		return "", Faultf(Account, "unknown_provider", "no provider named %q is set up here", provider)
	}
	if fault := o.overRate(ctx, provider, o.Now()); fault != nil {
		return "", fault
	}
	ref, err = sender.Send(ctx, d.ID, *d.Message)
	if repeats(ref, d.Message.Code) {
		ref = ""
	}
	return ref, err
}

// repeats reports whether a provider names a message by its code, as one does that answers with the subject. The
// reference is kept and shown, so it must not be one.
func repeats(ref, code string) bool {
	return code != "" && strings.Contains(strings.ToLower(ref), strings.ToLower(code))
}

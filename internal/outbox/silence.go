package outbox

import (
	"context"
	"time"
)

// breakSilent is how long a provider may be silent before its breaker counts that as a failure. An attempt lasts longer,
// since its message may have been taken; but to learn only at its end that a provider has fallen silent would make late
// all that come meanwhile.
const breakSilent = 3 * time.Second

// listen counts it as a failure when a provider is silent for too long, where a message could go to another one. heard
// must be called when it has answered, and reports whether that was in time: a late answer is no sign that it is well.
func (o *Outbox) listen(ctx context.Context, d *Delivery, provider string, began time.Time) (heard func() bool) {
	if len(d.Route) == 1 {
		return func() bool { return o.Now().Sub(began) < breakSilent }
	}
	counted := make(chan struct{})
	timer := time.AfterFunc(breakSilent, func() {
		defer close(counted)
		o.down.learn(context.WithoutCancel(ctx), provider, &Fault{Class: Ambiguous, Detail: "silent"}, began, o.Now())
	})
	return func() bool {
		if timer.Stop() {
			return true
		}
		<-counted
		return false
	}
}

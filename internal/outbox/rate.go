package outbox

import (
	"context"
	"time"
)

// Rates bounds what each provider is given, over all nodes.
type Rates interface {
	// Take takes one message of a provider's rate. It reports false, and when there will be one again, when none is left. A
	// provider without a rate always has one.
	Take(ctx context.Context, provider string, now time.Time) (ok bool, at time.Time, err error)
}

// overRate is the fault of a message that was not even tried. It is nil when the provider may have it, and when nobody
// can say: a store that is down does not hold up messages.
func (o *Outbox) overRate(ctx context.Context, provider string, now time.Time) *Fault {
	if o.Rates == nil {
		return nil
	}
	ok, at, err := o.Rates.Take(ctx, provider, now)
	if err != nil {
		o.Log.ErrorContext(ctx, "take of a provider's rate", "provider", provider, "error", err)
		return nil
	}
	if ok {
		return nil
	}
	return &Fault{Class: Throttled, Code: "rate", Detail: "the rate that is set for this provider is used up", RetryAfter: at.Sub(now)}
}

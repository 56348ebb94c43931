package outbox

import (
	"context"
	"time"
)

// connectKey is the key of ConnectBy in a context.
type connectKey struct{}

// WithConnectBy sets what ConnectBy says.
func WithConnectBy(ctx context.Context, by time.Time) context.Context {
	return context.WithValue(ctx, connectKey{}, by)
}

// ConnectBy is when a sender gives up that has no connection yet on which it could write the message, in real time; ok is
// false when only ctx bounds that. Without a connection nothing was sent, so the next provider can have the message while
// its caller still waits. What is written is waited for as long as ctx allows.
func ConnectBy(ctx context.Context) (by time.Time, ok bool) {
	by, ok = ctx.Value(connectKey{}).(time.Time)
	return by, ok
}

// hurried gives a try half of the time that is left to the caller for its connection. The other half is for the next
// provider, so there is no hurry where none is left that could take the message.
func (o *Outbox) hurried(ctx context.Context, d *Delivery, step int, now time.Time) context.Context {
	left := d.awaited().Sub(now)
	if left <= 0 || step+1 >= len(d.Route) || !o.down.spares(d.Route[step+1:], now) {
		return ctx
	}
	return WithConnectBy(ctx, time.Now().Add(left/2))
}

// awaited is until when a caller waits to be told what became of a delivery, zero when none does.
func (d *Delivery) awaited() time.Time {
	if d.AnswerBy.IsZero() {
		return d.AwaitedUntil
	}
	return d.AnswerBy
}

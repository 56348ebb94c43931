package outbox

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// recording bounds the attempts whose outcome is known but not yet on disk. It is the most messages that a crash of
// this process can send twice, beside those being sent.
const recording = 128

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

package outbox

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
)

// recording bounds the attempts whose outcome is known but not yet on disk. It is the most messages that a crash of
// this process can send twice, beside those being sent.
const recording = 128

// recorders is how many write acceptances at the same time. One waits for an answer of a database that is far away while
// messages pile up; more make smaller transactions.
const recorders = 4

// recordTaken writes acceptances until the channel is closed: all that have come while the last ones were written go
// into one transaction.
func (o *Outbox) recordTaken(ctx context.Context) {
	batch := make([]Acceptance, 0, recording/recorders)
	for first := range o.taken {
		batch = append(batch[:0], first)
		for more := true; more && len(batch) < cap(batch); {
			select {
			case next, open := <-o.taken:
				if more = open; open {
					batch = append(batch, next)
				}
			default:
				more = false
			}
		}
		o.recordBatch(ctx, batch)
	}
}

// recordBatch writes acceptances together. When that fails, each is written by itself, so that one which the store will
// not have does not hold up the others.
func (o *Outbox) recordBatch(ctx context.Context, batch []Acceptance) {
	now := o.Now()
	became, err := o.store.Accept(context.WithoutCancel(ctx), batch, now)
	for i := range batch {
		took := batch[i]
		if err == nil {
			o.recorded(ctx, took, became[i], now)
			<-o.records
			continue
		}
		o.pending.Go(func() {
			defer func() { <-o.records }()
			o.recordOne(ctx, took)
		})
	}
}

func (o *Outbox) recordOne(ctx context.Context, took Acceptance) {
	var became []Accepting
	var now time.Time
	err := o.insist(ctx, took.Delivery, func() (err error) {
		now = o.Now()
		became, err = o.store.Accept(context.WithoutCancel(ctx), []Acceptance{took}, now)
		return err
	})
	if err != nil {
		o.room.Add(1)
		return
	}
	o.recorded(ctx, took, became[0], now)
}

// recorded does what follows from an acceptance that is on disk.
func (o *Outbox) recorded(ctx context.Context, took Acceptance, became Accepting, now time.Time) {
	if became.State == "" { // the row is gone, and nobody can ask for it
		o.room.Add(1)
		return
	}
	d, a := took.Delivery, took.Attempt
	d.end(Accepted, now)
	d.Provider, d.Ref, d.State, d.Tries = a.Provider, a.Ref, became.State, became.Tries
	o.follow(ctx, d, a)
	if became.State == Accepted {
		o.track(d, a)
	}
}

// recordFailure writes an attempt that failed and does what follows from it.
func (o *Outbox) recordFailure(ctx context.Context, d Delivery, t tried) {
	a := t.attempt
	var after Delivery
	err := o.insist(ctx, d, func() (err error) {
		now := o.Now()
		after, err = o.store.Fail(context.WithoutCancel(ctx), a, o.token, func(d *Delivery) {
			d.Step = t.step // providers that are down were passed over
			judge(d, t.fault, now)
		})
		return err
	})
	if err != nil {
		o.room.Add(1)
		return
	}
	after.Message, after.Hedge, after.AwaitedUntil = d.Message, d.Hedge, d.AwaitedUntil
	o.follow(ctx, after, a)
}

// follow goes on after an attempt that is on disk. Callers who wait are told only what is.
func (o *Outbox) follow(ctx context.Context, after Delivery, a Attempt) {
	faultpoint.Here("record.after_commit")
	a.N = after.Tries
	o.logAttempt(ctx, &after, &a)
	if o.Observe != nil {
		o.Observe(after, a)
	}
	if after.State == Sending && after.Lease == o.token {
		o.HandOver(after)
		return
	}
	after.Message = nil
	o.room.Add(1)
	if after.State.Final() {
		o.watches.tell(after)
		return
	}
	o.wakeAt(after.DueAt)
}

// insist writes again and again while the store fails: the row stays leased to this process, and nobody else may send
// it meanwhile. An error means that this process is ending; when the lease lapses another takes the row up, which may
// send the message twice.
func (o *Outbox) insist(ctx context.Context, d Delivery, write func() error) error {
	for tries := 1; ; tries++ {
		err := write()
		if err == nil || errors.Is(err, ErrNoDelivery) {
			return err
		}
		o.Log.ErrorContext(ctx, "record attempt", "delivery", d.ID, "passcode_id", d.Challenge, "error", err)
		select {
		case <-time.After(backoff(soon, tries) / 10):
		case <-ctx.Done():
			return err
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

// The bounds, in bytes, of what is kept of a provider's words.
const (
	maxCode   = 60
	maxDetail = 300
	maxRef    = 200
)

// cut brings what a provider said into a form that every store takes: at most n bytes, valid UTF-8, no NUL.
func cut(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

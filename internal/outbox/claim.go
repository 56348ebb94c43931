package outbox

import (
	"context"
	"time"

	"github.com/otpost/otpost/internal/faultpoint"
)

// claimLoop takes up due rows until ctx ends: retries of this process, rows that had no room when they were written,
// and rows of processes that died.
func (o *Outbox) claimLoop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.wake:
		case <-timer.C:
		}
		o.down.refresh(ctx)
		timer.Reset(o.claimDue(ctx))
	}
}

// claimDue claims while there are due rows and room, and returns when to look again.
func (o *Outbox) claimDue(ctx context.Context) time.Duration {
	for ctx.Err() == nil {
		n := o.takeUpTo(claimBatch)
		if n == 0 {
			return o.Poll // a worker that has room again has also something to do
		}
		now := o.Now()
		claimed, examined, err := o.store.Claim(ctx, o.token, now, now.Add(o.Lease), n)
		o.room.Add(int64(n - len(claimed)))
		if len(claimed) > 0 {
			faultpoint.Here("claim.after_commit")
		}
		for _, d := range claimed {
			o.HandOver(d)
		}
		if err != nil {
			if ctx.Err() == nil {
				o.Log.ErrorContext(ctx, "claim deliveries", "error", err)
			}
			return o.Poll
		}
		if examined < n {
			break
		}
	}
	return o.untilDue(ctx)
}

func (o *Outbox) takeUpTo(n int) int {
	for taken := range n {
		if !o.take() {
			return taken
		}
	}
	return n
}

func (o *Outbox) untilDue(ctx context.Context) time.Duration {
	due, err := o.store.NextDue(ctx, o.token)
	if err != nil || due.IsZero() {
		return o.Poll
	}
	return min(o.Poll, max(due.Sub(o.Now()), time.Millisecond))
}

package load

import (
	"context"
	"sync/atomic"
	"time"
)

// pace says when cycles begin. Workers share it.
type pace struct {
	start time.Time
	end   time.Time
	// gap is the time between two arrivals of the open loop, 0 in the closed loop.
	gap  time.Duration
	next atomic.Int64
}

func newPace(plan Plan, start time.Time) *pace {
	p := &pace{start: start, end: start.Add(plan.Duration)}
	if plan.Rate > 0 {
		p.gap = max(1, time.Duration(float64(time.Second)/plan.Rate))
	}
	return p
}

// take returns when the caller's next cycle should begin, having waited until then, or false when the run is over. In
// the open loop that time may be long past: every worker was busy. The closed loop has one cycle, however short the run.
func (p *pace) take(ctx context.Context) (time.Time, bool) {
	if p.gap == 0 {
		now := time.Now()
		first := p.next.Add(1) == 1
		return now, (first || now.Before(p.end)) && ctx.Err() == nil
	}
	due := p.start.Add(time.Duration(p.next.Add(1)-1) * p.gap)
	if !due.Before(p.end) {
		return due, false
	}
	if early := time.Until(due); early > 0 {
		time.Sleep(early)
	}
	return due, ctx.Err() == nil
}

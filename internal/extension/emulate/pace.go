package emulate

import (
	"context"
	"time"
)

// pace spreads events over time: so many begin in each second, however long those before them take.
type pace struct {
	began time.Time
	rate  int
}

func newPace(rate int) *pace { return &pace{time.Now(), rate} }

// await returns when the event of that number is due, or false when ctx has ended.
func (p *pace) await(ctx context.Context, number int) bool {
	if p.rate == 0 {
		return ctx.Err() == nil
	}
	due := p.began.Add(time.Duration(number-1) * time.Second / time.Duration(p.rate))
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

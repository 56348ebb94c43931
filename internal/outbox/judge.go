package outbox

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Passcodes live minutes, so tries follow each other in seconds. The second list is for failures that wait for
// somebody to mend an account.
var (
	soon = []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second, 30 * time.Second}
	slow = []time.Duration{15 * time.Second, 30 * time.Second, time.Minute}
	// late is for events, which a customer's server may get hours later (Standard Webhooks, "Retry schedule").
	late = []time.Duration{5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour}
)

// backoff is how long to wait after a number of tries: a step of the list and up to half of it more, so that deliveries
// that failed together do not come back together.
func backoff(steps []time.Duration, tries int) time.Duration {
	step := steps[min(max(tries-1, 0), len(steps)-1)]
	return step + rand.N(step/2)
}

// judge moves a delivery by what a failed attempt proved. That a provider accepted is nothing to judge: see
// Store.Accept.
func judge(d *Delivery, fault *Fault, now time.Time) {
	if d.State.Final() {
		return
	}
	d.Uncertain = d.Uncertain || fault.Class == Ambiguous
	class := classes[fault.Class]
	if d.Channel == Event {
		class.retry = true // whatever its server says, its programmer may mend it
	}
	if !class.retry && (!class.failover || len(d.Route) == 1) {
		d.end(Failed, now)
		return
	}
	step := d.Step + 1
	if !class.retry { // it would say the same again; the next provider takes its place
		d.Route = slices.Delete(slices.Clone(d.Route), d.Step, d.Step+1)
		step--
	}
	if step < len(d.Route) {
		d.Step = step
		return // still leased: the next provider is tried at once
	}
	steps := soon
	switch {
	case d.Channel == Event:
		steps = late
	case class.slow:
		steps = slow
	}
	next := now.Add(max(backoff(steps, d.Tries), fault.RetryAfter))
	switch {
	case !next.Before(d.Deadline):
		d.end(Stale, now)
	case !d.AnswerBy.IsZero() && next.After(d.AnswerBy) && (!d.Uncertain || now.After(d.AnswerBy)):
		// Proved unsent while its caller waits, or its caller has used its fallback: what follows is the caller's.
		d.end(Failed, now)
	default:
		d.Step, d.State, d.DueAt, d.Lease = 0, Queued, next, ""
	}
}

func (d *Delivery) end(s State, now time.Time) { d.State, d.EndedAt, d.Lease = s, now, "" }

// settle ends a caller's wait. Whatever nobody has begun to send is proved unsent, and stays so. What was handed over is
// left alone: another caller, whose repeat joined the delivery, may have been told "sent" because of it.
func settle(d *Delivery, unbegun, handOver bool, now time.Time) {
	switch {
	case d.State.Final(), d.AnswerBy.IsZero():
	case unbegun, d.State == Queued && (!d.Uncertain || !handOver):
		d.end(Failed, now)
	case handOver:
		d.AnswerBy = time.Time{}
	}
}

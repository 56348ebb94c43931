// Package load drives a passcode server through its REST API and keeps count of what becomes of every passcode.
//
// A load is made of cycles, and a cycle is right or wrong as a whole:
//
//	W1  issue a passcode for a fresh address
//	W2  issue, take the code from the mail, verify it
//	W3  issue, take the code, spend every try on wrong codes, see the right one refused
//
// The closed loop starts a cycle when the worker's last one is over. The open loop starts cycles at fixed times,
// whatever became of earlier ones, and measures from the time a cycle should have started: a server that stalls is
// charged for every cycle it kept waiting.
package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Kind is what a cycle does.
type Kind string

// The kinds. Trivial posts the same request as W1 to a handler that sends no mail.
const (
	Trivial Kind = "trivial"
	W1      Kind = "w1"
	W2      Kind = "w2"
	W3      Kind = "w3"
)

// MaxWorkers is how many workers one run may have.
const MaxWorkers = 999

// Target is the server under load.
type Target struct {
	// Addrs are host and port of each of its nodes; workers take turns at them.
	Addrs []string
	// Key is the API key to call with.
	Key string
}

// addr is the node that a worker calls.
func (t Target) addr(worker int) string { return t.Addrs[worker%len(t.Addrs)] }

// Plan is one run.
type Plan struct {
	Kind     Kind
	Workers  int
	Duration time.Duration
	// Rate is the arrivals a second of an open loop, 0 for the closed loop.
	Rate float64
	// Patience is how long a code may take to arrive before it counts as missing.
	Patience time.Duration
}

// Run drives the target until the plan's time is over, every cycle begun is finished, and every accepted passcode has
// arrived or patience is at an end. Its error says that nothing could be measured; what went wrong within the run is
// in the outcome.
func Run(ctx context.Context, target Target, post *Post, plan Plan) (*Outcome, error) {
	cycle, ok := cycles()[plan.Kind]
	if !ok {
		return nil, fmt.Errorf("run load: %q is none of trivial, w1, w2, w3", plan.Kind)
	}
	if plan.Workers < 1 || plan.Workers > MaxWorkers {
		return nil, fmt.Errorf("run load: %d workers, want 1 to %d", plan.Workers, MaxWorkers)
	}
	if len(target.Addrs) == 0 {
		return nil, errors.New("run load: no address to call")
	}
	ledger, err := post.open(plan.Workers)
	if err != nil {
		return nil, fmt.Errorf("run load: %w", err)
	}
	workers := make([]*worker, plan.Workers)
	for i := range workers {
		workers[i] = newWorker(ctx, target, plan, ledger, i)
		if err := workers[i].connect(); err != nil {
			return nil, fmt.Errorf("run load: connect to server: %w", err)
		}
		defer workers[i].disconnect()
	}

	start := time.Now()
	pace := newPace(plan, start)
	var done sync.WaitGroup
	for _, w := range workers {
		done.Go(func() { w.work(pace, cycle) })
	}
	done.Wait()
	finished := time.Since(start)
	ledger.drain(ctx, plan.Patience)
	if ctx.Err() != nil {
		return nil, errors.New("run load: interrupted")
	}
	return newOutcome(workers, ledger, max(finished, ledger.lastArrival().Sub(start))), nil
}

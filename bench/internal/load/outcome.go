package load

import (
	"time"

	"github.com/otpost/otpost/bench/internal/latency"
)

// Step is a part of a cycle that is timed by itself.
type Step int

// The steps. Issue and Cycle are measured from when the cycle should have begun, Deliver from then to the arrival of
// the code, Verify from when the request could be sent, which is when the code was in the worker's hands. Where issuing
// is all of a cycle it is timed as Cycle only.
const (
	Issue Step = iota
	Deliver
	Verify
	Cycle
	stepCount
)

// Steps lists every step in the order of a cycle.
func Steps() []Step { return []Step{Issue, Deliver, Verify, Cycle} }

func (s Step) String() string { return [stepCount]string{"issue", "deliver", "verify", "cycle"}[s] }

// Latencies are the histograms of all steps; a step that a load does not have counts nothing.
type Latencies [stepCount]*latency.Histogram

// NewLatencies makes empty histograms.
func NewLatencies() Latencies {
	var l Latencies
	for i := range l {
		l[i] = latency.New()
	}
	return l
}

// Merge adds what others counted, step by step.
func (l Latencies) Merge(other Latencies) {
	for i := range l {
		l[i].Merge(other[i])
	}
}

// Tally is what became of the passcodes of a run.
type Tally struct {
	// Accepted passcodes were answered 201.
	Accepted int64
	// Missing ones were accepted and never arrived.
	Missing int64
	// Surplus counts arrivals after the first.
	Surplus int64
	// Unaccepted ones arrived although the server did not say that it took them.
	Unaccepted int64
}

// Outcome is what a run measured.
type Outcome struct {
	// Cycles is how many went right.
	Cycles int64
	// Elapsed is from the start to the end of the last cycle or the arrival of the last code, whichever was later.
	Elapsed   time.Duration
	Latencies Latencies
	// Troubles counts what went wrong, by what it was. No text holds a code or an address.
	Troubles map[string]int64

	ledger *ledger
}

func newOutcome(workers []*worker, l *ledger, elapsed time.Duration) *Outcome {
	o := &Outcome{Elapsed: elapsed, Latencies: NewLatencies(), Troubles: map[string]int64{}, ledger: l}
	for i, w := range workers {
		o.Cycles += w.cycles
		o.Latencies.Merge(w.latencies)
		for what, n := range w.troubles {
			o.Troubles[what] += n
		}
		l.boxes[i].mergeLag(o.Latencies[Deliver])
	}
	return o
}

// mergeLag adds the box's delivery times to a histogram.
func (b *box) mergeLag(into *latency.Histogram) {
	b.mu.Lock()
	defer b.mu.Unlock()
	into.Merge(b.lag)
}

// Rate is the right cycles a second.
func (o *Outcome) Rate() float64 { return float64(o.Cycles) / o.Elapsed.Seconds() }

// Tally adds up the books as they stand now: a second copy may arrive long after the run.
func (o *Outcome) Tally() Tally {
	var sum Tally
	for i := range o.ledger.boxes {
		t := o.ledger.boxes[i].tally()
		sum.Accepted += t.Accepted
		sum.Missing += t.Missing
		sum.Surplus += t.Surplus
		sum.Unaccepted += t.Unaccepted
	}
	return sum
}

package load

import (
	"context"
	"sync"
	"time"

	"github.com/otpost/otpost/bench/internal/latency"
)

// A mark says what is known of one passcode: whether the server accepted it, and how often it arrived.
const (
	acceptedMark = 0x80
	arrivalsMask = 0x7f
)

// box is the mail of one worker.
type box struct {
	mu    sync.Mutex
	marks []uint8
	// begun is when each passcode's cycle began, in nanoseconds since the run did.
	begun []int64
	// lag is the time from a cycle's beginning to the arrival of its code.
	lag *latency.Histogram
	// wanted is the passcode whose code the worker waits for, -1 for none; it is handed over through codes.
	wanted int
	codes  chan Code
}

func newBox() box { return box{wanted: -1, codes: make(chan Code, 1), lag: latency.New()} }

// begin opens the next passcode's line and returns its number. With want the worker will wait for the code.
func (b *box) begin(at time.Duration, want bool) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.marks)
	b.marks = append(b.marks, 0)
	b.begun = append(b.begun, int64(at))
	select {
	case <-b.codes: // of a cycle that was given up
	default:
	}
	b.wanted = -1
	if want {
		b.wanted = n
	}
	return n
}

// accept marks a passcode as accepted and returns by how much what is owed changes.
func (b *box) accept(n int) int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.marks[n] |= acceptedMark
	if b.marks[n]&arrivalsMask > 0 {
		return 0
	}
	return 1
}

// arrive marks an arrival, hands the code over if it is waited for, and returns by how much what is owed changes.
func (b *box) arrive(n int, code []byte, at time.Duration) (change int64, first, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n >= len(b.marks) {
		return 0, false, false
	}
	if b.marks[n]&arrivalsMask < arrivalsMask {
		b.marks[n]++
	}
	if b.marks[n]&arrivalsMask > 1 {
		return 0, false, true
	}
	b.lag.Record(at - time.Duration(b.begun[n]))
	if b.wanted == n {
		b.wanted = -1
		b.codes <- newCode(code)
	}
	if b.marks[n]&acceptedMark != 0 {
		change = -1
	}
	return change, true, true
}

// wait returns the code that begin asked for.
func (b *box) wait(ctx context.Context, patience *time.Timer) (Code, bool) {
	select {
	case code := <-b.codes:
		return code, true
	case <-patience.C:
	case <-ctx.Done():
	}
	return Code{}, false
}

// tally adds up the box.
func (b *box) tally() Tally {
	b.mu.Lock()
	defer b.mu.Unlock()
	var t Tally
	for _, mark := range b.marks {
		accepted, arrivals := mark&acceptedMark != 0, int64(mark&arrivalsMask)
		switch {
		case accepted && arrivals == 0:
			t.Missing++
		case !accepted && arrivals > 0:
			t.Unaccepted++
		}
		if accepted {
			t.Accepted++
		}
		t.Surplus += max(0, arrivals-1)
	}
	return t
}

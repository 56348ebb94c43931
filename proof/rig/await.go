package rig

import (
	"testing"
	"time"
)

// Patience is how long a condition may take that has to come true. It is long enough for a busy machine, and nothing
// waits for it when all goes well.
const Patience = 60 * time.Second

// Await looks until done is true, and fails the test when that takes too long.
func Await(t testing.TB, what string, done func() bool) {
	t.Helper()
	AwaitFor(t, Patience, what, done)
}

// AwaitFor is Await with a patience of its own, for what is late by design.
func AwaitFor(t testing.TB, patience time.Duration, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("after %v still waiting for %s", patience, what)
		}
	}
}

// AwaitClosed waits for a channel to be closed.
func AwaitClosed(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	limit := time.NewTimer(Patience)
	defer limit.Stop()
	select {
	case <-c:
	case <-limit.C:
		t.Fatalf("after %v still waiting for %s", Patience, what)
	}
}

package e2e_test

import (
	"testing"
	"time"
)

// patience is how long a condition may take that has to come true. It is long enough for a busy machine, and nothing
// waits for it when all goes well.
const patience = 60 * time.Second

// await looks until done is true, and fails the test when that takes too long.
func await(t testing.TB, what string, done func() bool) {
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

// awaitClosed waits for a channel to be closed.
func awaitClosed(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-c:
	case <-limit.C:
		t.Fatalf("after %v still waiting for %s", patience, what)
	}
}

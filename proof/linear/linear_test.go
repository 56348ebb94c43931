package linear_test

import (
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// rounds is how many calls each client makes about one person.
const rounds = 10

// restarts are kills spread over a run, of one node after the other.
func (r *run) restarts(n int) (all []func()) {
	clocks := make([]time.Duration, len(r.cluster.nodes))
	for i, n := range r.cluster.nodes {
		clocks[i] = n.ahead
	}
	for i := range n {
		node := i % len(clocks)
		all = append(all, func() { r.cluster.restart(node, clocks[node]) })
	}
	return all
}

func TestOneProcess(t *testing.T) {
	t.Parallel()
	r := newRun(t, "sqlite", rig.NewSQLite(t), rig.Size(12, 400), timeless(), nil, 0)
	r.wanted = []string{"used", "locked", "cancelled", "locked_out", "ended", "replayed", "lost"}
	r.live(rounds, r.restarts(rig.Size(1, 25))...)
	r.check()
}

func TestThreeProcesses(t *testing.T) {
	t.Parallel()
	r := newRun(t, "postgres", rig.NewPostgres(t), rig.Size(12, 400), lenient(), nil, 0, 0, 0)
	r.wanted = []string{"used", "locked", "cancelled", "limit_reached", "throttled", "ended", "replayed"}
	r.live(rounds, r.restarts(rig.Size(1, 25))...)
	r.check()
}

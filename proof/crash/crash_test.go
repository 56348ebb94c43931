package crash_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// TestNothingAcceptedIsLost kills a server at every point that it passes while it is used. In the full form each crash
// is recovered from and judged by itself. In the short form each point has its turn on one of the databases, on the
// other the next day; crash follows crash, and the last server recovers from all.
func TestNothingAcceptedIsLost(t *testing.T) {
	t.Parallel()
	who := rig.NewIssuer(t)
	for kind, open := range map[string]func(testing.TB) *rig.Database{"sqlite": rig.NewSQLite, "postgres": rig.NewPostgres} {
		seen := &count{}
		t.Cleanup(func() { seen.figures(t, kind) })
		all := pointsOf(kind, traffic, silence, stopping, starting)
		if !rig.Full() {
			all = turns(kind, all)
		}
		for i, share := range shares(all, rig.Size(1, 3)) {
			t.Run(fmt.Sprintf("%s/%d", kind, i), func(t *testing.T) {
				t.Parallel()
				crashes(newWorld(t, open(t), who, seen), share)
			})
		}
		if rig.Full() { // the sweeper comes once a minute
			for _, at := range pointsOf(kind, sweeping) {
				t.Run(kind+"/"+at.name, func(t *testing.T) {
					t.Parallel()
					crashes(newWorld(t, open(t), who, seen), []point{at})
				})
			}
		}
	}
}

// turns are the points whose turn on a database is today.
func turns(kind string, all []point) (today []point) {
	day := time.Now().YearDay()
	if kind == "postgres" {
		day++
	}
	for i, p := range all {
		if p.only != "" || (i+day)%2 == 0 {
			today = append(today, p)
		}
	}
	return today
}

// shares deals points out.
func shares(all []point, n int) [][]point {
	dealt := make([][]point, n)
	for i, p := range all {
		dealt[i%n] = append(dealt[i%n], p)
	}
	return dealt
}

// crashes goes through points in one world.
func crashes(w *world, share []point) {
	for _, at := range share {
		for _, pass := range at.counts() {
			w.t.Logf("%s, pass %d", at.name, pass)
			w.crash(at, pass)
			if rig.Full() {
				w.recover()
			}
		}
	}
	w.recover()
}

package nodes_test

import (
	"testing"
	"time"

	"github.com/otpost/otpost/internal/store/pgtest"
	"github.com/otpost/otpost/proof/rig"
)

// TestAServerThatCannotBeWrittenIsLeft loses the primary without its connections ending: nodes have to find out, say
// that they are not ready, and leave for the promoted standby while the old server is still there.
func TestAServerThatCannotBeWrittenIsLeft(t *testing.T) {
	if !rig.Full() {
		t.Skip("in the full form: each way takes a pair of servers and half a minute")
	}
	for name, lose := range map[string]func(testing.TB, *pgtest.Server){
		// A planned change of the primary, or one that a supervisor took the role from.
		"readonly": func(t testing.TB, p *pgtest.Server) { p.ReadOnly(t) },
		// A machine that hangs: it takes connections and never answers.
		"silent": func(t testing.TB, p *pgtest.Server) { p.Freeze(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStory(t, cut{name: name})
			s.quotas.spend(2, 3)
			s.pass(20)
			lost := time.Now()
			lose(t, s.pair.Primary)
			s.promote(lost)
			s.quotas.spend(3*sends, 3*guesses)
			s.pass(40)
			s.l.stop()
			s.pair.Primary.Kill(t)
			s.quotas.judge()
			s.judge(lost)
			s.f.stop()
		})
	}
}

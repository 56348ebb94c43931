package linear_test

import (
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// Each node judges by its own clock, so what lasts a time lasts longer or shorter by the difference of two clocks. What
// must hold whatever the clocks say: a code verifies once, no try and no guess is free, no window grants more than its
// count, and a replaced or cancelled code is dead. While the difference is smaller than what a lease has to spare beyond
// the attempt, nobody takes up what another is sending, so no message is sent twice.

// TestClocksThatDiffer has the default lease, which lasts far longer than the clocks differ.
func TestClocksThatDiffer(t *testing.T) {
	t.Parallel()
	leases := rig.Settings{"lease": "30s", "attempt_timeout": "15s"}
	r := newRun(t, "skew", rig.NewPostgres(t), rig.Size(8, 200), lenient(), leases, 0, 3*time.Second, -2*time.Second)
	r.wanted = []string{"used", "cancelled", "ended", "replayed"}
	sentOnce := func() {
		twice := 0
		for _, messages := range r.sink.ByRecipient() {
			ids := map[string]bool{}
			for _, m := range messages {
				if ids[m.ID] {
					twice++
				}
				ids[m.ID] = true
			}
		}
		if twice > 0 {
			t.Errorf("%d messages were sent twice though nobody was killed", twice)
		}
	}
	r.live(rounds, append([]func(){sentOnce}, r.restarts(rig.Size(0, 6))...)...)
	r.check()
	rig.Await(t, "every delivery to end", func() bool {
		return r.db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE state IN ('queued', 'sending')`) == 0
	})
	if r.cluster.kills == 0 {
		sentOnce()
	}
}

// TestCodesExpire has one node whose clock is so far behind that what it issues has hardly begun when it is over for the
// other, and rules under which limits, budgets and intervals end as well.
func TestCodesExpire(t *testing.T) {
	t.Parallel()
	rules := hasty()
	rules.lockout = 0
	r := newRun(t, "expiry", rig.NewPostgres(t), rig.Size(8, 150), rules, nil, 0, 250*time.Millisecond-rules.lifetime)
	r.wanted = []string{"expired", "too_soon", "ended"}
	r.live(rounds, r.restarts(rig.Size(0, 6))...)
	r.check()
}

// TestAClockThatIsSet kills the one server of a file and starts it again with its clock set forward.
func TestAClockThatIsSet(t *testing.T) {
	t.Parallel()
	rules := hasty()
	r := newRun(t, "jumps", rig.NewSQLite(t), rig.Size(8, 150), rules, nil, 0)
	r.wanted = []string{"expired", "limit_reached", "lost"}
	var jumps []func()
	for i := range rig.Size(2, 12) {
		// What was issued just before has some tenths of a second to live, or none.
		ahead := time.Duration(i+1)*rules.lifetime - time.Duration(i%3)*300*time.Millisecond
		jumps = append(jumps, func() { r.cluster.restart(0, ahead) })
	}
	r.live(rounds, jumps...)
	r.check()
}

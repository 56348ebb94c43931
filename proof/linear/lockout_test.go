package linear_test

import (
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// TestLockOutsAndLookupsAcrossProcesses has issues meet the last wrong try of the same recipient, and verifies by address
// meet issues to it: nobody who is locked out is issued a passcode, and a recipient that has passcodes always has a newest.
func TestLockOutsAndLookupsAcrossProcesses(t *testing.T) {
	t.Parallel()
	r := newRun(t, "lockout", rig.NewPostgres(t), rig.Size(12, 200), timeless(), nil, 0, 0, 0)
	r.wanted = []string{"used", "locked", "locked_out", "ended", "replayed"}
	r.live(rounds, r.restarts(rig.Size(0, 6))...)
	r.check()
}

// Package linear_test holds what many callers are told at the same time against one passcode at a time: it records
// histories of the running program and has them checked for linearizability.
package linear_test

import (
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// The program is built with fault points because only then can its clock be set wrong.
func TestMain(m *testing.M) { rig.Main(m, "faultpoints") }

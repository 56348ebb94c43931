// Package crash_test kills otpost at every fault point, on SQLite and on PostgreSQL, starts it again, and holds it to
// its promise.
//
// The kill is a SIGKILL: what the process handed to the kernel stays. It proves the order of what is done, not that a
// disk keeps what fsync returned for.
package crash_test

import (
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

func TestMain(m *testing.M) { rig.Main(m, "faultpoints") }

// Package failover_test gives routes of two providers one that misbehaves, in each way it can, and holds otpost to what
// the second one is for: nothing is lost, little is late, and nothing comes twice without a reason.
package failover_test

import (
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// Package nodes proves that several otpost processes over one PostgreSQL keep otpost's promise and its limits while
// processes and database servers die.
package nodes_test

import (
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

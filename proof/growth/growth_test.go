// Package growth_test is the part of the proof that asks what becomes of otpost when much lies in its database: a
// million live passcodes, a million messages that wait, and what the sweeper has to forget.
package growth_test

import (
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

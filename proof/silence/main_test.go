// Package silence_test proves that no door tells a stranger who is known, and that no code is left behind.
package silence_test

import (
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

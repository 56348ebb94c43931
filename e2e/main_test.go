// Package e2e_test drives the otpost program as its users do: as a process of its own, over HTTP, mail and signals.
package e2e_test

import (
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

// Package faults_test runs otpost against mail servers and webhook receivers that misbehave in every way the field
// knows, and compares what otpost concludes with what those servers know to be true.
package faults_test

import (
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

func TestMain(m *testing.M) { rig.Main(m) }

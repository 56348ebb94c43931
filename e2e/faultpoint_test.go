package e2e_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// TestTheProgramHasNoFaultPoints searches the program, as it is shipped, for the variable and the names of the fault
// points. proof/crash finds them in its own build.
func TestTheProgramHasNoFaultPoints(t *testing.T) {
	t.Parallel()
	program, err := os.ReadFile(rig.Command(t, nil, "version").Path)
	if err != nil {
		t.Fatal(err)
	}
	words := append([]string{"OTPOST_FAULTPOINT"}, rig.FaultPoints(t)...)
	if len(words) < 20 {
		t.Fatalf("found only %q in the code", words)
	}
	for _, word := range words {
		if bytes.Contains(program, []byte(word)) {
			t.Errorf("the program holds %q", word)
		}
	}
}

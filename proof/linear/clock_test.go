package linear_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestOnlyTheProofHasAClockThatCanBeWrong wants that the program as it is shipped has the system's clock and no other.
func TestOnlyTheProofHasAClockThatCanBeWrong(t *testing.T) {
	files := func(tags string) []string {
		out, err := exec.Command("go", "list", "-tags", tags, "-f", `{{join .GoFiles "\n"}}`,
			"github.com/otpost/otpost/cmd/otpost").Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(out))
	}
	const right, wrong = "clock.go", "clock_faultpoints.go"
	if shipped := files(""); !slices.Contains(shipped, right) || slices.Contains(shipped, wrong) {
		t.Errorf("the program is built from %v, want %s and not %s", shipped, right, wrong)
	}
	if proved := files("faultpoints"); slices.Contains(proved, right) || !slices.Contains(proved, wrong) {
		t.Errorf("the proof's program is built from %v, want %s and not %s", proved, wrong, right)
	}
}

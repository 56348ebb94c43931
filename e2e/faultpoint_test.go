package e2e_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// faultpoint is a place in the code where a build for the proof can be told to die.
var faultpoint = regexp.MustCompile(`faultpoint\.Here\("([^"]+)"\)`)

// TestTheProgramHasNoFaultPoints searches the program, as it is shipped, for the variable and the names of the fault
// points. proof/crash finds them in its own build.
func TestTheProgramHasNoFaultPoints(t *testing.T) {
	t.Parallel()
	program, err := os.ReadFile(rig.Command(t, nil, "version").Path)
	if err != nil {
		t.Fatal(err)
	}
	words := []string{"OTPOST_FAULTPOINT"}
	for _, folder := range []string{"../internal", "../cmd"} {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" {
				return err
			}
			text, err := os.ReadFile(path)
			for _, match := range faultpoint.FindAllSubmatch(text, -1) {
				words = append(words, string(match[1]))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(words) < 20 {
		t.Fatalf("found only %q in the code", words)
	}
	for _, word := range words {
		if bytes.Contains(program, []byte(word)) {
			t.Errorf("the program holds %q", word)
		}
	}
}

package rig

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// faultPoint is a place in the code where a build for the proof can be told to die.
var faultPoint = regexp.MustCompile(`faultpoint\.Here\("([^"]+)"\)`)

// FaultPoints are the names of the fault points in the code of otpost, one for each place.
func FaultPoints(t testing.TB) (names []string) {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range programFolders() {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" {
				return err
			}
			text, err := os.ReadFile(path)
			for _, match := range faultPoint.FindAllSubmatch(text, -1) {
				names = append(names, string(match[1]))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

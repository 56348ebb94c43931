package front_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryProblemIsDescribed holds docs/problems.md, which the type of each problem leads to, against the codes in the
// source of the doors.
func TestEveryProblemIsDescribed(t *testing.T) {
	code := regexp.MustCompile(`(?:[Cc]ode: |kind\{http\.Status\w+, |\{http\.Status\w+, )"([a-z_]+)"`)
	used := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, match := range code.FindAllSubmatch(source, -1) {
			used[string(match[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^### ([a-z_]+)$`).FindAllSubmatch(page, -1) {
		described[string(match[1])] = true
	}
	if len(used) < 30 {
		t.Fatalf("only %d codes were found in the source; has their form changed?", len(used))
	}
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if !described[name] {
			t.Errorf("docs/problems.md says nothing of %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(described)) {
		if !used[name] {
			t.Errorf("docs/problems.md describes %s, which no door answers", name)
		}
	}
}

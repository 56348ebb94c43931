package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// advisoryRows is how many rows docs/advisories.md has: one for each entry of the study that it stands for.
const advisoryRows = 48

var (
	advisoryRow = regexp.MustCompile(`(?m)^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$`)
	// advisoryTest is a link to a test: its name, its file.
	advisoryTest = regexp.MustCompile("\\[`(TestAdvisory_\\w+)`\\]\\(([^)]+)\\)")
	declaredTest = regexp.MustCompile(`(?m)^func (TestAdvisory_\w+)\(t \*testing\.T\)`)
	// identifier is what an advisory is called by.
	identifier = regexp.MustCompile(`CVE-\d{4}-\d+|GHSA(?:-[0-9a-z]{4}){3}`)
)

// TestAdvisoriesHaveTheirTests holds docs/advisories.md to the tree: every row is there and has a test or says why it
// has none, every test that it names is declared in the file that the link leads to, and none is left out.
func TestAdvisoriesHaveTheirTests(t *testing.T) {
	page := read(t, "docs/advisories.md")
	next := 1
	for _, row := range advisoryRow.FindAllStringSubmatch(page, -1) {
		if row[1] != strconv.Itoa(next) {
			t.Errorf("row %s stands where row %d belongs", row[1], next)
		}
		next++
		if problem := wrongWith(row[2], row[4]); problem != "" {
			t.Errorf("row %s: %s", row[1], problem)
		}
	}
	if next != advisoryRows+1 || strings.Count(page, "\n| ") != advisoryRows+1 {
		t.Errorf("%d rows of the table can be read, want %d", next-1, advisoryRows)
	}
	listed := map[string]string{}
	for _, match := range advisoryTest.FindAllStringSubmatch(page, -1) {
		if file, twice := listed[match[1]]; twice {
			t.Errorf("%s is listed twice, in %s and in %s", match[1], file, match[2])
		}
		listed[match[1]] = filepath.ToSlash(filepath.Join("docs", match[2]))
	}
	declared := declaredAdvisories(t)
	for name, file := range listed {
		if !slices.Contains(declared[name], file) {
			t.Errorf("docs/advisories.md has %s in %s; it is in %q", name, file, declared[name])
		}
	}
	for name, files := range declared {
		if listed[name] == "" || len(files) != 1 {
			t.Errorf("%s, in %q, is listed in %q; each such test has one place and one link", name, files, listed[name])
		}
	}
}

// wrongWith judges a row: it has a test that is named after one of its advisories, or says what must hold one day.
func wrongWith(advisory, held string) string {
	tests := advisoryTest.FindAllStringSubmatch(held, -1)
	if len(tests) == 0 {
		if !strings.HasPrefix(held, "Cannot apply yet: ") || !strings.Contains(held, " must ") {
			return "it has no test, and does not say why it cannot apply yet and what must hold when it can"
		}
		return ""
	}
	for _, test := range tests {
		name := strings.TrimPrefix(test[1], "TestAdvisory_")
		named := slices.ContainsFunc(identifier.FindAllString(advisory, -1), func(id string) bool {
			return strings.HasPrefix(name, strings.ReplaceAll(id, "-", "_")+"_")
		})
		first, _, _ := strings.Cut(name, "_")
		if !named && !strings.Contains(advisory, first) {
			return test[1] + " is named after no advisory of this row"
		}
	}
	return ""
}

// declaredAdvisories are the tests of the tree that are named after an advisory, each with its files.
func declaredAdvisories(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		for _, match := range declaredTest.FindAllStringSubmatch(string(text), -1) {
			found[match[1]] = append(found[match[1]], filepath.ToSlash(name))
		}
		return err
	})
	if err != nil || len(found) < 40 {
		t.Fatalf("found %d tests: %v", len(found), err)
	}
	return found
}

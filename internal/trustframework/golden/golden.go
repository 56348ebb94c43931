// Package golden compares what policies come to with what archives say that they do, for tests.
package golden

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write anew what policies come to")

// Update says that what a test comes to is to be written, rather than compared.
func Update() bool { return *update }

// Archives runs play for each archive in testdata, of which there must be at least some, with the archive's files by their
// names. It returns the named sections of the archive, which are no files that it gets: what the others come to.
func Archives(t *testing.T, least int, sections []string, play func(t *testing.T, files fstest.MapFS) map[string]string) {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) < least {
		t.Fatalf("found %v, %v", paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive := parse(t, path)
			files := fstest.MapFS{}
			for _, f := range archive.Files {
				if !slices.Contains(sections, f.Name) {
					files[f.Name] = &fstest.MapFile{Data: f.Data}
				}
			}
			got := play(t, files)
			for _, name := range sections {
				section := find(archive, name)
				compare(t, name, got[name], string(section.Data))
				section.Data = []byte(got[name])
			}
			if *update {
				write(t, path, txtar.Format(archive))
			}
		})
	}
}

func parse(t *testing.T, path string) *txtar.Archive {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return archive
}

// find is a section of an archive. One that is not there is empty, and added.
func find(archive *txtar.Archive, name string) *txtar.File {
	at := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
	if at < 0 {
		at = len(archive.Files)
		archive.Files = append(archive.Files, txtar.File{Name: name})
	}
	return &archive.Files[at]
}

// Section is what an archive says in a section.
func Section(t *testing.T, path, name string) string {
	t.Helper()
	return string(find(parse(t, path), name).Data)
}

// File compares a text with a file's.
func File(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		write(t, path, []byte(got))
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, path, got, string(want))
}

func compare(t *testing.T, name, got, want string) {
	t.Helper()
	if got != want && !*update {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

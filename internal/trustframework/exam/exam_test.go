package exam_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/otpost/otpost/internal/trustframework"
)

var update = flag.Bool("update", false, "write anew what scripts come to")

// Each archive holds a script, what it came to in the section trace, and policies that it has beside those of
// testdata/policies.
func TestPolicies(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			r := newRig(t)
			files := shared(t)
			for _, f := range archive.Files {
				if strings.HasSuffix(f.Name, ".xml") {
					files[f.Name] = &fstest.MapFile{Data: f.Data}
				}
			}
			got := newScript(t, r, load(t, files, r.web.port)).play(string(part(archive, "script").Data))
			trace := part(archive, "trace")
			if want := string(trace.Data); got != want && !*update {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			trace.Data = []byte(got)
			if *update {
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// part finds a section of an archive, or adds it.
func part(archive *txtar.Archive, name string) *txtar.File {
	at := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
	if at < 0 {
		at = len(archive.Files)
		archive.Files = append(archive.Files, txtar.File{Name: name})
	}
	return &archive.Files[at]
}

// shared are the policies that any script may use.
func shared(t testing.TB) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	paths, err := filepath.Glob("testdata/policies/*.xml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no policies", err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(path)] = &fstest.MapFile{Data: data}
	}
	return files
}

func load(t testing.TB, files fstest.MapFS, port string) *trustframework.Set {
	t.Helper()
	set, err := trustframework.Load(files, trustframework.Options{Settings: map[string]string{"Port": port, "Tenant": "fabrikam.example"}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

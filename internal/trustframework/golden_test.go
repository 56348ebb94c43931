package trustframework_test

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

var update = flag.Bool("update", false, "write what policies come to anew")

// Each archive holds policy files, and in the sections problems and policies what they come to: the policies that no
// other builds on, with all that they inherit.
func TestPolicies(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) < 10 {
		t.Fatalf("found %v, %v", paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files := fstest.MapFS{}
			for _, f := range archive.Files {
				if f.Name != "problems" && f.Name != "policies" {
					files[f.Name] = &fstest.MapFile{Data: f.Data}
				}
			}
			set, err := trustframework.Load(files, trustframework.Options{Settings: map[string]string{"tenant": "contoso.example"}})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, path, archive, map[string]string{"problems": problems(set), "policies": policies(set)})
		})
	}
}

// compare holds sections to what came, or writes them anew.
func compare(t *testing.T, path string, archive *txtar.Archive, got map[string]string) {
	t.Helper()
	for _, name := range []string{"problems", "policies"} {
		at := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
		if at < 0 {
			at = len(archive.Files)
			archive.Files = append(archive.Files, txtar.File{Name: name})
		}
		if want := string(archive.Files[at].Data); want != got[name] && !*update {
			t.Errorf("%s are\n%s\nwant\n%s", name, got[name], want)
		}
		archive.Files[at].Data = []byte(got[name])
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func problems(set *trustframework.Set) string {
	var out strings.Builder
	for _, p := range set.Problems {
		out.WriteString(p.Weight.String() + " " + p.Error() + "\n")
	}
	return out.String()
}

func policies(set *trustframework.Set) string {
	var out strings.Builder
	for _, p := range set.Policies {
		if !slices.ContainsFunc(set.Policies, func(other *trustframework.Policy) bool { return other.Base == p }) {
			out.WriteString(dump(p))
		}
	}
	return out.String()
}

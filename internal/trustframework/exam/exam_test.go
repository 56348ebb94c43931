package exam_test

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/golden"
)

// Each archive holds a script, what it came to in the section trace, and policies that it has beside those of
// testdata/policies.
func TestPolicies(t *testing.T) {
	golden.Archives(t, 15, []string{"trace"}, func(t *testing.T, files fstest.MapFS) map[string]string {
		t.Parallel()
		script, ok := files["script"]
		if !ok {
			t.Fatal("no script")
		}
		all := shared(t)
		maps.Copy(all, files)
		r := newRig(t)
		return map[string]string{"trace": newScript(t, r, load(t, all, r.web.port)).play(string(script.Data))}
	})
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

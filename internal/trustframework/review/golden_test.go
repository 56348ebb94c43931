package review_test

import (
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/review"
)

var update = flag.Bool("update", false, "write what reviews say anew")

// Each archive holds policy files, and in the sections check and report what is said of them. A section only names what
// alone is looked at.
func TestReviews(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) < 4 {
		t.Fatalf("found %v, %v", paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files, only := fstest.MapFS{}, []string(nil)
			for _, f := range archive.Files {
				switch {
				case f.Name == "only":
					only = strings.Fields(string(f.Data))
				case f.Name != "check" && f.Name != "report":
					files[f.Name] = &fstest.MapFile{Data: f.Data}
				}
			}
			set := load(t, files)
			checked, err := review.Check(set, handlers(), review.Options{Only: only})
			if err != nil {
				t.Fatal(err)
			}
			report, err := review.Tell(set, handlers(), "")
			if err != nil {
				t.Fatal(err)
			}
			compare(t, path, archive, map[string]string{"check": written(checked), "report": written(report)})
		})
	}
}

func load(t *testing.T, files fstest.MapFS) *trustframework.Set {
	t.Helper()
	set, err := trustframework.Load(files, trustframework.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// written is the text of a result.
func written(r interface{ WriteText(w io.Writer) }) string {
	var b strings.Builder
	r.WriteText(&b)
	return b.String()
}

// compare holds sections to what came, or writes them anew.
func compare(t *testing.T, path string, archive *txtar.Archive, got map[string]string) {
	t.Helper()
	for _, name := range []string{"check", "report"} {
		at := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == name })
		if at < 0 {
			at = len(archive.Files)
			archive.Files = append(archive.Files, txtar.File{Name: name})
		}
		if want := string(archive.Files[at].Data); want != got[name] && !*update {
			t.Errorf("%s is\n%s\nwant\n%s", name, got[name], want)
		}
		archive.Files[at].Data = []byte(got[name])
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// handlers are those of three kinds. A profile whose metadata has Break or Warn is found to be so.
func handlers() map[string]execute.Handler {
	return map[string]execute.Handler{
		"Web.TPEngine.Providers.OneTimePasswordProtocolProvider": fake{},
		"Web.TPEngine.Providers.AadSsprProtocolProvider":         fake{},
		"Web.TPEngine.Providers.AzureActiveDirectoryProvider":    directory{},
	}
}

type fake struct{}

func (fake) Run(context.Context, *execute.Call) error { panic("a review runs nothing") }

func (fake) Check(p *trustframework.Policy, t *trustframework.TechnicalProfile) (found []trustframework.Problem) {
	for key, weight := range map[string]trustframework.Weight{"Break": trustframework.Broken, "Warn": trustframework.Odd} {
		if item, there := t.Metadata.Get(key); there {
			found = append(found, trustframework.Problem{At: item.At, Weight: weight, Reason: "has the setting " + key + " in the policy " + p.ID})
		}
	}
	for _, j := range p.Journeys {
		for _, s := range j.Steps {
			for _, x := range s.Exchanges {
				if x.TechnicalProfile == t.ID {
					found = append(found, trustframework.Problem{At: x.At, Weight: trustframework.Broken, Reason: "B2C fails at the step that calls " + t.ID})
				}
			}
		}
	}
	return found
}

func (fake) About(t *trustframework.TechnicalProfile) execute.About {
	operation, _ := t.Metadata.Get("Operation")
	return execute.About{Kind: "fake, " + operation.Value, B2C: "B2C does it.", Otpost: "otpost does it.", Entra: "Entra does not.", Differs: []string{"In one point."}}
}

// directory reads accounts and changes none.
type directory struct{ fake }

func (directory) Check(_ *trustframework.Policy, t *trustframework.TechnicalProfile) []trustframework.Problem {
	if operation, _ := t.Metadata.Get("Operation"); operation.Value != "Read" {
		return []trustframework.Problem{{At: operation.At, Weight: trustframework.Broken, Reason: "technical profile " + t.ID + ": its operation " + operation.Value + " changes accounts"}}
	}
	return nil
}

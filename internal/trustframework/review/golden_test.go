package review_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/golden"
	"github.com/otpost/otpost/internal/trustframework/review"
)

// Each archive holds policy files, and in the sections check and report what is said of them. A section only names what
// alone is looked at.
func TestReviews(t *testing.T) {
	golden.Archives(t, 4, []string{"check", "report"}, func(t *testing.T, files fstest.MapFS) map[string]string {
		var only []string
		if f := files["only"]; f != nil {
			only = strings.Fields(string(f.Data))
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
		return map[string]string{"check": written(checked), "report": written(report)}
	})
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

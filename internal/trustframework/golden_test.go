package trustframework_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/golden"
)

// Each archive holds policy files, and in the sections problems and policies what they come to: the policies that no
// other builds on, with all that they inherit.
func TestPolicies(t *testing.T) {
	golden.Archives(t, 10, []string{"problems", "policies"}, func(t *testing.T, files fstest.MapFS) map[string]string {
		set, err := trustframework.Load(files, trustframework.Options{Settings: map[string]string{"tenant": "contoso.example"}})
		if err != nil {
			t.Fatal(err)
		}
		return map[string]string{"problems": problems(set), "policies": policies(set)}
	})
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

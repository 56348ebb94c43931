package restful_test

import (
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/packs"
	"github.com/otpost/otpost/internal/trustframework/restful"
)

func TestPublicPacks(t *testing.T) {
	c := client(t, restful.Options{Keys: func(string) (string, bool) { return "key", true }})
	seen := map[trustframework.Origin]bool{}
	passed, refused := 0, map[string]int{}
	for _, pack := range packs.Read(t) {
		for _, p := range pack.Load(t).Policies {
			for _, profile := range p.TechnicalProfiles {
				at := profile.At
				if profile.Protocol.HandlerType() != restful.Kind || seen[at] {
					continue
				}
				seen[at] = true
				if about := c.About(profile); !strings.HasPrefix(about.Kind, "REST call") {
					t.Errorf("%s: is a %s", at, about.Kind)
				}
				graver := false
				for _, problem := range c.Check(p, profile) {
					if problem.At.Line == 0 {
						t.Errorf("%s: %v has no place", at, problem)
					}
					word, _, _ := strings.Cut(problem.Reason, ";")
					t.Logf("%s %s", problem.Weight, problem.Error())
					if problem.Weight != trustframework.Odd {
						graver = true
						refused[word]++
					}
				}
				if !graver {
					passed++
				}
			}
		}
	}
	t.Logf("%d profiles, %d pass; refused: %v", len(seen), passed, refused)
	if len(seen) < 65 || passed < 50 || len(refused) == 0 {
		t.Errorf("%d profiles, %d pass, %v", len(seen), passed, refused)
	}
}

package transform_test

import (
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/packs"
	"github.com/otpost/otpost/internal/trustframework/predicate"
	"github.com/otpost/otpost/internal/trustframework/transform"
)

// What this test holds is that nothing that can be run is called broken in the public packs; it tells how much can.
func TestPublicPacks(t *testing.T) {
	c := &count{t: t, seen: map[trustframework.Origin]bool{}, unknown: map[string]int{}, told: map[trustframework.Problem]bool{}}
	for _, p := range packs.Read(t) {
		c.check(p.Load(t))
	}
	if c.known < 470 {
		t.Errorf("%d transformations can be run", c.known)
	}
	t.Logf("%d transformations: %d can be run, of the others there are %v", len(c.seen), c.known, c.unknown)
}

type count struct {
	t       *testing.T
	seen    map[trustframework.Origin]bool
	known   int
	unknown map[string]int
	told    map[trustframework.Problem]bool
}

func (c *count) check(set *trustframework.Set) {
	leaned := map[*trustframework.Policy]bool{}
	for _, policy := range set.Policies {
		leaned[policy.Base] = true
	}
	for _, policy := range set.Policies {
		if leaned[policy] {
			continue
		}
		c.tell(predicate.Check(policy))
		for _, x := range policy.Transformations {
			problems := transform.Check(policy, x)
			runs := len(problems) != 1 || !strings.Contains(problems[0].Reason, "is not one that can be run")
			if runs {
				c.tell(problems)
			}
			switch {
			case c.seen[x.At]:
			case runs:
				c.known++
			default:
				c.unknown[x.Method]++
			}
			c.seen[x.At] = true
		}
	}
}

// tell logs what is odd, and fails for what is broken.
func (c *count) tell(problems []trustframework.Problem) {
	for _, problem := range problems {
		switch {
		case c.told[problem]:
		case problem.Weight == trustframework.Broken:
			c.t.Error(problem)
		default:
			c.t.Log(problem)
		}
		c.told[problem] = true
	}
}

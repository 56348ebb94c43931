package predicate

import (
	"fmt"

	"github.com/otpost/otpost/internal/trustframework"
)

// Check says which rules of a policy will not work, before a value is held to them.
func Check(p *trustframework.Policy) []trustframework.Problem {
	var found []trustframework.Problem
	broken := func(at trustframework.Origin, format string, args ...any) {
		found = append(found, trustframework.Problem{At: at, Weight: trustframework.Broken, Reason: fmt.Sprintf(format, args...)})
	}
	for _, t := range p.Claims {
		if t.Pattern.Expression == "" {
			continue
		}
		if _, err := Compile(t.Pattern.Expression); err != nil {
			broken(t.Pattern.At, "pattern of the claim type %s: %v", t.ID, err)
		}
	}
	for _, predicate := range p.Predicates {
		if _, err := prepare(predicate); err != nil {
			broken(predicate.At, "predicate %s: %v", predicate.ID, err)
		}
	}
	for _, v := range p.PredicateValidations {
		for _, g := range v.Groups {
			if g.AtLeast > len(g.Predicates) {
				broken(g.At, "predicate validation %s: the group %s wants %d predicates met and has %d, so that no value meets it", v.ID, g.ID, g.AtLeast, len(g.Predicates))
			}
		}
	}
	return found
}

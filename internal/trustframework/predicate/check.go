package predicate

import (
	"fmt"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
)

// Check says which rules of a policy will not work, before a value is held to them.
func Check(p *trustframework.Policy) []trustframework.Problem {
	var found []trustframework.Problem
	broken := func(at trustframework.Origin, format string, args ...any) {
		found = append(found, trustframework.Problem{At: at, Weight: trustframework.Broken, Reason: fmt.Sprintf(format, args...)})
	}
	for _, t := range p.Claims {
		if why := wrongMask(t.Mask); why != "" {
			found = append(found, trustframework.Problem{At: t.Mask.At, Weight: trustframework.Odd,
				Reason: fmt.Sprintf("mask of the claim type %s: %s; the whole value is hidden", t.ID, why)})
		}
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

// wrongMask says why a mask cannot be put over a value.
func wrongMask(m trustframework.Mask) string {
	switch {
	case !m.Given(), strings.EqualFold(m.Type, "Simple"):
		return ""
	case !strings.EqualFold(m.Type, "Regex"):
		return "its Type is neither Simple nor Regex"
	}
	if _, err := Mask(m.Expression, m.Text, ""); err != nil {
		return err.Error()
	}
	return ""
}

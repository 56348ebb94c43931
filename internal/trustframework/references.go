package trustframework

import (
	"fmt"
	"slices"
)

// checkReferences reports what a policy names and does not have. It looks at policies that no other builds on: a base
// may lean on what its extensions declare. A dangling reference harms only who follows it, and published policies have
// some, so the policy stays.
func (l *loader) checkReferences(policies []*Policy) {
	leaned, told := map[*Policy]bool{}, map[dangling]bool{}
	for _, p := range policies {
		leaned[p.Base] = true
	}
	for _, p := range policies {
		if !leaned[p] {
			(&referee{p, l.problems, told}).all()
		}
	}
}

// referee follows the references of one policy.
type referee struct {
	policy   *Policy
	problems *problems
	// told are those that were reported, whatever the policy: many policies share a base.
	told map[dangling]bool
}

// dangling is one reference to nothing.
type dangling struct {
	at   Origin
	what string
}

func (r *referee) all() {
	for _, c := range r.policy.Claims {
		r.want(c.PredicateValidation.At, "predicate validation", c.PredicateValidation.ID, has(r.policy.validations, c.PredicateValidation.ID))
	}
	for _, v := range r.policy.PredicateValidations {
		for _, g := range v.Groups {
			for _, p := range g.Predicates {
				r.want(p.At, "predicate", p.ID, has(r.policy.predicates, p.ID))
			}
		}
	}
	for _, t := range r.policy.Transformations {
		r.transformed(t.Inputs)
		r.transformed(t.Outputs)
	}
	for _, c := range r.policy.ContentDefinitions {
		for _, l := range c.Resources {
			r.want(l.At, "LocalizedResources", l.Resources, has(r.policy.Localization.byID, l.Resources))
		}
	}
	for _, d := range r.policy.DisplayControls {
		r.control(d)
	}
	for _, t := range r.policy.TechnicalProfiles {
		r.profile(t)
	}
	for _, j := range slices.Concat(r.policy.Journeys, r.policy.SubJourneys) {
		r.journey(j)
	}
	if p := r.policy.RelyingParty; p != nil {
		r.want(p.Journey.At, "journey", p.Journey.ID, has(r.policy.journeys, p.Journey.ID))
		if p.Profile != nil {
			r.profile(p.Profile)
		}
	}
}

func has[T any](in map[string]*T, id string) bool {
	_, there := find(in, id)
	return there
}

// want reports a name that there is nothing for. An empty one is another problem, or none.
func (r *referee) want(at Origin, what, id string, there bool) {
	if id != "" && !there && !r.told[dangling{at, what}] {
		r.told[dangling{at, what}] = true
		reason := fmt.Sprintf("the %s %s is not in the policy %s", what, id, r.policy.ID)
		r.problems.keep(Problem{At: at, Weight: Odd, Reason: reason, Dangling: true})
	}
}

func (r *referee) claim(at Origin, id string) { r.want(at, "claim", id, has(r.policy.claims, id)) }

func (r *referee) called(at Origin, id string) {
	r.want(at, "technical profile", id, has(r.policy.profiles, id))
}

func (r *referee) transformed(claims []TransformationClaim) {
	for _, c := range claims {
		r.claim(c.At, c.Claim)
	}
}

func (r *referee) mapped(claims []ClaimMapping) {
	for _, c := range claims {
		r.claim(c.At, c.Claim)
	}
}

func (r *referee) displayed(claims []DisplayClaim) {
	for _, c := range claims {
		r.claim(c.At, c.Claim)
		r.want(c.At, "display control", c.Control, has(r.policy.controls, c.Control))
	}
}

func (r *referee) validated(by []Validation) {
	for _, v := range by {
		r.called(v.At, v.TechnicalProfile)
	}
}

func (r *referee) control(d *DisplayControl) {
	r.mapped(d.InputClaims)
	r.displayed(d.DisplayClaims)
	r.mapped(d.OutputClaims)
	for _, a := range d.Actions {
		r.validated(a.Validations)
	}
}

func (r *referee) profile(t *TechnicalProfile) {
	for _, c := range slices.Concat(t.InputTransformations, t.OutputTransformations) {
		r.want(c.At, "claims transformation", c.ID, has(r.policy.transformations, c.ID))
	}
	r.mapped(t.InputClaims)
	r.displayed(t.DisplayClaims)
	r.mapped(t.PersistedClaims)
	r.mapped(t.OutputClaims)
	r.validated(t.Validations)
	r.called(t.Session.At, t.Session.ID)
}

func (r *referee) journey(j *Journey) {
	for _, s := range j.Steps {
		r.want(s.At, "content definition", s.ContentDefinition, has(r.policy.definitions, s.ContentDefinition))
		r.called(s.At, s.Issuer)
		for _, x := range s.Exchanges {
			r.called(x.At, x.TechnicalProfile)
		}
		for _, sub := range s.SubJourneys {
			r.want(sub.At, "sub-journey", sub.ID, has(r.policy.subJourneys, sub.ID))
		}
	}
}

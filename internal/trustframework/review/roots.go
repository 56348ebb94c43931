package review

import (
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// roots are what a caller of otpost may ask a policy for.
type roots struct {
	controls []*trustframework.DisplayControl
	profiles []*trustframework.TechnicalProfile
	// narrow: nothing else is looked at.
	narrow bool
}

// rootsOf are all display controls and all profiles that otpost has a handler for, or of those that are named what the
// policy has. Directory profiles are not among them: most change accounts, and harm only what calls them.
func rootsOf(p *trustframework.Policy, handlers map[string]execute.Handler, only []string) roots {
	if len(only) > 0 {
		return named(p, only)
	}
	r := roots{controls: p.DisplayControls}
	for _, t := range p.TechnicalProfiles {
		if kind := kindOf(t); own(kind) || handlers[kind] != nil && kind != handlerDirectory {
			r.profiles = append(r.profiles, t)
		}
	}
	return r
}

func named(p *trustframework.Policy, only []string) roots {
	r := roots{narrow: true}
	for _, id := range only {
		if d, there := p.DisplayControl(id); there {
			r.controls = append(r.controls, d)
		}
		if t, there := p.TechnicalProfile(id); there {
			r.profiles = append(r.profiles, t)
		}
	}
	return r
}

// nowhere is the first name that no policy has anything for, "" if there is none.
func nowhere(policies []*trustframework.Policy, only []string) string {
	for _, id := range only {
		if !slices.ContainsFunc(idsOf(policies), func(known string) bool { return same(known, id) }) {
			return id
		}
	}
	return ""
}

// idsOf are the ids of what can be run.
func idsOf(policies []*trustframework.Policy) []string {
	var ids []string
	for _, p := range policies {
		for _, d := range p.DisplayControls {
			ids = append(ids, d.ID)
		}
		for _, t := range p.TechnicalProfiles {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// sharedIn are the profiles, by id in lower case, that others include and nothing calls.
func sharedIn(p *trustframework.Policy) map[string]bool {
	shared := map[string]bool{}
	for _, t := range p.TechnicalProfiles {
		if t.Includes.ID != "" {
			shared[trustframework.Fold(t.Includes.ID)] = true
		}
	}
	called := func(by []trustframework.Validation) {
		for _, v := range by {
			delete(shared, trustframework.Fold(v.TechnicalProfile))
		}
	}
	for _, t := range p.TechnicalProfiles {
		called(t.Validations)
	}
	for _, d := range p.DisplayControls {
		for _, a := range d.Actions {
			called(a.Validations)
		}
	}
	for _, journey := range slices.Concat(p.Journeys, p.SubJourneys) {
		for _, step := range journey.Steps {
			for _, x := range step.Exchanges {
				delete(shared, trustframework.Fold(x.TechnicalProfile))
			}
		}
	}
	return shared
}

// reached are the places of references in what otpost runs. A reference to what is not there harms only there.
type reached map[trustframework.Origin]bool

func (r reached) mapped(claims []trustframework.ClaimMapping) {
	for _, c := range claims {
		r[c.At] = true
	}
}

func (r reached) displayed(claims []trustframework.DisplayClaim) {
	for _, c := range claims {
		r[c.At] = true
	}
}

func (r reached) validated(by []trustframework.Validation) {
	for _, v := range by {
		r[v.At] = true
	}
}

func (r reached) profile(t *trustframework.TechnicalProfile) {
	for _, ref := range slices.Concat(t.InputTransformations, t.OutputTransformations) {
		r[ref.At] = true
	}
	r.mapped(t.InputClaims)
	r.displayed(t.DisplayClaims)
	r.mapped(t.OutputClaims)
	if kindOf(t) == execute.SelfAsserted {
		r.validated(t.Validations)
	}
}

func (r reached) transformation(t *trustframework.ClaimsTransformation) {
	for _, c := range slices.Concat(t.Inputs, t.Outputs) {
		r[c.At] = true
	}
}

func (r reached) control(d *trustframework.DisplayControl) {
	r.mapped(d.InputClaims)
	r.displayed(d.DisplayClaims)
	r.mapped(d.OutputClaims)
	for _, a := range d.Actions {
		r.validated(a.Validations)
	}
}

func same(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) }

package review

import (
	"cmp"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
)

// count counts the journeys, each once.
func (j *judge) count() {
	for i, journey := range slices.Concat(j.policy.Journeys, j.policy.SubJourneys) {
		if j.journeys[journey.At] {
			continue
		}
		j.journeys[journey.At] = true
		if i < len(j.policy.Journeys) {
			j.counts.Journeys++
		} else {
			j.counts.SubJourneys++
		}
		for _, step := range journey.Steps {
			for _, x := range step.Exchanges {
				j.counts.Exchanges++
				if t, there := j.policy.TechnicalProfile(x.TechnicalProfile); there && j.why[t] == "" && j.judged(t) {
					j.counts.Runnable++
				}
			}
		}
	}
}

// review puts together what was found.
func (c *checker) review(set *trustframework.Set, policies []*trustframework.Policy, o Options) *Review {
	r := &Review{Journeys: c.counts}
	files := map[string]*Policy{}
	for _, p := range set.Policies {
		if o.Policy != "" && !builds(policies[0], p) {
			continue
		}
		made := &Policy{At: p.At, ID: p.ID}
		if p.Base != nil {
			made.Base = p.Base.ID
		}
		files[p.At.File] = made
		r.Policies = append(r.Policies, made)
	}
	for _, e := range c.seen {
		if p := files[e.At.File]; p != nil {
			p.Elements = append(p.Elements, e)
		}
	}
	for _, p := range r.Policies {
		slices.SortFunc(p.Elements, func(a, b *Element) int {
			return cmp.Or(compareOrigins(a.At, b.At), strings.Compare(a.ID, b.ID), strings.Compare(a.Action, b.Action))
		})
	}
	slices.SortFunc(r.Policies, func(a, b *Policy) int { return cmp.Compare(a.At.File, b.At.File) })
	for _, p := range set.Problems {
		if o.Policy != "" && files[p.At.File] == nil {
			continue
		}
		c.loaded(p, r, len(o.Only) > 0)
	}
	r.Foreign = c.foreign.sorted()
	for _, k := range r.Foreign {
		for _, p := range k.problems() {
			c.findings.add(p, "")
		}
	}
	r.Findings = c.findings.sorted()
	return r
}

// loaded keeps a problem that loading found. A reference to what is not there counts where it is followed.
func (c *checker) loaded(p trustframework.Problem, r *Review, narrow bool) {
	switch {
	case p.Dangling && !c.reached[p.At]:
		if !narrow {
			r.Aside = append(r.Aside, p)
		}
		return
	case p.Dangling && !strings.HasPrefix(p.Reason, "the claim "):
		p.Weight = trustframework.Broken
		p.Reason += "; what refers to it is refused when it comes to it"
	case narrow && p.Weight < trustframework.Refused:
		return
	}
	c.findings.add(p, "")
}

// builds says that a policy is another, or builds on it.
func builds(p, on *trustframework.Policy) bool {
	for ; p != nil; p = p.Base {
		if p == on {
			return true
		}
	}
	return false
}

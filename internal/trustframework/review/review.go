// Package review says what of B2C policies otpost runs and what it does not, and why, before anything is run.
package review

import (
	"slices"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// Options narrow a review. The zero value reviews all.
type Options struct {
	// Policy is the one that is reviewed, as trustframework.Set.Policy takes it. Empty is each that no other builds on.
	Policy string
	// Only are ids of display controls and technical profiles: nothing is looked at but what they reach.
	Only []string
}

// Verdict is what becomes of an element.
type Verdict string

// The verdicts.
const (
	// Runs: otpost runs it, as far as can be told before it is run.
	Runs Verdict = "runs"
	// Fails: otpost has a handler for it, and a call will be refused, at once or when it comes to what stands in the way.
	Fails Verdict = "fails"
	// Shared: it is no whole profile, but one that others include, and nothing calls it.
	Shared Verdict = "shared"
	// Foreign: it is of a kind that otpost does not run.
	Foreign Verdict = "foreign"
)

// Kind is what an element is.
type Kind string

// The kinds of elements that are judged.
const (
	TechnicalProfile Kind = "technical profile"
	DisplayControl   Kind = "display control action"
	// Control is a display control without actions, which a page only shows.
	Control Kind = "display control"
)

// Element is one technical profile, one action of a display control, or a control that has none, where it is declared.
// Policies that inherit it share it; it runs only if it does in each of them.
type Element struct {
	At   trustframework.Origin
	Kind Kind
	// ID is the id; Action is SendCode or VerifyCode as it is written, of display controls alone.
	ID, Action string
	Verdict    Verdict
	// Why says what stands in the way of one that fails. It goes on from the id.
	Why string
	// Handler is the kind of a technical profile: the .NET type, or the protocol's name where there is none.
	Handler string
}

// Policy is one policy of the set.
type Policy struct {
	At       trustframework.Origin
	ID, Base string
	// Elements are those that its own file declares last, in the order of lines.
	Elements []*Element
}

// Journeys counts what otpost does not run at all.
type Journeys struct {
	Journeys, SubJourneys int
	// Exchanges are the calls of technical profiles in their steps, Runnable those of profiles that run.
	Exchanges, Runnable int
}

// Review is what came of it.
type Review struct {
	// Policies are by file, those too that others build on.
	Policies []*Policy
	// Findings are by file and line of their first place.
	Findings []*Finding
	// Foreign are the kinds of technical profiles that otpost does not run, those that are reached first.
	Foreign  []*ForeignKind
	Journeys Journeys
	// Aside are references to what is not there, in elements that otpost does not run.
	Aside []trustframework.Problem
}

// Failed says that something is refused or will not run.
func (r *Review) Failed() bool {
	return slices.ContainsFunc(r.Findings, func(f *Finding) bool { return f.Weight >= trustframework.Broken })
}

// Count says how many elements of a kind got a verdict.
func (r *Review) Count(k Kind, v Verdict) int {
	n := 0
	for _, p := range r.Policies {
		for _, e := range p.Elements {
			if e.Kind == k && e.Verdict == v {
				n++
			}
		}
	}
	return n
}

// Check reviews a set. Its error is about the options: a policy or an id that is not there.
func Check(set *trustframework.Set, handlers map[string]execute.Handler, o Options) (*Review, error) {
	policies, err := chosen(set, o.Policy)
	if err != nil {
		return nil, err
	}
	if id := nowhere(policies, o.Only); id != "" {
		return nil, unread(set, unknown("display control or technical profile", id, idsOf(policies)))
	}
	c := newChecker(handlers)
	for _, p := range policies {
		c.policy(p, rootsOf(p, handlers, o.Only))
	}
	return c.review(set, policies, o), nil
}

// chosen are the policies that are reviewed: what a base declares is judged as its extensions make it.
func chosen(set *trustframework.Set, id string) ([]*trustframework.Policy, error) {
	if id != "" {
		p, err := Find(set, id)
		return []*trustframework.Policy{p}, err
	}
	leaned := map[*trustframework.Policy]bool{}
	for _, p := range set.Policies {
		leaned[p.Base] = true
	}
	return slices.DeleteFunc(slices.Clone(set.Policies), func(p *trustframework.Policy) bool { return leaned[p] }), nil
}

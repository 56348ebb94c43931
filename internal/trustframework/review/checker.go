package review

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/predicate"
	"github.com/otpost/otpost/internal/trustframework/transform"
)

// checker goes through policies, one after the other.
type checker struct {
	handlers map[string]execute.Handler
	findings findings
	foreign  foreigners
	reached  reached
	// seen are elements by where they are declared, whichever policies inherit them.
	seen     map[elementKey]*Element
	journeys map[trustframework.Origin]bool
	counts   Journeys
}

type elementKey struct {
	at     trustframework.Origin
	kind   Kind
	action string
}

func newChecker(handlers map[string]execute.Handler) *checker {
	return &checker{handlers: handlers, reached: reached{}, seen: map[elementKey]*Element{}, journeys: map[trustframework.Origin]bool{}}
}

// judge is the checker of one policy.
type judge struct {
	*checker
	policy *trustframework.Policy
	// why says why a profile fails, "" if it runs; a profile that is being judged is in it as one that runs.
	why map[*trustframework.TechnicalProfile]string
	// steps are the places where steps of journeys call profiles.
	steps map[trustframework.Origin]bool
}

func (c *checker) policy(p *trustframework.Policy, r roots) {
	j := &judge{c, p, map[*trustframework.TechnicalProfile]string{}, map[trustframework.Origin]bool{}}
	for _, journey := range slices.Concat(p.Journeys, p.SubJourneys) {
		for _, step := range journey.Steps {
			for _, x := range step.Exchanges {
				j.steps[x.At] = true
			}
		}
	}
	for _, d := range r.controls {
		j.control(d)
	}
	shared := sharedIn(p)
	for _, t := range r.profiles {
		if !r.narrow && shared[trustframework.Fold(t.ID)] && !j.whole(t) {
			j.element(Element{At: t.At, Kind: TechnicalProfile, ID: t.ID, Verdict: Shared, Handler: kindOf(t)})
			continue
		}
		if why, foreign := j.refusal(t); foreign {
			j.foreign.reach(t, Call{At: t.At, From: "a caller of otpost", Profile: t.ID, Why: why})
		}
		j.profile(t)
	}
	for _, found := range predicate.Check(p) {
		j.findings.add(found, p.ID)
	}
	j.lint(r)
	if r.narrow {
		return
	}
	j.count()
	for _, t := range p.TechnicalProfiles {
		if refusal, foreign := j.refusal(t); foreign || refusal != "" {
			c.foreign.profile(t)
			j.strange(t)
			c.element(Element{At: t.At, Kind: TechnicalProfile, ID: t.ID, Verdict: Foreign, Handler: kindOf(t)})
		}
	}
}

// element keeps a verdict. One that fails in any policy fails.
func (c *checker) element(e Element) {
	key := elementKey{e.At, e.Kind, e.Action}
	if before := c.seen[key]; before == nil {
		c.seen[key] = &e
	} else if before.Verdict == Runs {
		*before = e
	}
}

// strange finds a profile of a kind that is known to nobody here: most are misspelt.
func (j *judge) strange(t *trustframework.TechnicalProfile) {
	kind := kindOf(t)
	if knownForeign(kind) || slices.Contains(schemaAlone, kind) {
		return
	}
	reason := "technical profile " + t.ID + ": its handler or protocol " + kind + " is known neither to otpost nor from the documentation of B2C"
	if kind == "Proprietary" {
		reason = "technical profile " + t.ID + ": its Protocol is Proprietary and has no Handler, which would say what it is"
	}
	known := []string{short(execute.SelfAsserted), short(execute.Transformation)}
	for _, k := range slices.Concat(slices.Collect(maps.Keys(j.handlers)), slices.Collect(maps.Keys(foreign))) {
		known = append(known, short(k))
	}
	slices.Sort(known)
	if near := suggest.Sure(short(kind), known); near != "" {
		reason += "; did you mean " + near + "?"
	}
	j.findings.add(trustframework.Problem{At: t.At, Weight: trustframework.Broken, Reason: reason}, "")
}

// refusal says why a profile is not otpost's: its kind is foreign, or it is of the directory and its handler refuses it.
func (j *judge) refusal(t *trustframework.TechnicalProfile) (why string, foreign bool) {
	kind := kindOf(t)
	handler := j.handlers[kind]
	if handler == nil {
		return "", !own(kind)
	}
	if kind == handlerDirectory {
		for _, p := range handler.Check(j.policy, t) {
			if p.Weight >= trustframework.Broken {
				return strings.TrimPrefix(p.Reason, "technical profile "+t.ID+": "), true
			}
		}
	}
	return "", false
}

// whole says that nothing in a profile itself keeps it from running.
func (j *judge) whole(t *trustframework.TechnicalProfile) bool {
	handler := j.handlers[kindOf(t)]
	return handler == nil || !slices.ContainsFunc(handler.Check(j.policy, t), func(p trustframework.Problem) bool {
		return p.Weight >= trustframework.Broken
	})
}

// problems keeps what was found about a profile, and returns the first that keeps it from running. What is wrong with a
// step that calls it is no fault of its own, and names it.
func (j *judge) problems(t *trustframework.TechnicalProfile, found []trustframework.Problem) string {
	why := ""
	for _, p := range found {
		if named := "technical profile " + t.ID; !j.steps[p.At] && !strings.HasPrefix(p.Reason, named) {
			p.Reason = named + ": " + p.Reason
		}
		j.findings.add(p, j.policy.ID)
		if p.Weight >= trustframework.Broken && why == "" && !j.steps[p.At] {
			why = p.Reason
		}
	}
	return why
}

// profile judges a profile and what it calls, and returns why it fails.
func (j *judge) profile(t *trustframework.TechnicalProfile) string {
	if why, judged := j.why[t]; judged {
		return why
	}
	j.why[t] = ""
	kind := kindOf(t)
	handler := j.handlers[kind]
	if _, foreign := j.refusal(t); foreign {
		return ""
	}
	j.reached.profile(t)
	var found []trustframework.Problem
	if handler != nil {
		found = handler.Check(j.policy, t)
	} else if kind == execute.SelfAsserted {
		found = checkSelfAsserted(t)
	}
	for _, p := range execute.CheckValidations(t) {
		p.Reason = "technical profile " + t.ID + " " + p.Reason
		found = append(found, p)
	}
	why := j.problems(t, found)
	for _, ref := range slices.Concat(t.InputTransformations, t.OutputTransformations) {
		why = cmp.Or(why, j.transformation(ref))
	}
	if kind == execute.SelfAsserted {
		why = cmp.Or(why, j.shows(t), j.calls(t.Validations, "the page "+t.ID))
	}
	j.why[t] = why
	verdict := verdictOf(why)
	why = strings.TrimPrefix(strings.TrimPrefix(why, "technical profile "+t.ID+": "), "technical profile "+t.ID+" ")
	j.element(Element{At: t.At, Kind: TechnicalProfile, ID: t.ID, Verdict: verdict, Why: why, Handler: kind})
	return why
}

func (j *judge) transformation(ref trustframework.Reference) string {
	t, there := j.policy.Transformation(ref.ID)
	if !there {
		return "the claims transformation " + ref.ID + " is not in the policy"
	}
	j.reached.transformation(t)
	why := ""
	for _, p := range transform.Check(j.policy, t) {
		j.findings.add(p, j.policy.ID)
		if p.Weight >= trustframework.Broken {
			why = cmp.Or(why, "the claims transformation "+t.ID+" fails")
		}
	}
	return why
}

// calls judges what a page or an action calls, in order, and returns the first that fails.
func (j *judge) calls(all []trustframework.Validation, from string) string {
	first := ""
	for _, v := range all {
		first = cmp.Or(first, j.call(v, from))
	}
	return first
}

func (j *judge) call(v trustframework.Validation, from string) string {
	t, there := j.policy.TechnicalProfile(v.TechnicalProfile)
	if !there {
		return "it calls " + v.TechnicalProfile + ", which is not in the policy"
	}
	if why, foreign := j.refusal(t); foreign {
		j.foreign.reach(t, Call{At: v.At, From: from, Profile: t.ID, Why: why})
		return "it calls " + t.ID + " (" + short(kindOf(t)) + ")"
	}
	if kindOf(t) == execute.SelfAsserted {
		j.findings.add(trustframework.Problem{At: v.At, Weight: trustframework.Broken, Reason: from + " calls " + t.ID + ", a page: a page cannot validate another; refer to the profiles that it validates with"}, "")
		return "it calls the page " + t.ID
	}
	if j.profile(t) != "" {
		return "it calls " + t.ID + ", which fails"
	}
	return ""
}

func (j *judge) control(d *trustframework.DisplayControl) {
	j.reached.control(d)
	fails := map[trustframework.Origin]string{}
	for _, p := range execute.CheckControl(d) {
		fails[p.At] = p.Reason
		p.Reason = "the display control " + d.ID + " " + p.Reason
		j.findings.add(p, "")
	}
	if len(d.Actions) == 0 {
		j.element(Element{At: d.At, Kind: Control, ID: d.ID, Verdict: verdictOf(fails[d.At]), Why: fails[d.At]})
	}
	for _, a := range d.Actions {
		why := cmp.Or(fails[d.At], fails[a.At], j.calls(a.Validations, "the action "+a.ID+" of "+d.ID))
		j.element(Element{At: d.At, Kind: DisplayControl, ID: d.ID, Action: a.ID, Verdict: verdictOf(why), Why: why})
	}
}

func verdictOf(why string) Verdict {
	if why != "" {
		return Fails
	}
	return Runs
}

// shows says why a page will not show one of its display controls, "" if it shows all.
func (j *judge) shows(t *trustframework.TechnicalProfile) string {
	for _, c := range t.DisplayClaims {
		d, there := j.policy.DisplayControl(c.Control)
		switch {
		case c.Control == "":
		case !there:
			return "it shows " + c.Control + ", which is not in the policy"
		case len(execute.CheckControl(d)) > 0:
			return "it shows " + d.ID + ", which fails"
		}
	}
	return ""
}

// judged says that a profile was found to be one that otpost has to do with.
func (j *judge) judged(t *trustframework.TechnicalProfile) bool {
	_, judged := j.why[t]
	return judged
}

package review

import (
	"encoding/json"

	"github.com/otpost/otpost/internal/trustframework"
)

// place is an Origin in JSON.
type place struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

func placeOf(o trustframework.Origin) place { return place{o.File, o.Line, o.Column} }

type policyJSON struct {
	Policy   string        `json:"policy"`
	File     string        `json:"file"`
	Base     string        `json:"base,omitempty"`
	Elements []elementJSON `json:"elements"`
}

type elementJSON struct {
	Kind    Kind    `json:"kind"`
	ID      string  `json:"id"`
	Action  string  `json:"action,omitempty"`
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why,omitempty"`
	Handler string  `json:"handler,omitempty"`
	At      place   `json:"at"`
}

type findingJSON struct {
	Weight string  `json:"weight"`
	Reason string  `json:"reason"`
	Places []place `json:"places"`
}

// problemsJSON are problems as findings, each with its one place; never nil.
func problemsJSON(problems []trustframework.Problem) []findingJSON {
	all := []findingJSON{}
	for _, p := range problems {
		all = append(all, findingJSON{p.Weight.String(), p.Reason, []place{placeOf(p.At)}})
	}
	return all
}

type foreignJSON struct {
	Handler  string     `json:"handler"`
	About    string     `json:"about"`
	Profiles []string   `json:"profiles"`
	Reached  []callJSON `json:"reached"`
}

type callJSON struct {
	At      place  `json:"at"`
	From    string `json:"from"`
	Profile string `json:"profile"`
}

// MarshalJSON writes all that there is, in the order of the text.
func (r *Review) MarshalJSON() ([]byte, error) {
	out := struct {
		Policies []policyJSON   `json:"policies"`
		Findings []findingJSON  `json:"findings"`
		Foreign  []foreignJSON  `json:"foreign"`
		Journeys map[string]int `json:"journeys"`
		Aside    []findingJSON  `json:"references_aside"`
		Profiles map[string]int `json:"technical_profiles"`
		Controls map[string]int `json:"display_control_actions"`
	}{[]policyJSON{}, []findingJSON{}, []foreignJSON{},
		map[string]int{"user_journeys": r.Journeys.Journeys, "sub_journeys": r.Journeys.SubJourneys, "calls": r.Journeys.Exchanges, "calls_that_run": r.Journeys.Runnable},
		problemsJSON(r.Aside),
		map[string]int{"runs": r.Count(TechnicalProfile, Runs), "fails": r.Count(TechnicalProfile, Fails), "shared": r.Count(TechnicalProfile, Shared), "foreign": r.Count(TechnicalProfile, Foreign)},
		map[string]int{"runs": r.Count(DisplayControl, Runs), "fails": r.Count(DisplayControl, Fails)}}
	for _, p := range r.Policies {
		made := policyJSON{p.ID, p.At.File, p.Base, []elementJSON{}}
		for _, e := range p.Elements {
			made.Elements = append(made.Elements, elementJSON{e.Kind, e.ID, e.Action, e.Verdict, e.Why, e.Handler, placeOf(e.At)})
		}
		out.Policies = append(out.Policies, made)
	}
	for _, f := range r.Findings {
		made := findingJSON{f.Weight.String(), f.Reason, nil}
		for _, at := range f.Places {
			made.Places = append(made.Places, placeOf(at))
		}
		out.Findings = append(out.Findings, made)
	}
	for _, k := range r.Foreign {
		made := foreignJSON{k.Handler, k.About, k.Profiles, []callJSON{}}
		for _, c := range k.Reached {
			made.Reached = append(made.Reached, callJSON{placeOf(c.At), c.From, c.Profile})
		}
		out.Foreign = append(out.Foreign, made)
	}
	return json.Marshal(out)
}

type aboutJSON struct {
	Kind    string   `json:"kind"`
	B2C     string   `json:"b2c,omitempty"`
	Otpost  string   `json:"otpost,omitempty"`
	Entra   string   `json:"entra,omitempty"`
	Differs []string `json:"differs,omitempty"`
}

type policyReportJSON struct {
	Policy  string      `json:"policy"`
	File    string      `json:"file"`
	Base    string      `json:"base,omitempty"`
	Entries []entryJSON `json:"elements"`
}

type entryJSON struct {
	Element  Kind     `json:"element"`
	ID       string   `json:"id"`
	At       place    `json:"at"`
	Steps    []string `json:"steps,omitempty"`
	Settings []string `json:"settings,omitempty"`
	Fails    []string `json:"fails,omitempty"`
	aboutJSON
}

type foreignReportJSON struct {
	Handler  string   `json:"handler"`
	Profiles []string `json:"profiles"`
	aboutJSON
}

// MarshalJSON writes all that there is, in the order of the text.
func (r *Report) MarshalJSON() ([]byte, error) {
	out := struct {
		Policies []policyReportJSON  `json:"policies"`
		Foreign  []foreignReportJSON `json:"foreign"`
		Unread   []findingJSON       `json:"unread"`
	}{[]policyReportJSON{}, []foreignReportJSON{}, problemsJSON(r.Unread)}
	for _, p := range r.Policies {
		made := policyReportJSON{p.ID, p.At.File, p.Base, []entryJSON{}}
		for _, e := range p.Entries {
			made.Entries = append(made.Entries, entryJSON{e.Kind, e.ID, placeOf(e.At), e.Steps, e.Settings, e.Fails, aboutJSON(e.About)})
		}
		out.Policies = append(out.Policies, made)
	}
	for _, k := range r.Foreign {
		out.Foreign = append(out.Foreign, foreignReportJSON{k.Handler, k.Profiles, aboutJSON(k.About)})
	}
	return json.Marshal(out)
}

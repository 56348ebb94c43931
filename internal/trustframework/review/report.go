package review

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// Report says of each technical profile, display control and journey what B2C does with it, what otpost does, and what
// Entra External ID has for it.
type Report struct {
	Policies []*PolicyReport
	// Foreign are the kinds that otpost does not run, with what is of them over all policies.
	Foreign []ForeignReport
	// Unread are files and elements of which nothing is told, or not all, and why.
	Unread []trustframework.Problem
}

// Refused says that files or policies are missing from the report.
func (r *Report) Refused() bool {
	return slices.ContainsFunc(r.Unread, func(p trustframework.Problem) bool { return p.Weight == trustframework.Refused })
}

// PolicyReport is what one file declares.
type PolicyReport struct {
	At       trustframework.Origin
	ID, Base string
	Entries  []Entry
}

// Entry is one technical profile or display control.
type Entry struct {
	At    trustframework.Origin
	Kind  Kind
	ID    string
	About execute.About
	// Steps are what each action of a display control, or a page, calls, such as "SendCode: GenerateOtp, SendOtp".
	Steps []string
	// Settings are what the metadata say, without texts, such as "CodeLength 6".
	Settings []string
	// Fails are why otpost will not run it, whatever is said about its kind; of a display control, why each action fails.
	Fails []string
}

// said is what stands behind the name of an entry.
func (e *Entry) said() []string {
	said := slices.Concat(e.Steps, e.Settings)
	for _, why := range e.Fails {
		said = append(said, "will not run: "+why)
	}
	return said
}

// alike groups entries of which the same is to be said.
func alike(entries []Entry) [][]Entry {
	var groups [][]Entry
	for _, e := range entries {
		i := slices.IndexFunc(groups, func(g []Entry) bool { return g[0].Kind == e.Kind && reflect.DeepEqual(g[0].About, e.About) })
		if i < 0 {
			groups = append(groups, []Entry{e})
		} else {
			groups[i] = append(groups[i], e)
		}
	}
	return groups
}

// ForeignReport is a kind of technical profile that otpost does not run.
type ForeignReport struct {
	Handler  string
	About    execute.About
	Profiles []string
}

// Tell makes the report of a set, or of one policy and what it builds on.
func Tell(set *trustframework.Set, handlers map[string]execute.Handler, policy string) (*Report, error) {
	policies, err := chosen(set, policy)
	if err != nil {
		return nil, err
	}
	checked, err := Check(set, handlers, Options{Policy: policy})
	if err != nil {
		return nil, err
	}
	t := &teller{handlers: handlers, report: &Report{}, told: map[trustframework.Origin]bool{}, files: map[string]*PolicyReport{},
		judged: map[trustframework.Origin][]*Element{}}
	for _, p := range checked.Policies {
		for _, e := range p.Elements {
			t.judged[e.At] = append(t.judged[e.At], e)
		}
	}
	for _, p := range set.Policies {
		if policy == "" || builds(policies[0], p) {
			t.file(p)
		}
	}
	for _, p := range policies {
		t.policy(p)
	}
	for _, p := range t.report.Policies {
		slices.SortStableFunc(p.Entries, func(a, b Entry) int { return compareOrigins(a.At, b.At) })
	}
	slices.SortFunc(t.report.Policies, func(a, b *PolicyReport) int { return compareOrigins(a.At, b.At) })
	for _, k := range t.foreign.sorted() {
		t.report.Foreign = append(t.report.Foreign, ForeignReport{k.Handler, aboutForeign(k.Handler), k.Profiles})
	}
	for _, p := range set.Problems {
		if p.Weight >= trustframework.Broken && (policy == "" || t.files[p.At.File] != nil) {
			t.report.Unread = append(t.report.Unread, p)
		}
	}
	return t.report, nil
}

// teller goes through policies. What several inherit is told once.
type teller struct {
	handlers map[string]execute.Handler
	report   *Report
	told     map[trustframework.Origin]bool
	files    map[string]*PolicyReport
	foreign  foreigners
	// judged are what a review says, by place.
	judged map[trustframework.Origin][]*Element
}

func (t *teller) file(p *trustframework.Policy) {
	made := &PolicyReport{At: p.At, ID: p.ID}
	if p.Base != nil {
		made.Base = p.Base.ID
	}
	t.files[p.At.File] = made
	t.report.Policies = append(t.report.Policies, made)
}

func (t *teller) policy(p *trustframework.Policy) {
	for _, d := range p.DisplayControls {
		t.entry(Entry{At: d.At, Kind: Control, ID: d.ID, About: aboutControl(d), Steps: stepsOf(d)})
	}
	for _, profile := range p.TechnicalProfiles {
		kind := kindOf(profile)
		switch {
		case t.handlers[kind] != nil:
			t.entry(Entry{At: profile.At, Kind: TechnicalProfile, ID: profile.ID, About: t.handlers[kind].About(profile), Settings: settingsOf(profile)})
		case own(kind):
			t.entry(Entry{At: profile.At, Kind: TechnicalProfile, ID: profile.ID, About: AboutOwn(profile), Steps: calledBy(profile)})
		default:
			t.foreign.profile(profile)
		}
	}
	for _, journey := range p.Journeys {
		t.foreign.named(kindJourney, journey.ID)
	}
	for _, journey := range p.SubJourneys {
		t.foreign.named(kindSubJourney, journey.ID)
	}
	if p.RelyingParty != nil {
		t.foreign.named(kindRelyingParty, p.ID)
	}
}

// entry keeps what is told of an element, with what a review says of it. What nothing calls and is not whole is a part.
func (t *teller) entry(e Entry) {
	file := t.files[e.At.File]
	if file == nil || t.told[e.At] {
		return
	}
	t.told[e.At] = true
	for _, judged := range t.judged[e.At] {
		switch {
		case judged.Verdict == Shared:
			e.About = aboutShared
		case judged.Why == "":
		case judged.Action != "":
			e.Fails = append(e.Fails, judged.Action+": "+judged.Why)
		default:
			e.Fails = append(e.Fails, judged.Why)
		}
	}
	file.Entries = append(file.Entries, e)
}

// aboutShared says what a part of profiles is.
var aboutShared = execute.About{
	Kind:   "a part that others include",
	B2C:    "B2C puts it into the technical profiles that include it.",
	Otpost: "otpost does the same. By itself it is not whole, and a call of it is refused.",
	Entra:  "It is told with those that include it.",
}

// aboutControl says what a display control is.
func aboutControl(d *trustframework.DisplayControl) execute.About {
	for _, p := range execute.CheckControl(d) {
		if p.At != d.At {
			continue
		}
		if same(d.Type, "CaptchaControl") {
			about := foreign[handlerCaptcha]
			about.Otpost = "otpost refuses it, and each page that shows it."
			return about
		}
		return execute.About{Kind: "display control of a type that there is not", B2C: "B2C's schema refuses it.",
			Otpost: "otpost refuses it, and each page that shows it.", Entra: "There is nothing to compare it with."}
	}
	if same(d.Type, "VerificationControl") {
		return execute.About{
			Kind:   "verification control",
			B2C:    "B2C shows a field and the buttons that send and verify a code.",
			Otpost: "otpost runs each action when it is called, and shows the control on a page of its own to try it.",
			Entra:  "Entra External ID has its own page for codes by email. A custom authentication extension (emailOtpSend) sends them through otpost.",
		}
	}
	return execute.About{
		Kind:   "part of a page for an authenticator app",
		B2C:    "B2C shows the QR code, the account or the link to the app.",
		Otpost: "otpost shows the same on its page.",
		Entra:  "Entra External ID has email and text messages as second factors of customers, and no authenticator apps.",
	}
}

func stepsOf(d *trustframework.DisplayControl) []string {
	var steps []string
	for _, a := range d.Actions {
		steps = append(steps, a.ID+": "+called(a.Validations))
	}
	return steps
}

func calledBy(t *trustframework.TechnicalProfile) []string {
	if len(t.Validations) == 0 || kindOf(t) != execute.SelfAsserted {
		return nil
	}
	return []string{"validation: " + called(t.Validations)}
}

// called names what is called, in order.
func called(all []trustframework.Validation) string {
	var names []string
	for _, v := range all {
		name := v.TechnicalProfile
		if len(v.Preconditions) > 0 {
			name += " (on a condition)"
		}
		if v.ContinueOnError {
			name += " (an error is passed over)"
		}
		names = append(names, name)
	}
	return cmp.Or(strings.Join(names, ", "), "nothing")
}

// settingsOf are the metadata of a profile but for texts and its Operation. What follows the path of a URL may be a secret,
// and so may what stands before its host.
func settingsOf(t *trustframework.TechnicalProfile) []string {
	var all []string
	for _, item := range t.Metadata {
		value := strings.TrimSpace(item.Value)
		switch key := strings.ToLower(item.Key); {
		case strings.Contains(key, "message"), same(key, "Operation"), value == "":
			continue
		case strings.Contains(value, "://"):
			scheme, rest, _ := strings.Cut(value, "://")
			rest, _, _ = strings.Cut(rest, "?")
			value = scheme + "://" + rest[strings.LastIndexByte(rest, '@')+1:]
		}
		all = append(all, strings.TrimSpace(item.Key)+" "+value)
	}
	return all
}

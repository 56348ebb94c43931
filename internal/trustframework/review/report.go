package review

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// Report says of each technical profile and display control what B2C does with it, what otpost does, and what Entra
// External ID has for it.
type Report struct {
	Policies []*PolicyReport
	// Foreign are the kinds that otpost does not run, with their profiles over all policies.
	Foreign []ForeignReport
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
	t := &teller{handlers: handlers, report: &Report{}, told: map[trustframework.Origin]bool{}, files: map[string]*PolicyReport{}}
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
		t.report.Foreign = append(t.report.Foreign, ForeignReport{k.Handler, AboutForeign(k.Handler), k.Profiles})
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
		t.entry(Entry{At: d.At, Kind: "display control", ID: d.ID, About: aboutControl(d), Steps: stepsOf(d)})
	}
	for _, profile := range p.TechnicalProfiles {
		kind := KindOf(profile)
		switch {
		case t.handlers[kind] != nil:
			t.entry(Entry{At: profile.At, Kind: TechnicalProfile, ID: profile.ID, About: t.handlers[kind].About(profile), Settings: settingsOf(profile)})
		case own(kind):
			t.entry(Entry{At: profile.At, Kind: TechnicalProfile, ID: profile.ID, About: AboutOwn(profile), Steps: calledBy(profile)})
		default:
			t.foreign.profile(profile)
		}
	}
}

func (t *teller) entry(e Entry) {
	if file := t.files[e.At.File]; file != nil && !t.told[e.At] {
		t.told[e.At] = true
		file.Entries = append(file.Entries, e)
	}
}

// aboutControl says what a display control is.
func aboutControl(d *trustframework.DisplayControl) execute.About {
	for _, p := range execute.CheckControl(d) {
		if p.At != d.At {
			continue
		}
		if same(d.Type, "CaptchaControl") {
			about := foreign[handlerCaptcha]
			about.Otpost = "otpost refuses it."
			return about
		}
		return execute.About{Kind: "display control of a type that there is not", B2C: "B2C's schema refuses it.", Otpost: "otpost refuses it.",
			Entra: "There is nothing to compare it with."}
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
	if len(t.Validations) == 0 || KindOf(t) != execute.SelfAsserted {
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

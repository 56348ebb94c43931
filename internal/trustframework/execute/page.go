package execute

import (
	"slices"
	"strconv"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// page runs a self-asserted profile as its page's button does (self-asserted-technical-profile.md): what was typed is held
// to the policy, its validation profiles run, and its output claims become the journey's.
func (x *run) page(t *trustframework.TechnicalProfile) (out *claim.Bag, err error) {
	s := x.begin("technical profile", t.ID, t.At)
	defer func() { s.end(err) }()
	if err := verifiedByPage(t); err != nil {
		return nil, err
	}
	if err := x.patience(t); err != nil {
		return nil, err
	}
	defer func() { x.count(t, err) }()
	if err := x.open(); err != nil {
		return nil, err
	}
	work := x.q.Session.Claims.Clone()
	if err := x.filled(t, work); err != nil {
		return nil, err
	}
	x.given(x.displayed(t), work)
	if err := x.controls(t, work); err != nil {
		return nil, err
	}
	if err := x.acceptAll(t, work); err != nil {
		return nil, err
	}
	if err := x.validations(t.Validations, work); err != nil {
		return nil, err
	}
	if err := x.finish(t, &Call{Profile: t}, work, s); err != nil {
		return nil, err
	}
	out = outputs(t.OutputClaims, work)
	for name := range out.All() {
		if x.input(name) == "Password" { // a password is for the profiles that validate the page
			out.Delete(name)
		}
	}
	x.q.Session.Claims.Merge(out)
	return out, nil
}

// shown are the lines of a page: display claims where there is one, and output claims where there is none.
func shown(t *trustframework.TechnicalProfile) []trustframework.DisplayClaim {
	if len(t.DisplayClaims) > 0 {
		return t.DisplayClaims
	}
	lines := make([]trustframework.DisplayClaim, 0, len(t.OutputClaims))
	for _, m := range t.OutputClaims {
		lines = append(lines, trustframework.DisplayClaim{At: m.At, Claim: m.Claim, Required: m.Required})
	}
	return lines
}

// input is how a claim is typed in: its UserInputType, "" for one that no page shows.
func (x *run) input(name string) string {
	declared, ok := x.q.Policy.Claim(name)
	if !ok {
		return ""
	}
	return declared.UserInput
}

// readOnly are inputs that a person cannot change. What a page posts of one may be its mask, or forged.
var readOnly = []string{"Readonly", "Paragraph"}

// declared holds what the caller gave to the claims of the policy, and to their types.
func (x *run) declared() error {
	typed := &claim.Bag{}
	for name, v := range x.q.Claims.All() {
		if x.input(name) == "Password" {
			x.secrets.add(v.String())
		}
		v, err := x.typed(trustframework.ClaimMapping{Claim: name}, v)
		if err != nil {
			return err
		}
		typed.Set(name, v)
	}
	x.q.Claims = typed
	return nil
}

// given merges what the caller gave: all of it, since the caller may carry the journey, but nothing that would change a
// claim that the page shows as read-only.
func (x *run) given(lines []trustframework.DisplayClaim, bag *claim.Bag) {
	for name, v := range x.q.Claims.All() {
		line := slices.ContainsFunc(lines, func(d trustframework.DisplayClaim) bool { return fold(d.Claim) == fold(name) })
		if line && bag.Has(name) && slices.Contains(readOnly, x.input(name)) {
			continue
		}
		bag.Set(name, v)
	}
}

// displayed are the lines of a page with those of its display controls.
func (x *run) displayed(t *trustframework.TechnicalProfile) []trustframework.DisplayClaim {
	lines := slices.Clone(shown(t))
	for _, d := range t.DisplayClaims {
		if control, ok := x.q.Policy.DisplayControl(d.Control); ok {
			lines = append(lines, control.DisplayClaims...)
		}
	}
	return lines
}

// filled puts in what the fields of a page hold before somebody types: the profile's input claims.
func (x *run) filled(t *trustframework.TechnicalProfile, bag *claim.Bag) error {
	lines := shown(t)
	for _, m := range t.InputClaims {
		if !slices.ContainsFunc(lines, func(d trustframework.DisplayClaim) bool { return fold(d.Claim) == fold(m.Claim) }) {
			continue
		}
		v, ok, err := x.value(t, m, bag)
		if err != nil {
			return err
		}
		if ok {
			bag.Set(m.Claim, v)
		}
	}
	return nil
}

// controls takes over what the display controls of a page came to. One for verification must have verified.
func (x *run) controls(t *trustframework.TechnicalProfile, bag *claim.Bag) error {
	for _, d := range t.DisplayClaims {
		if d.Control == "" {
			continue
		}
		control, err := x.controlAt(d)
		if err != nil {
			return err
		}
		if !strings.EqualFold(control.Type, "VerificationControl") || len(control.Actions) == 0 {
			continue
		}
		kept := x.q.Session.control(control.ID)
		if !kept.Verified {
			return &trustframework.Failure{Key: "UserMessageIfVerificationControlClaimsNotVerified", Profile: t.ID,
				Default: "The claims for verification control have not been verified."}
		}
		// What was verified counts, whatever the page posts now.
		bag.Merge(&kept.Claims)
	}
	return nil
}

// controlAt finds the display control of a line. A page without it would go on without what it verifies.
func (x *run) controlAt(d trustframework.DisplayClaim) (*trustframework.DisplayControl, error) {
	control, ok := x.q.Policy.DisplayControl(d.Control)
	if !ok {
		return nil, &trustframework.Misuse{At: d.At, Element: "display control " + d.Control, Reason: "is defined in no file that this policy builds on"}
	}
	return control, nil
}

// acceptAll holds what was typed to the policy.
func (x *run) acceptAll(t *trustframework.TechnicalProfile, bag *claim.Bag) error {
	for _, d := range shown(t) {
		if d.Claim == "" {
			continue
		}
		// What no page shows nobody can type: it is the validation profiles that answer with it.
		if err := x.accept(d.Claim, d.Required && x.input(d.Claim) != "", bag); err != nil {
			return err
		}
	}
	return nil
}

// verifiedByPage refuses a page on which B2C would verify an address by itself, without a display control. To go on
// without that would take an address for verified that nobody has looked at. A profile with display claims does not show
// its output claims, so that there the mapping means nothing.
func verifiedByPage(t *trustframework.TechnicalProfile) error {
	if len(t.DisplayClaims) > 0 {
		return nil
	}
	for _, m := range t.OutputClaims {
		if fold(m.Partner) == "verified.email" {
			return &trustframework.Misuse{At: m.At, Element: "technical profile " + t.ID, Reason: "has B2C's page verify " + m.Claim +
				" by itself (PartnerClaimType Verified.Email), which otpost does not; verify it with a display control of type VerificationControl"}
		}
	}
	return nil
}

// accept holds one claim to the policy: there, one of the choices, and of the form that is asked for. The texts are those
// of localization-string-ids.md, "Sign-up and sign-in error messages".
func (x *run) accept(name string, required bool, bag *claim.Bag) error {
	declared, ok := x.q.Policy.Claim(name)
	if !ok {
		return &trustframework.Misuse{Element: "claim " + name, Reason: "is not declared in ClaimsSchema"}
	}
	label := x.texts.label(declared)
	v, there := bag.Get(name)
	if !there || v.Empty() {
		if required {
			return &trustframework.Failure{Key: "UserMessageIfMissingRequiredElement", Default: "Missing required element: {0}", Arguments: []string{label}}
		}
		return nil
	}
	if _, choice := choosers[declared.UserInput]; choice && !chosenOf(slices.Concat(declared.Choices, x.texts.choices(declared)), v) {
		return &trustframework.Failure{Key: "UserMessageIfInvalidInput", Default: "{0} has invalid input.", Arguments: []string{label}}
	}
	return x.meets(declared, label, v)
}

// choosers are inputs that take one of a claim's choices, or several.
var choosers = map[string]bool{"DropdownSingleSelect": true, "RadioSingleSelect": true, "CheckboxMultiSelect": true}

// chosenOf says that a value is among the choices, in whatever language the page showed them.
func chosenOf(choices []trustframework.Choice, v claim.Value) bool {
	if len(choices) == 0 {
		return true
	}
	for _, item := range v.Items() {
		if !slices.ContainsFunc(choices, func(c trustframework.Choice) bool { return c.Value == item }) {
			return false
		}
	}
	return true
}

// patience refuses a page that was refused too often (setting.retryLimit; error-codes.md, AADB2C90157). The count is in
// the session's token and bounds nothing that matters: codes are counted in the engine.
func (x *run) patience(t *trustframework.TechnicalProfile) error {
	item, ok := t.Metadata.Get("setting.retryLimit")
	limit, err := strconv.Atoi(strings.TrimSpace(item.Value))
	if !ok || err != nil || x.q.Session.Retries[fold(t.ID)] < limit {
		return nil
	}
	return &trustframework.Failure{Key: "AADB2C90157", Profile: t.ID,
		Default: "User has exceeded the maximum number for retries for a self-asserted step."}
}

func (x *run) count(t *trustframework.TechnicalProfile, err error) {
	s := x.q.Session
	if err == nil {
		delete(s.Retries, fold(t.ID))
		return
	}
	if s.Retries == nil {
		s.Retries = map[string]int{}
	}
	s.Retries[fold(t.ID)]++
}

package execute

import (
	"slices"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/predicate"
)

// acceptAll holds what was typed to the policy.
func (x *run) acceptAll(t *trustframework.TechnicalProfile, bag *claim.Bag) error {
	for _, d := range shown(t) {
		if d.Claim == "" {
			continue
		}
		// What no page shows nobody can type: it is the validation profiles that answer with it.
		if err := x.accept(d, d.Required && x.input(d.Claim) != "", bag); err != nil {
			return err
		}
	}
	return nil
}

// accept holds one claim to the policy: there, one of the choices, and of the form that is asked for. The texts are those
// of localization-string-ids.md, "Sign-up and sign-in error messages".
func (x *run) accept(d trustframework.DisplayClaim, required bool, bag *claim.Bag) error {
	declared, ok := x.q.Policy.Claim(d.Claim)
	if !ok {
		return &trustframework.Misuse{At: d.At, Element: "claim " + d.Claim, Reason: "is not declared in ClaimsSchema"}
	}
	label := x.texts.label(declared)
	v, there := bag.Get(d.Claim)
	if !there || v.Empty() {
		if required {
			return &trustframework.Failure{Key: "UserMessageIfMissingRequiredElement", Default: "Missing required element: {0}", Arguments: []string{label}, Claim: declared.ID}
		}
		return nil
	}
	if _, choice := choosers[declared.UserInput]; choice && !chosenOf(slices.Concat(declared.Choices, x.texts.choices(declared)), v) {
		return &trustframework.Failure{Key: "UserMessageIfInvalidInput", Default: "{0} has invalid input.", Arguments: []string{label}, Claim: declared.ID}
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

// meets holds a value to the claim's pattern and predicates. Where the page has no text for it, the person is told what
// the pattern or the predicates say, since that says what to type.
func (x *run) meets(declared *trustframework.ClaimType, label string, v claim.Value) error {
	help, ok, err := predicate.Rules{Policy: x.q.Policy, Today: x.r.Now(), Text: x.texts.find}.Meets(declared, v)
	if err != nil || ok {
		return err
	}
	if help == "" {
		help = "Incorrect pattern for: {0}"
	}
	return &trustframework.Failure{Key: "UserMessageIfIncorrectPattern", Default: help, Arguments: []string{label}, Claim: declared.ID}
}

// Package predicate says whether a claim's value is one that its claim type allows.
package predicate

import (
	"strings"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// Rules are those of a policy on one day and in one language.
type Rules struct {
	Policy *trustframework.Policy
	// Today is the day that a date range means by Today.
	Today time.Time
	// Text finds a text of the page in its language, as LocalizedResources.String does. Optional.
	Text func(elementType, element, id string) (string, bool)
}

// Meets holds a value to the rules of its claim type. Help is what the policy tells a person whose value does not meet
// them, empty if it says nothing. The error is a *trustframework.Misuse: a rule that is not there or cannot be applied.
//
// A value that is empty is held to them too; whether there must be one is the page's business. Whether B2C does so on
// the server is UNCONFIRMED, but the expressions of predicates.md allow for an empty text.
func (r Rules) Meets(t *trustframework.ClaimType, v claim.Value) (help string, ok bool, err error) {
	if t.Pattern.Expression != "" {
		ok, err := match(t.Pattern.Expression, v.String())
		if err != nil {
			return "", false, misuse(t.Pattern.At, "pattern of the claim type "+t.ID, err)
		}
		if !ok {
			return r.text("ClaimType", t.ID, "PatternHelpText", t.Pattern.HelpText), false, nil
		}
	}
	if t.PredicateValidation.ID == "" {
		return "", true, nil
	}
	validation, there := r.Policy.PredicateValidation(t.PredicateValidation.ID)
	if !there {
		return "", false, &trustframework.Misuse{At: t.PredicateValidation.At, Element: "claim type " + t.ID,
			Reason: "its predicate validation " + t.PredicateValidation.ID + " is not in the policy; declare it in PredicateValidations"}
	}
	return r.validation(validation, v)
}

// validation holds a value to every group, and gathers what those that are not met say (predicates.md,
// "PredicateValidations").
func (r Rules) validation(validation *trustframework.PredicateValidation, v claim.Value) (string, bool, error) {
	var helps []string
	met := true
	for _, g := range validation.Groups {
		help, ok, err := r.group(validation, g, v)
		if err != nil {
			return "", false, err
		}
		met = met && ok
		if !ok && help != "" {
			helps = append(helps, help)
		}
	}
	return strings.Join(helps, " "), met, nil
}

// group is met by AtLeast of its predicates, all if it names no number. Its help is the group's text with those of the
// predicates that are not met after it, as B2C's page lists them.
func (r Rules) group(validation *trustframework.PredicateValidation, g trustframework.PredicateGroup, v claim.Value) (string, bool, error) {
	var unmet []string
	met, need := 0, g.AtLeast
	if need == 0 {
		need = len(g.Predicates)
	}
	for _, reference := range g.Predicates {
		p, there := r.Policy.Predicate(reference.ID)
		if !there {
			return "", false, &trustframework.Misuse{At: reference.At, Element: "predicate validation " + validation.ID,
				Reason: "its predicate " + reference.ID + " is not in the policy; declare it in Predicates"}
		}
		ok, err := r.predicate(p, v)
		switch {
		case err != nil:
			return "", false, err
		case ok:
			met++
		case r.help(p) != "":
			unmet = append(unmet, r.help(p))
		}
	}
	// LocalizedStrings of older policies have InputValidation for PredicateValidation (localization.md).
	own := r.text("PredicateValidation", validation.ID, g.ID, r.text("InputValidation", validation.ID, g.ID, g.UserHelpText))
	return strings.TrimSpace(own + " " + strings.Join(unmet, ", ")), met >= need, nil
}

// help is what a predicate says of itself (localization.md, "Predicate").
func (r Rules) help(p *trustframework.Predicate) string {
	own := p.HelpText
	if own == "" {
		own = p.UserHelpText
	}
	return r.text("Predicate", p.ID, "HelpText", own)
}

func (r Rules) text(elementType, element, id, own string) string {
	if r.Text != nil {
		if text, ok := r.Text(elementType, element, id); ok {
			return text
		}
	}
	return own
}

func misuse(at trustframework.Origin, element string, err error) error {
	return &trustframework.Misuse{At: at, Element: element, Reason: err.Error()}
}

func match(expression, value string) (bool, error) {
	compiled, err := Compile(expression)
	if err != nil {
		return false, err
	}
	return compiled.Match(value)
}

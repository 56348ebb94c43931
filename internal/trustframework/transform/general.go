package transform

import (
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/predicate"
)

// general are the methods that copy, look for and forget claims.
var general = []method{
	{
		// The copy of a claim without a value has none either, so that nothing stays that was there before: UNCONFIRMED.
		name:    "CopyClaim",
		inputs:  []slot{{name: "inputClaim"}},
		outputs: []slot{{name: "outputClaim"}},
		check:   checkSameType,
		run:     convert,
	},
	{
		name:    "CopyClaimIfPredicateMatch",
		inputs:  []slot{{name: "inputClaim"}},
		outputs: []slot{{name: "outputClaim"}},
		check:   checkPredicateOutput,
		run:     copyIfPredicateMatch,
	},
	{
		name:    "DoesClaimExist",
		inputs:  []slot{{name: "inputClaim"}},
		outputs: []slot{boolean("outputClaim")},
		run: func(r *run) error {
			_, ok := r.input("inputClaim")
			r.output("outputClaim", claim.Flag(ok))
			return nil
		},
	},
	{
		name:    "NullClaim",
		outputs: []slot{{name: "claim_to_null"}},
		run: func(r *run) error {
			r.clear("claim_to_null")
			return nil
		},
	},
}

// checkSameType tells of a copy between types ("Both claims must be from the same type").
func checkSameType(c *inspection) {
	for _, in := range c.transformation.Inputs {
		from, fromThere := c.policy.Claim(in.Claim)
		for _, out := range c.transformation.Outputs {
			to, toThere := c.policy.Claim(out.Claim)
			if fromThere && toThere && claim.TypeOf(from.DataType) != claim.TypeOf(to.DataType) {
				c.odd(out.At, "the claim type %s is a %s and %s a %s; B2C copies between claims of one type", from.ID, claim.TypeOf(from.DataType), to.ID, claim.TypeOf(to.DataType))
			}
		}
	}
}

// copyIfPredicateMatch leaves an output claim as it is if the input does not meet the rules of that claim, or has no
// value ("the output claim won't be changed from its original value").
func copyIfPredicateMatch(r *run) error {
	v, ok := r.input("inputClaim")
	if !ok {
		return nil
	}
	rules := predicate.Rules{Policy: r.scene.Policy, Today: r.scene.Now, Text: r.scene.Text}
	for _, out := range r.transformation.Outputs {
		declared, _ := r.scene.Policy.Claim(out.Claim)
		_, meets, err := rules.Meets(declared, v)
		if err != nil {
			return err
		}
		if meets {
			r.results = append(r.results, result{output: out, value: v})
		}
	}
	return nil
}

// checkPredicateOutput tells of an output claim that has no rule, so that everything is copied.
func checkPredicateOutput(c *inspection) {
	for _, out := range c.transformation.Outputs {
		declared, there := c.policy.Claim(out.Claim)
		if there && declared.PredicateValidation.ID == "" && declared.Pattern.Expression == "" {
			c.odd(out.At, "the claim type %s has no PredicateValidationReference, so that every value is copied", declared.ID)
		}
	}
}

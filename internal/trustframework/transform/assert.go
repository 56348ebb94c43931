package transform

import (
	"strings"
	"time"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// assertions are methods that refuse. Keys and texts are those of localization-string-ids.md, "Claims transformations
// error messages". That a claim without a value is refused as one with the wrong one is UNCONFIRMED: B2C might take two
// that have none for equal, which no policy that asserts something would want.
var assertions = []method{
	{
		name:       "AssertStringClaimsAreEqual",
		inputs:     []slot{str("inputClaim1"), str("inputClaim2")},
		parameters: []parameter{stringComparison},
		run: func(r *run) error {
			a, aThere := r.input("inputClaim1")
			b, bThere := r.input("inputClaim2")
			if aThere && bThere && same(a.String(), b.String(), r.choice("stringComparison") == "ordinalignorecase") {
				return nil
			}
			return r.failure("UserMessageIfClaimsTransformationStringsAreNotEqual", `Claim value comparison failed using StringComparison "OrdinalIgnoreCase".`)
		},
	},
	{
		name:       "AssertBooleanClaimIsEqualToValue",
		inputs:     []slot{boolean("inputClaim")},
		parameters: []parameter{param("valueToCompareTo").as(claim.Boolean)},
		run: func(r *run) error {
			v, _ := r.input("inputClaim")
			if b, ok := v.Bool(); ok && b == r.on("valueToCompareTo", false) {
				return nil
			}
			return r.failure("UserMessageIfClaimsTransformationBooleanValueIsNotEqual", `Boolean claim value comparison failed for claim type "inputClaim".`)
		},
	},
	{
		// Both operands are documented as strings and used as dateTime.
		name:   "AssertDateTimeIsGreaterThan",
		inputs: []slot{str("leftOperand"), str("rightOperand")},
		parameters: []parameter{
			param("AssertIfEqualTo").as(claim.Boolean).maybe(),
			param("AssertIfRightOperandIsNotPresent").as(claim.Boolean).maybe(),
			// Sic.
			param("TreatAsEqualIfWithinMillseconds").as(claim.Int).from(0).maybe(),
		},
		run: assertGreater,
	},
}

// assertGreater refuses unless the left operand is later (date-transformations.md, AssertDateTimeIsGreaterThan:
// "Determines whether the rightOperand is greater than the leftOperand. If yes, throws an exception"). The text that is
// documented for it says the opposite. AssertIfEqualTo refuses equal ones too, and is the default;
// AssertIfRightOperandIsNotPresent lets one without the right operand pass, and has no documented default. One without
// the left is refused: UNCONFIRMED.
func assertGreater(r *run) error {
	refused := r.failure("DateTimeGreaterThan", "Claim value comparison failed: The provided left operand is greater than the right operand.")
	left, leftThere, err := r.time("leftOperand")
	if err != nil {
		return err
	}
	right, rightThere, err := r.time("rightOperand")
	if err != nil {
		return err
	}
	apart := left.Sub(right)
	equal := apart.Abs() <= time.Duration(r.number("TreatAsEqualIfWithinMillseconds", 0))*time.Millisecond
	passes := !equal && apart > 0 || equal && !r.on("AssertIfEqualTo", true)
	if !rightThere {
		passes = r.on("AssertIfRightOperandIsNotPresent", false)
	}
	if leftThere && passes {
		return nil
	}
	return refused
}

// same compares texts as StringComparison.Ordinal and OrdinalIgnoreCase do.
func same(a, b string, ignoreCase bool) bool {
	return a == b || ignoreCase && strings.EqualFold(a, b)
}

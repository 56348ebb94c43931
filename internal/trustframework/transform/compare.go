package transform

import (
	"strings"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// comparisons are methods that make a boolean of texts. A claim without a value is equal to another without one alone, as
// null is in .NET, and ignoreCase is false where it is left out: both UNCONFIRMED.
var comparisons = []method{
	{
		name:       "CompareClaims",
		inputs:     []slot{str("inputClaim1"), str("inputClaim2")},
		parameters: []parameter{operator, ignoreCase},
		outputs:    []slot{boolean("outputClaim")},
		run: func(r *run) error {
			_, aThere := r.input("inputClaim1")
			_, bThere := r.input("inputClaim2")
			equal := aThere == bThere && same(r.text("inputClaim1"), r.text("inputClaim2"), r.on("ignoreCase", false))
			r.output("outputClaim", claim.Flag(equal == (r.choice("operator") == "equal")))
			return nil
		},
	},
	{
		name:       "CompareClaimToValue",
		inputs:     []slot{str("inputClaim1")},
		parameters: []parameter{param("compareTo"), operator, ignoreCase},
		outputs:    []slot{boolean("outputClaim")},
		run: func(r *run) error {
			v, there := r.input("inputClaim1")
			equal := there && same(v.String(), r.string("compareTo"), r.on("ignoreCase", false))
			r.output("outputClaim", claim.Flag(equal == (r.choice("operator") == "equal")))
			return nil
		},
	},
	{
		name:       "StringContains",
		inputs:     []slot{str("inputClaim")},
		parameters: []parameter{param("contains"), ignoreCase},
		// Documented as a string, and declared as a boolean in Microsoft's samples.
		outputs: []slot{boolean("outputClaim")},
		run: func(r *run) error {
			text, part := r.text("inputClaim"), r.string("contains")
			if r.on("ignoreCase", false) {
				text, part = strings.ToUpper(text), strings.ToUpper(part)
			}
			r.output("outputClaim", claim.Flag(strings.Contains(text, part)))
			return nil
		},
	},
}

var (
	operator   = param("operator").within("EQUAL", "NOT EQUAL")
	ignoreCase = param("ignoreCase").as(claim.Boolean).maybe()
)

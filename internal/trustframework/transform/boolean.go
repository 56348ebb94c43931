package transform

import "github.com/otpost/otpost/internal/trustframework/claim"

// booleans are the methods of boolean-transformations.md, but for its assertion. A claim without a value is false:
// UNCONFIRMED.
var booleans = []method{
	{
		name:    "AndClaims",
		inputs:  []slot{boolean("inputClaim1"), boolean("inputClaim2")},
		outputs: []slot{boolean("outputClaim")},
		run: func(r *run) error {
			r.output("outputClaim", claim.Flag(r.flag("inputClaim1") && r.flag("inputClaim2")))
			return nil
		},
	},
	{
		name:       "CompareBooleanClaimToValue",
		inputs:     []slot{boolean("inputClaim")},
		parameters: []parameter{param("valueToCompareTo").as(claim.Boolean)},
		outputs:    []slot{boolean("compareResult")},
		run: func(r *run) error {
			_, there := r.input("inputClaim")
			r.output("compareResult", claim.Flag(there && r.flag("inputClaim") == r.on("valueToCompareTo", false)))
			return nil
		},
	},
	{
		name:    "NotClaims",
		inputs:  []slot{boolean("inputClaim")},
		outputs: []slot{boolean("outputClaim")},
		run: func(r *run) error {
			r.output("outputClaim", claim.Flag(!r.flag("inputClaim")))
			return nil
		},
	},
	{
		name:    "OrClaims",
		inputs:  []slot{boolean("inputClaim1"), boolean("inputClaim2")},
		outputs: []slot{boolean("outputClaim")},
		run: func(r *run) error {
			r.output("outputClaim", claim.Flag(r.flag("inputClaim1") || r.flag("inputClaim2")))
			return nil
		},
	},
	{
		// From string-transformations.md. An output that is not matched stays as it is: UNCONFIRMED.
		name:       "SetClaimIfBooleansMatch",
		inputs:     []slot{boolean("claimToMatch")},
		parameters: []parameter{param("matchTo").as(claim.Boolean), param("outputClaimIfMatched")},
		outputs:    []slot{str("outputClaim")},
		run: func(r *run) error {
			if _, err := r.need("claimToMatch"); err != nil {
				return err
			}
			if r.flag("claimToMatch") == r.on("matchTo", false) {
				r.output("outputClaim", claim.Text(r.string("outputClaimIfMatched")))
			}
			return nil
		},
	},
}

// flag is the value of a boolean input claim.
func (r *run) flag(name string) bool {
	v, _ := r.input(name)
	b, _ := v.Bool()
	return b
}

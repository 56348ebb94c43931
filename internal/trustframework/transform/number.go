package transform

import (
	"math"
	"strconv"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// numbers are the methods of integer-transformations.md.
var numbers = []method{
	{
		// A claim without a value is 0.
		name:       "AdjustNumber",
		inputs:     []slot{typed("inputClaim", claim.Int)},
		parameters: []parameter{param("Operator").within("INCREMENT", "DECREMENT").maybe()},
		outputs:    []slot{typed("outputClaim", claim.Int)},
		run: func(r *run) error {
			v, _ := r.input("inputClaim")
			n, _ := v.Int()
			by := int64(1)
			if r.choice("Operator") == "decrement" {
				by = -1
			}
			if by > 0 && n == math.MaxInt64 || by < 0 && n == math.MinInt64 {
				return r.misuse("the input claim inputClaim cannot be adjusted any further")
			}
			// A long, so that an int is held to 32 bits.
			adjusted, err := claim.Parse(claim.Long, strconv.FormatInt(n+by, 10))
			r.output("outputClaim", adjusted)
			return err
		},
	},
	{
		name:   "AssertNumber",
		inputs: []slot{typed("inputClaim", claim.Int)},
		parameters: []parameter{
			param("Operator").within("LessThan", "GreaterThan", "GreaterThanOrEqual", "LessThanOrEqual", "Equal", "NotEqual"),
			param("CompareToValue").as(claim.Int),
			param("throwError").as(claim.Boolean).maybe(),
		},
		outputs: []slot{boolean("outputClaim").maybe()},
		run:     assertNumber,
	},
	{
		name:    "ConvertNumberToStringClaim",
		inputs:  []slot{typed("inputClaim", claim.Long)},
		outputs: []slot{str("outputClaim")},
		run:     convert,
	},
}

// assertNumber refuses when the comparison is true, unless throwError says to tell the result instead. The text of
// AssertNumberError is ours: B2C's is UNCONFIRMED.
func assertNumber(r *run) error {
	v, err := r.need("inputClaim")
	if err != nil {
		return err
	}
	n, ok := v.Int()
	if !ok {
		return r.misuse("the input claim inputClaim is not a number")
	}
	with := r.number("CompareToValue", 0)
	result := map[string]bool{
		"lessthan": n < with, "greaterthan": n > with, "greaterthanorequal": n >= with, "lessthanorequal": n <= with,
		"equal": n == with, "notequal": n != with,
	}[r.choice("Operator")]
	if result && r.on("throwError", true) {
		return r.failure("AssertNumberError", "A number is not one that is allowed here.")
	}
	r.output("outputClaim", claim.Flag(result))
	return nil
}

// convert gives the output the value of the input, in the type of the claim; of nothing comes nothing.
func convert(r *run) error {
	if v, ok := r.input("inputClaim"); ok {
		r.output("outputClaim", v)
	} else {
		r.clear("outputClaim")
	}
	return nil
}

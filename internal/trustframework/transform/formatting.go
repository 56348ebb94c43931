package transform

import "github.com/otpost/otpost/internal/trustframework/claim"

// formatting are methods that write a text from a pattern. A claim without a value is put in as an empty text, as
// String.Format does with null; for B2C this is UNCONFIRMED.
var formatting = []method{
	{
		name:       "CreateStringClaim",
		parameters: []parameter{param("value")},
		outputs:    []slot{str("createdClaim")},
		run: func(r *run) error {
			r.output("createdClaim", claim.Text(r.resolve(r.string("value"))))
			return nil
		},
	},
	{
		name:       "FormatStringClaim",
		inputs:     []slot{str("inputClaim")},
		parameters: []parameter{param("stringFormat").checked(formatOf(1))},
		outputs:    []slot{str("outputClaim")},
		run:        func(r *run) error { return r.formatInputs("inputClaim") },
	},
	{
		name:       "FormatStringMultipleClaims",
		inputs:     []slot{str("inputClaim1"), str("inputClaim2")},
		parameters: []parameter{param("stringFormat").checked(formatOf(2))},
		outputs:    []slot{str("outputClaim")},
		run:        func(r *run) error { return r.formatInputs("inputClaim1", "inputClaim2") },
	},
}

func (r *run) formatInputs(names ...string) error {
	arguments := make([]claim.Value, len(names))
	for i, name := range names {
		arguments[i] = claim.Text(r.text(name))
	}
	text, err := r.format(r.string("stringFormat"), arguments...)
	if err == nil {
		r.output("outputClaim", claim.Text(text))
	}
	return err
}

// localized are methods that read texts of the page. A text that is not there in the language of the journey is empty.
var localized = []method{
	{
		// Outputs are named by the StringId of their text.
		name: "GetLocalizedStringsTransformation",
		free: free{outputs: anyName},
		run: func(r *run) error {
			for _, out := range r.transformation.Outputs {
				r.output(nameOf(out), claim.Text(r.localized("GetLocalizedStringsTransformationClaimType", nameOf(out))))
			}
			return nil
		},
	},
	{
		// Inputs are {0}, {1} and so on in their order; they have no TransformationClaimType.
		name:       "FormatLocalizedString",
		parameters: []parameter{param("stringFormatId")},
		outputs:    []slot{str("outputClaim")},
		free:       free{inputs: anyName},
		run: func(r *run) error {
			var arguments []claim.Value
			for _, in := range r.transformation.Inputs {
				arguments = append(arguments, claim.Text(r.bag.Text(in.Claim)))
			}
			text, err := r.format(r.localized("FormatLocalizedStringTransformationClaimType", r.string("stringFormatId")), arguments...)
			if err == nil {
				r.output("outputClaim", claim.Text(text))
			}
			return err
		},
	},
}

package transform

import (
	"errors"
	"strings"
	"unicode/utf16"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// changes are methods that make a text of a text. Of a claim without a value comes an empty text: UNCONFIRMED.
var changes = []method{
	{
		name:       "ChangeCase",
		inputs:     []slot{str("inputClaim1")},
		parameters: []parameter{param("toCase").within("LOWER", "UPPER")},
		outputs:    []slot{str("outputClaim")},
		run: func(r *run) error {
			change := strings.ToLower
			if r.choice("toCase") == "upper" {
				change = strings.ToUpper
			}
			r.output("outputClaim", claim.Text(change(r.text("inputClaim1"))))
			return nil
		},
	},
	{
		// "If the provide[d] email address isn't valid an empty string return[s]" (unit-tests, string/readme.md).
		name:    "ParseDomain",
		inputs:  []slot{str("emailAddress")},
		outputs: []slot{str("domain")},
		run: func(r *run) error {
			local, domain, found := strings.Cut(strings.TrimSpace(r.text("emailAddress")), "@")
			if !found || local == "" || strings.Contains(domain, "@") {
				domain = ""
			}
			r.output("domain", claim.Text(domain))
			return nil
		},
	},
	{
		name:       "StringReplace",
		inputs:     []slot{str("inputClaim")},
		parameters: []parameter{param("oldValue").checked(notEmpty), param("newValue")},
		outputs:    []slot{str("outputClaim")},
		run: func(r *run) error {
			r.output("outputClaim", claim.Text(strings.ReplaceAll(r.text("inputClaim"), r.string("oldValue"), r.string("newValue"))))
			return nil
		},
	},
	{
		name:       "StringSubstring",
		inputs:     []slot{str("inputClaim")},
		parameters: []parameter{param("startIndex").as(claim.Int).from(0), param("length").as(claim.Int).from(0)},
		outputs:    []slot{str("outputClaim")},
		run:        substring,
	},
}

func notEmpty(value string) error {
	if value == "" {
		return errors.New("is empty")
	}
	return nil
}

// substring cuts as String.Substring does, which counts units of UTF-16 and refuses to go beyond the end. What B2C then
// does is UNCONFIRMED.
func substring(r *run) error {
	units := utf16.Encode([]rune(r.text("inputClaim")))
	from, length := r.number("startIndex", 0), r.number("length", 0)
	if from+length > int64(len(units)) {
		return r.misuse("the input claim inputClaim has fewer characters than startIndex and length come to; hold the claim to a length before")
	}
	r.output("outputClaim", claim.Text(string(utf16.Decode(units[from:from+length]))))
	return nil
}

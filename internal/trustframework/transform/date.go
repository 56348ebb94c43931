package transform

import (
	"time"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// dates are the methods of date-transformations.md, but for its assertion.
var dates = []method{
	{
		name:    "GetCurrentDateTime",
		outputs: []slot{typed("currentDateTime", claim.DateTime)},
		run: func(r *run) error {
			r.output("currentDateTime", claim.Time(r.scene.Now))
			return nil
		},
	},
	{
		name:    "ConvertDateTimeToDateClaim",
		inputs:  []slot{typed("inputClaim", claim.DateTime)},
		outputs: []slot{typed("outputClaim", claim.Date)},
		run:     convert,
	},
	{
		name:    "ConvertDateToDateTimeClaim",
		inputs:  []slot{typed("inputClaim", claim.Date)},
		outputs: []slot{typed("outputClaim", claim.DateTime)},
		run:     convert,
	},
	{
		// A consent without a time is none.
		name:       "IsTermsOfUseConsentRequired",
		inputs:     []slot{typed("termsOfUseConsentDateTime", claim.DateTime)},
		parameters: []parameter{param("termsOfUseTextUpdateDateTime").as(claim.DateTime)},
		outputs:    []slot{boolean("result")},
		run: func(r *run) error {
			given, there, err := r.time("termsOfUseConsentDateTime")
			if err != nil {
				return err
			}
			updated, _ := claim.Parse(claim.DateTime, r.string("termsOfUseTextUpdateDateTime"))
			at, _ := updated.Time()
			r.output("result", claim.Flag(!there || given.Before(at)))
			return nil
		},
	},
	{
		name:   "DateTimeComparison",
		inputs: []slot{typed("firstDateTime", claim.DateTime), typed("secondDateTime", claim.DateTime)},
		parameters: []parameter{
			// Greater than is of the first version of the document, for later than.
			param("operator").within("same", "later than", "earlier than", "greater than"),
			param("timeSpanInSeconds").as(claim.Int).maybe(),
		},
		outputs: []slot{boolean("result")},
		run:     compareTimes,
	},
}

// compareTimes adds the span to the first time, and then compares. Without a second one it is now.
func compareTimes(r *run) error {
	if _, err := r.need("firstDateTime"); err != nil {
		return err
	}
	first, _, err := r.time("firstDateTime")
	if err != nil {
		return err
	}
	second, there, err := r.time("secondDateTime")
	if err != nil {
		return err
	}
	if !there {
		second = r.scene.Now
	}
	order := first.Add(time.Duration(r.number("timeSpanInSeconds", 0)) * time.Second).Compare(second)
	r.output("result", claim.Flag(map[string]bool{
		"same": order == 0, "later than": order > 0, "greater than": order > 0, "earlier than": order < 0,
	}[r.choice("operator")]))
	return nil
}

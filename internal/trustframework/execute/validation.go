package execute

import (
	"errors"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// validations run in their order, on claims that all of them see (validation-technical-profile.md). An error ends them
// unless ContinueOnError says otherwise; a success ends them where ContinueOnSuccess is false.
func (x *run) validations(list []trustframework.Validation, bag *claim.Bag) error {
	for _, v := range list {
		why, err := skipped(v.Preconditions, bag)
		if err != nil {
			return err
		}
		if why != "" {
			x.begin("technical profile", v.TechnicalProfile, v.At).finish("skipped: " + why)
			continue
		}
		t, err := x.profileOf(v.TechnicalProfile)
		if err != nil {
			return &trustframework.Misuse{At: v.At, Element: "validation technical profile " + v.TechnicalProfile,
				Reason: "is defined in no file that this policy builds on"}
		}
		err = x.profile(t, bag)
		var failure *trustframework.Failure
		switch {
		case err == nil && !v.ContinueOnSuccess:
			return nil
		case err != nil && !(v.ContinueOnError && errors.As(err, &failure)):
			return err
		}
	}
	return nil
}

// CheckValidations says what of a profile that is no page will not work, before it is run; the reasons go on from its name.
// Only pages validate (validation-technical-profile.md), and what would be passed over here is a check.
func CheckValidations(t *trustframework.TechnicalProfile) []trustframework.Problem {
	if len(t.Validations) == 0 || selfAsserted(t) {
		return nil
	}
	return []trustframework.Problem{{At: t.Validations[0].At, Weight: trustframework.Broken, Reason: "is no page and has ValidationTechnicalProfiles, " +
		"which only a self-asserted technical profile runs; move them to the page that calls it"}}
}

// skips are what a precondition may do, in lower case: there is no other action (userjourneys.md).
var skips = []string{"skipthisvalidationtechnicalprofile", "skipthisorchestrationstep"}

// skipped says why preconditions skip what they stand at, "" if they do not. The first that is satisfied decides
// (userjourneys.md, "Preconditions"; validation profiles have the same).
func skipped(list []trustframework.Precondition, bag *claim.Bag) (why string, err error) {
	for _, p := range list {
		if len(p.Values) == 0 {
			return "", misused(p, "has no Value that names a claim")
		}
		if len(p.Actions) == 0 || slices.ContainsFunc(p.Actions, func(a string) bool { return !slices.Contains(skips, trustframework.Fold(a)) }) {
			return "", misused(p, "needs an Action, SkipThisValidationTechnicalProfile")
		}
		name := p.Values[0]
		switch trustframework.Fold(p.Type) {
		case "claimsexist":
			there := true
			for _, name := range p.Values {
				there = there && bag.Has(name)
			}
			if there == p.ExecuteIf {
				return existence(p.Values, there), nil
			}
		case "claimequals":
			if len(p.Values) != 2 {
				return "", misused(p, "needs two Values, a claim and the text that it is compared with")
			}
			// A claim without a value makes the precondition count for nothing, whatever ExecuteActionsIf says.
			v, ok := bag.Get(name)
			if !ok || v.Empty() {
				continue
			}
			if equal := v.String() == p.Values[1]; equal == p.ExecuteIf {
				return "claim " + name + equality(equal) + p.Values[1], nil
			}
		default:
			return "", misused(p, "its Type "+p.Type+" is neither ClaimsExist nor ClaimEquals")
		}
	}
	return "", nil
}

func existence(names []string, there bool) string {
	text := "claim " + strings.Join(names, ", ")
	if there {
		return text + " is there"
	}
	return text + " is not there"
}

func equality(equal bool) string {
	if equal {
		return " is "
	}
	return " is not "
}

func misused(p trustframework.Precondition, reason string) error {
	return &trustframework.Misuse{At: p.At, Element: "precondition", Reason: reason}
}

package execute

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// controls takes over what the display controls of a page came to. One for verification must have verified.
func (x *run) controls(t *trustframework.TechnicalProfile, bag *claim.Bag) error {
	for _, d := range t.DisplayClaims {
		if d.Control == "" {
			continue
		}
		control, err := x.controlAt(d)
		if err != nil {
			return err
		}
		if controlType(control) != verificationControl || len(control.Actions) == 0 {
			continue
		}
		kept := x.q.Session.control(control.ID)
		if !kept.Verified {
			return &trustframework.Failure{Key: "UserMessageIfVerificationControlClaimsNotVerified", Profile: t.ID,
				Default: "The claims for verification control have not been verified."}
		}
		// What was verified counts, whatever the page posts now.
		bag.Merge(&kept.Claims)
	}
	return nil
}

// controlAt finds the display control of a line. A page without it would go on without what it verifies.
func (x *run) controlAt(d trustframework.DisplayClaim) (*trustframework.DisplayControl, error) {
	control, ok := x.q.Policy.DisplayControl(d.Control)
	if !ok {
		return nil, &trustframework.Misuse{At: d.At, Element: "display control " + d.Control, Reason: "is defined in no file that this policy builds on"}
	}
	return control, usable(control, control.At)
}

// usable refuses what CheckControl finds at a place of a display control.
func usable(control *trustframework.DisplayControl, at trustframework.Origin) error {
	for _, p := range CheckControl(control) {
		if p.At == at {
			return &trustframework.Misuse{At: p.At, Element: "display control " + control.ID, Reason: p.Reason}
		}
	}
	return nil
}

const verificationControl = "VerificationControl"

// controlTypes are the UserInterfaceControlTypes that there are (TrustFrameworkPolicy_0.3.0.0.xsd).
var controlTypes = []string{verificationControl, "QrCodeControl", "AuthenticatorInfoControl", "AuthenticatorAppIconControl"}

// controlType is the type of a display control in the schema's letters, "" for one that there is not.
func controlType(d *trustframework.DisplayControl) string {
	for _, known := range controlTypes {
		if strings.EqualFold(known, d.Type) {
			return known
		}
	}
	return ""
}

// CheckControl says what of a display control will not work, before it is run; the reasons go on from its name. B2C's schema
// has four types and wants a technical profile in every action. Without either nothing would be verified: a page does not
// wait for a control of another type, and an action without a profile has nobody who could refuse.
func CheckControl(d *trustframework.DisplayControl) (found []trustframework.Problem) {
	if controlType(d) == "" {
		found = append(found, trustframework.Problem{At: d.At, Weight: trustframework.Broken, Reason: "has the type " + cmp.Or(d.Type, "\"\"") +
			", which otpost does not have; there is " + strings.Join(controlTypes, ", ")})
	}
	for _, a := range d.Actions {
		if len(a.Validations) == 0 {
			found = append(found, trustframework.Problem{At: a.At, Weight: trustframework.Broken, Reason: "has an action " + a.ID +
				" that calls nothing; add a ValidationClaimsExchange with a ValidationClaimsExchangeTechnicalProfile"})
		}
	}
	return found
}

// fit refuses what CheckPage finds, such as a page on which B2C would verify an address by itself, without a display
// control. To go on without that would take an address for verified that nobody has looked at.
func fit(t *trustframework.TechnicalProfile) error {
	for _, p := range CheckPage(t) {
		return &trustframework.Misuse{At: p.At, Element: "technical profile " + t.ID, Reason: p.Reason}
	}
	return nil
}

// CheckPage says what of a self-asserted profile will not work, before it is run; the reasons go on from its name. That is
// a retry limit that is none, and Verified.Email, by which B2C's page verifies an address by itself unless
// EnforceEmailVerification is false (self-asserted-technical-profile.md). A profile with display claims does not show its
// output claims, so that there the mapping means nothing.
func CheckPage(t *trustframework.TechnicalProfile) (found []trustframework.Problem) {
	if item, limited := t.Metadata.Get(retryLimit); limited {
		if n, err := strconv.Atoi(strings.TrimSpace(item.Value)); err != nil || n < 1 {
			found = append(found, trustframework.Problem{At: item.At, Weight: trustframework.Broken, Reason: "has a " + retryLimit +
				" that is not a whole number from 1 on; write one, or leave it out for no limit"})
		}
	}
	enforced, _ := t.Metadata.Get("EnforceEmailVerification")
	if len(t.DisplayClaims) > 0 || trustframework.Fold(enforced.Value) == "false" {
		return found
	}
	for _, m := range t.OutputClaims {
		if trustframework.Fold(m.Partner) == "verified.email" {
			found = append(found, trustframework.Problem{At: m.At, Weight: trustframework.Broken, Reason: "has B2C's page verify " + m.Claim +
				" by itself (PartnerClaimType Verified.Email), which otpost does not; verify it with a display control of type VerificationControl"})
		}
	}
	return found
}

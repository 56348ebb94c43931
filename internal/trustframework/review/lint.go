package review

import (
	"fmt"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// lint looks for what runs otherwise than its writer will have meant. Each handler looks at its own profiles; what is here
// lies between them.
func (j *judge) lint(r roots) {
	if !r.narrow {
		j.lintTypes()
	}
	for _, d := range r.controls {
		j.lintControl(d)
		j.lintDefaults(d.InputClaims)
	}
	for _, t := range r.profiles {
		j.lintPage(t)
		for _, claims := range [][]trustframework.ClaimMapping{t.InputClaims, t.OutputClaims} {
			if execute.Resolves(t) {
				j.lintDefaults(claims)
			} else {
				j.lintLiterals(t, claims)
			}
		}
	}
}

// dataTypes are those of claims (TrustFrameworkPolicy_0.3.0.0.xsd). Those that otpost has no use for are text to it.
var dataTypes = []string{"alternativeSecurityIdCollection", "boolean", "date", "dateTime", "duration", "int", "long", "objectIdentity",
	"objectIdentityCollection", "phoneNumber", "string", "stringCollection", "userIdentity", "userIdentityCollection"}

// lintTypes finds claims of a type that there is not: no value would be held to what was meant.
func (j *judge) lintTypes() {
	for _, c := range j.policy.Claims {
		if c.DataType == "" || slices.ContainsFunc(dataTypes, func(t string) bool { return same(t, c.DataType) }) {
			continue
		}
		meant := ""
		if near := suggest.Sure(c.DataType, dataTypes); near != "" {
			meant = "; did you mean " + near + "?"
		}
		j.odd(c.At, "the claim type %s has the DataType %s, which B2C does not have, and is taken as text%s", c.ID, c.DataType, meant)
	}
}

// lintLiterals finds claim resolvers where they are taken as they stand.
func (j *judge) lintLiterals(t *trustframework.TechnicalProfile, claims []trustframework.ClaimMapping) {
	for _, c := range claims {
		for _, resolver := range execute.Resolvers(c.Default) {
			j.odd(c.At, "the claim %s of %s has the default value %s, which is taken as it stands: the profile's metadata has no IncludeClaimResolvingInClaimsHandling; set it to true", c.Claim, t.ID, resolver)
		}
	}
}

// lintDefaults finds claim resolvers that stand for nothing here.
func (j *judge) lintDefaults(claims []trustframework.ClaimMapping) {
	for _, c := range claims {
		for _, resolver := range execute.Unresolved(c.Default) {
			j.odd(c.At, "the claim %s has the default value %s, which is empty in every journey of otpost", c.Claim, resolver)
		}
	}
}

func (j *judge) odd(at trustframework.Origin, format string, args ...any) {
	j.findings.add(trustframework.Problem{At: at, Weight: trustframework.Odd, Reason: fmt.Sprintf(format, args...)}, "")
}

// lintControl holds a verification control to display-control-verification.md.
func (j *judge) lintControl(d *trustframework.DisplayControl) {
	if !same(d.Type, "VerificationControl") {
		return
	}
	if len(d.Actions) == 0 {
		j.odd(d.At, "the display control %s has no actions, and verifies nothing: a page takes its claims as they are typed", d.ID)
		return
	}
	codes := 0
	for _, c := range d.DisplayClaims {
		if same(c.Kind, "VerificationCode") {
			codes++
		}
	}
	if codes != 1 && len(d.DisplayClaims) > 0 {
		j.odd(d.At, "the display control %s has %d display claims with ControlClaimType VerificationCode, and B2C wants one: the field for the code", d.ID, codes)
	}
	for _, a := range d.Actions {
		if !same(a.ID, "SendCode") && !same(a.ID, "VerifyCode") {
			j.odd(a.At, "the display control %s has an action %s; a verification control knows SendCode and VerifyCode", d.ID, a.ID)
		}
	}
	for _, id := range []string{"SendCode", "VerifyCode"} {
		if _, there := d.Action(id); !there {
			j.odd(d.At, "the display control %s has no action %s, and can do nothing when its button is pressed", d.ID, id)
		}
	}
	j.lintVerify(d)
	j.lintIdentifiers(d)
}

// profiles are those that an action calls and that are there.
func (j *judge) profiles(a trustframework.Action) []*trustframework.TechnicalProfile {
	var found []*trustframework.TechnicalProfile
	for _, v := range a.Validations {
		if t, there := j.policy.TechnicalProfile(v.TechnicalProfile); there {
			found = append(found, t)
		}
	}
	return found
}

// lintVerify finds a VerifyCode that nobody can fail: nothing in it looks at a code.
func (j *judge) lintVerify(d *trustframework.DisplayControl) {
	a, there := d.Action("VerifyCode")
	if !there || len(a.Validations) == 0 { // which is refused
		return
	}
	for _, t := range j.profiles(a) {
		switch kind := kindOf(t); {
		case kind == execute.Transformation && !j.asserts(t):
		case (kind == handlerOTP || kind == handlerMFA || kind == handlerSSPR) && !strings.HasPrefix(strings.ToLower(operation(t)), "verify"):
		default:
			return
		}
	}
	j.odd(a.At, "nothing in the action VerifyCode of %s verifies a code: whoever presses the button is verified", d.ID)
}

// asserts says that a profile has a transformation that may refuse.
func (j *judge) asserts(t *trustframework.TechnicalProfile) bool {
	for _, ref := range slices.Concat(t.InputTransformations, t.OutputTransformations) {
		if c, there := j.policy.Transformation(ref.ID); there && strings.HasPrefix(strings.ToLower(c.Method), "assert") {
			return true
		}
	}
	return false
}

func operation(t *trustframework.TechnicalProfile) string {
	item, _ := t.Metadata.Get("Operation")
	return strings.TrimSpace(item.Value)
}

// lintIdentifiers finds a code that is made for one claim and looked for under another: B2C finds no session then.
func (j *judge) lintIdentifiers(d *trustframework.DisplayControl) {
	send, sends := d.Action("SendCode")
	verify, verifies := d.Action("VerifyCode")
	if !sends || !verifies {
		return
	}
	made, asked := j.identifiers(send, "GenerateCode"), j.identifiers(verify, "VerifyCode")
	if len(made) == 0 {
		return
	}
	for _, m := range asked {
		if !slices.ContainsFunc(made, func(n trustframework.ClaimMapping) bool { return same(n.Claim, m.Claim) }) {
			j.odd(m.At, "VerifyCode of %s looks for a code under the claim %s, and SendCode makes it under %s: no code will be found", d.ID, m.Claim, made[0].Claim)
		}
	}
}

// identifiers are the claims that one-time-password profiles of an action are keyed by.
func (j *judge) identifiers(a trustframework.Action, wanted string) []trustframework.ClaimMapping {
	var found []trustframework.ClaimMapping
	for _, t := range j.profiles(a) {
		if kindOf(t) != handlerOTP || !same(operation(t), wanted) {
			continue
		}
		for _, m := range t.InputClaims {
			if same(m.PartnerName(), "identifier") {
				found = append(found, m)
			}
		}
	}
	return found
}

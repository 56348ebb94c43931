package mfa

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
)

// Check implements execute.Handler.
func (h *Handler) Check(p *trustframework.Policy, t *trustframework.TechnicalProfile) []trustframework.Problem {
	op, found := operationOf(t)
	x := &examiner{policy: p, profile: t, operation: op, found: found}
	x.metadata()
	if op != nil {
		x.inputs()
		x.outputs()
		x.special()
	}
	for i := range x.found {
		x.found[i].Reason = "technical profile " + t.ID + ": " + x.found[i].Reason
	}
	return x.found
}

// examiner gathers what is wrong with one profile.
type examiner struct {
	policy    *trustframework.Policy
	profile   *trustframework.TechnicalProfile
	operation *operation
	found     []trustframework.Problem
}

func (x *examiner) add(at trustframework.Origin, weight trustframework.Weight, format string, args ...any) {
	x.found = append(x.found, trustframework.Problem{At: at, Weight: weight, Reason: fmt.Sprintf(format, args...)})
}

// metadata reports what is set and not read: Operation is all that there is.
func (x *examiner) metadata() {
	keys := slices.Sorted(maps.Keys(texts))
	for _, item := range x.profile.Metadata {
		key := strings.TrimSpace(item.Key)
		isKey := func(k string) bool { return strings.EqualFold(k, key) }
		switch {
		case strings.EqualFold(key, operationKey):
		case strings.EqualFold(key, "IncludeClaimResolvingInClaimsHandling"):
			x.add(item.At, trustframework.Odd, "has %s, which B2C does not document for multifactor authentication; here it is followed", key)
		case slices.ContainsFunc(keys, isKey):
			x.add(item.At, trustframework.Odd, "has %s, which B2C reads in the self-asserted profile that calls this one; move it there", key)
		default:
			x.add(item.At, trustframework.Odd, "has the metadata key %s, which is not read: %s is all that there is%s", key, operationKey,
				near(key, append(keys, operationKey)))
		}
	}
}

func (x *examiner) inputs() {
	for _, name := range x.operation.needs {
		x.needed(name)
	}
	known := slices.Concat(x.operation.needs, x.operation.takes)
	for _, m := range x.profile.InputClaims {
		if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, m.PartnerName()) }) {
			x.add(m.At, trustframework.Odd, "gives %s as %s, which is no input of %s and is not read%s", m.Claim, m.PartnerName(),
				x.operation.name, near(m.PartnerName(), known))
		}
	}
}

// needed reports an input without which the profile cannot be run.
func (x *examiner) needed(name string) {
	m, there := mapping(x.profile.InputClaims, name)
	if !there {
		x.add(x.profile.At, trustframework.Broken, `has no input claim for %s; add an InputClaim with PartnerClaimType="%s"`, name, name)
		return
	}
	claim, declared := x.policy.Claim(m.Claim)
	switch {
	case !declared && !m.HasDefault:
		x.add(m.At, trustframework.Broken, "takes %s from the claim %s, which is not declared and so never has a value%s", name, m.Claim,
			near(m.Claim, x.claims()))
	case declared && (name == verificationCode || name == otpCode) && isNumber(claim.DataType):
		x.add(m.At, trustframework.Odd, "takes %s from the claim %s of DataType %s, in which a code that begins with 0 loses it; declare it as a string",
			name, m.Claim, claim.DataType)
	}
}

// claims are the names of the policy's claims.
func (x *examiner) claims() []string {
	names := make([]string, len(x.policy.Claims))
	for i, c := range x.policy.Claims {
		names[i] = c.ID
	}
	return names
}

func isNumber(dataType string) bool {
	return strings.EqualFold(dataType, "int") || strings.EqualFold(dataType, "long")
}

func mapping(claims []trustframework.ClaimMapping, partner string) (trustframework.ClaimMapping, bool) {
	for _, m := range claims {
		if strings.EqualFold(m.PartnerName(), partner) {
			return m, true
		}
	}
	return trustframework.ClaimMapping{}, false
}

// outputs reports those that never have a value. One with a DefaultValue has that.
func (x *examiner) outputs() {
	for _, name := range x.operation.answers {
		if _, there := mapping(x.profile.OutputClaims, name); !there {
			x.add(x.profile.At, trustframework.Odd, `has no output claim for %s, which is all that %s is for; add an OutputClaim with PartnerClaimType="%s"`,
				name, x.operation.name, name)
		}
	}
	for _, m := range x.profile.OutputClaims {
		if !m.HasDefault && !slices.ContainsFunc(x.operation.answers, func(k string) bool { return strings.EqualFold(k, m.PartnerName()) }) {
			x.add(m.At, trustframework.Odd, "has the output claim %s, which %s gives no value%s", m.Claim, x.operation.name,
				near(m.PartnerName(), x.operation.answers))
		}
	}
}

// special is what is looked at for one operation alone.
func (x *examiner) special() {
	switch x.operation.name {
	case "OneWaySMS":
		x.countries()
	case "BeginVerifyOTP":
		x.secrets()
	}
}

// countries reports lists that cannot be read or have no effect, and that there is none.
func (x *examiner) countries() {
	lists, found := countryLists(x.policy)
	x.found = append(x.found, found...)
	for _, l := range lists {
		if len(l.codes) == 0 {
			x.add(l.at, trustframework.Odd, "the countryList has no country, so that no text message is sent")
		}
	}
	for _, l := range lists[min(1, len(lists)):] {
		x.add(l.at, trustframework.Odd, "is a second countryList in this file; a country must be in all of them. Keep that of the default language")
	}
	if x.policy.RelyingParty == nil || len(lists)+len(found) > 0 {
		return
	}
	for _, s := range countryStrings(x.policy) {
		x.add(s.At, trustframework.Odd, "the countryList has no effect for the policy %s: it must be in the relying party's own file", x.policy.ID)
	}
	x.add(x.profile.At, trustframework.Odd, "sends text messages to every country for the policy %s; write a countryList in its file, in LocalizedResources of the content definition %s, so that nobody earns by them",
		x.policy.ID, phoneFactor)
}

// secrets reports where a secret comes from, if it is none or a short one.
func (x *examiner) secrets() {
	m, there := mapping(x.profile.InputClaims, secretKey)
	if !there {
		x.add(x.profile.At, trustframework.Odd, `has no input claim for %s, so that no authenticator can be enrolled here; add an InputClaim with PartnerClaimType="%s"`,
			secretKey, secretKey)
		return
	}
	for _, made := range x.policy.Transformations {
		if !strings.EqualFold(made.Method, "CreateOtpSecret") {
			continue
		}
		for _, out := range made.Outputs {
			if strings.EqualFold(out.Claim, m.Claim) {
				x.add(made.At, trustframework.Odd, "the claims transformation %s makes secrets of 80 bits, as B2C does; RFC 4226 §4 wants 128 at least and recommends 160",
					made.ID)
			}
		}
	}
}

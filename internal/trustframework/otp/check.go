package otp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
	"github.com/otpost/otpost/internal/trustframework"
)

// check says what of a profile will not work, or works otherwise than written.
func (v *provider) check(p *trustframework.Policy, t *trustframework.TechnicalProfile) []trustframework.Problem {
	op, found := v.operation(t)
	if op != nil {
		found = slices.Concat(found, v.metadata(t, op), v.claims(p, t, op))
		if op.lint != nil {
			found = append(found, op.lint(p, t)...)
		}
	}
	for i := range found {
		found[i].Reason = "technical profile " + t.ID + " " + found[i].Reason
	}
	return append(found, v.steps(p, t)...)
}

// metadata looks for keys that do nothing, or something else than they did once.
func (v *provider) metadata(t *trustframework.TechnicalProfile, op *operation) []trustframework.Problem {
	r := reading{t: t}
	for _, item := range t.Metadata {
		key := strings.TrimSpace(item.Key)
		switch elsewhere, other := v.settingOf(key, op); {
		case key == "" || strings.EqualFold(key, "Operation") || containsFold(op.settings, key):
		case strings.EqualFold(key, resolving):
			r.say(item.At, trustframework.Odd, "has %s, which B2C does not document for %s profiles; here it is followed", resolving, v.name)
		case other:
			r.say(item.At, trustframework.Odd, "has the metadata key %s, which does nothing on %s: it belongs to the profile whose Operation is %s",
				key, op.name, elsewhere)
		case containsFold(v.messages, key):
			r.say(item.At, trustframework.Odd, "has the message %s: B2C reads this key on the self-asserted technical profile that hosts the call, and here it does nothing; "+
				"move it there, or to a LocalizedString with ElementType ErrorMessage", key)
		case v.legacy && legacyKey(key) != "":
			r.say(item.At, trustframework.Odd, "has the message %s, an old name that B2C's documentation does not have: here its text is told where the self-asserted profile has none; "+
				"write it there as %s", key, legacyKey(key))
		case ignored(v.ignored, key) != "":
			r.say(item.At, trustframework.Odd, "has the metadata key %s, which %s; remove it", key, ignored(v.ignored, key))
		default:
			r.say(item.At, trustframework.Odd, "has the metadata key %s, which a %s profile with Operation %s does not have, and which does nothing%s",
				key, v.name, op.name, suggest.For(key, v.keysOf(op)))
		}
	}
	return r.found
}

// keysOf are the metadata keys that somebody may have meant.
func (v *provider) keysOf(op *operation) []string {
	keys := []string{"Operation"}
	for _, key := range op.settings {
		if key != maxNumAttempts {
			keys = append(keys, key)
		}
	}
	return keys
}

// resolving is a metadata key that whoever runs profiles reads. B2C documents it for other kinds
// (claim-resolver-overview.md).
const resolving = "IncludeClaimResolvingInClaimsHandling"

func legacyKey(name string) string {
	for _, old := range legacy {
		if strings.EqualFold(old.name, name) {
			return old.key
		}
	}
	return ""
}

func ignored(keys map[string]string, key string) string {
	for k, why := range keys {
		if strings.EqualFold(k, key) {
			return why
		}
	}
	return ""
}

// claims looks for claims that must be there, and for those that nobody reads.
func (v *provider) claims(p *trustframework.Policy, t *trustframework.TechnicalProfile, op *operation) []trustframework.Problem {
	r := reading{t: t}
	for _, partner := range op.inputs {
		r.needs(p, t.InputClaims, partner, noInput(partner))
	}
	for _, partner := range op.outputs {
		r.needs(p, t.OutputClaims, partner, noOutput(partner))
	}
	for _, m := range t.InputClaims {
		if !containsFold(op.inputs, m.PartnerName()) {
			r.say(m.At, trustframework.Odd, "has an input claim for %s, which %s does not have, and which is not read%s",
				m.PartnerName(), op.name, suggest.For(m.PartnerName(), op.inputs))
		} else if v.explicit && m.Partner == "" {
			r.say(m.At, trustframework.Odd, "has an input claim %s without PartnerClaimType, which B2C's documentation asks for; write it, though the claim has its name",
				m.Claim)
		}
	}
	for _, m := range t.OutputClaims {
		if !containsFold(op.outputs, m.PartnerName()) && !m.HasDefault {
			r.say(m.At, trustframework.Odd, "has an output claim for %s, which %s does not answer with: it is not set",
				m.PartnerName(), op.name)
		}
	}
	return r.found
}

// needs looks for the claim that is mapped to a partner name.
func (r *reading) needs(p *trustframework.Policy, mappings []trustframework.ClaimMapping, partner, missing string) {
	i := slices.IndexFunc(mappings, func(m trustframework.ClaimMapping) bool { return strings.EqualFold(m.PartnerName(), partner) })
	if i < 0 {
		r.say(r.t.At, trustframework.Broken, "%s", missing)
		return
	}
	m := mappings[i]
	declared, there := p.Claim(m.Claim)
	switch {
	case !there:
		r.say(m.At, trustframework.Broken, "maps %s to the claim %s, which the policy does not declare; add a ClaimType to ClaimsSchema",
			partner, m.Claim)
	case isCode(partner) && !isText(declared.DataType):
		r.say(m.At, trustframework.Odd, "maps %s to the claim %s of DataType %s: a code that begins with 0 loses it, and letters are refused; declare it as a string",
			partner, m.Claim, declared.DataType)
	}
}

func isCode(partner string) bool {
	return slices.Contains([]string{otpGenerated, otpToVerify, verificationCode}, partner)
}

func isText(dataType string) bool {
	return dataType == "" || strings.EqualFold(dataType, "string")
}

func noInput(partner string) string {
	return fmt.Sprintf(`has no input claim for %s; add an InputClaim with PartnerClaimType="%s" (B2C answers: "A partner claim with id '%s' is not found however is required")`, partner, partner, partner)
}

func noOutput(partner string) string {
	return fmt.Sprintf(`has no output claim for %s, so nobody would get the code; add an OutputClaim with PartnerClaimType="%s"`, partner, partner)
}

// steps looks for orchestration steps that call the profile. It is documented as a validation technical profile alone; a
// one-time-password profile fails there in B2C (MicrosoftDocs/azure-docs#44982 and #68841).
func (v *provider) steps(p *trustframework.Policy, t *trustframework.TechnicalProfile) []trustframework.Problem {
	r := reading{t: t}
	for _, j := range slices.Concat(p.Journeys, p.SubJourneys) {
		for _, s := range j.Steps {
			for _, x := range s.Exchanges {
				if !strings.EqualFold(strings.TrimSpace(x.TechnicalProfile), strings.TrimSpace(t.ID)) {
					continue
				}
				const do = "; call it from ValidationTechnicalProfiles of a self-asserted technical profile, or from an action of a display control"
				if v.stepError != "" {
					r.say(x.At, trustframework.Broken, "step %d of %s calls the %s profile %s, where B2C fails with \"%s\"%s",
						s.Order, j.ID, v.name, t.ID, v.stepError, do)
				} else {
					r.say(x.At, trustframework.Odd, "step %d of %s calls the %s profile %s, which B2C documents as a validation technical profile alone%s",
						s.Order, j.ID, v.name, t.ID, do)
				}
			}
		}
	}
	return r.found
}

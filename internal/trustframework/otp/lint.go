package otp

import (
	"strings"
	"time"

	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
)

// lintGenerateCode says what of a GenerateCode profile cannot be run, and what is weaker than it has to be.
func lintGenerateCode(p *trustframework.Policy, t *trustframework.TechnicalProfile) []trustframework.Problem {
	terms, found := generation(t)
	r := reading{t: t, found: found}
	if old, there := t.Metadata.Get(maxNumAttempts); there {
		if _, both := t.Metadata.Get(retryAttempts); both {
			r.say(old.At, trustframework.Odd, "has %s beside %s: the old name does nothing then; remove it", maxNumAttempts, retryAttempts)
		}
	}
	if broken(t, found) == nil {
		length, _ := t.Metadata.Get(codeLength)
		if terms.Length == 4 && terms.Tries >= 5 {
			r.say(length.At, trustframework.Odd, "has codes of 4 characters and %d tries each: one code in %d is guessed at random; lengthen the code, or lower %s",
				terms.Tries, codes(terms)/terms.Tries, retryAttempts)
		}
		if reuse, _ := t.Metadata.Get(reuseSameCode); !terms.FreshCode && terms.Lifetime > 10*time.Minute {
			r.say(reuse.At, trustframework.Odd, "hands the same code over again for %v after each request, so that one code may live for hours; set %s to false, or shorten %s",
				terms.Lifetime, reuseSameCode, codeExpiration)
		}
		if expiration, _ := t.Metadata.Get(codeExpiration); terms.Lifetime <= time.Minute {
			r.say(expiration.At, trustframework.Odd, "has codes that live for %v, in which many a message does not arrive; raise %s",
				terms.Lifetime, codeExpiration)
		}
		if _, there := t.Metadata.Get(generationAttempts); !there {
			r.say(t.At, trustframework.Odd, "has no %s, so that 10 codes may be asked for; set it to what a person needs, such as 3", generationAttempts)
		}
	}
	r.leaks(p)
	return r.found
}

// leaks looks for places where a code would leave the policy by itself.
func (r *reading) leaks(p *trustframework.Policy) {
	for _, m := range r.t.OutputClaims {
		if !strings.EqualFold(m.PartnerName(), otpGenerated) {
			continue
		}
		for _, d := range p.DisplayControls {
			r.leak(d.OutputClaims, m.Claim, "the display control "+d.ID, "its page, where whoever asks for a code can read it")
		}
		if p.RelyingParty != nil && p.RelyingParty.Profile != nil {
			r.leak(p.RelyingParty.Profile.OutputClaims, m.Claim, "the relying party", "the application's token")
		}
	}
}

func (r *reading) leak(outputs []trustframework.ClaimMapping, claim, whose, where string) {
	for _, out := range outputs {
		if strings.EqualFold(strings.TrimSpace(out.Claim), strings.TrimSpace(claim)) {
			r.say(out.At, trustframework.Odd, "has its code in the claim %s, which is an output claim of %s and so goes to %s; remove it there",
				claim, whose, where)
		}
	}
}

// codes is how many codes of four characters there are.
func codes(p passcode.Policy) int {
	set, err := passcode.Characters(p.Alphabet)
	if err != nil {
		return 0
	}
	return len(set) * len(set) * len(set) * len(set)
}

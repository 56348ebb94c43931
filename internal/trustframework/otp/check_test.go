package otp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/otp"
)

// good is a GenerateCode profile that nothing is to be said of.
func good(metadata ...string) string {
	return generateCode(append([]string{"NumCodeGenerationAttempts=3"}, metadata...)...)
}

func TestNothingToSay(t *testing.T) {
	policy := parts{profiles: good() + verifyCode() + sendCode() + proveCode()}.load(t)
	for _, id := range []string{"Generate", "Verify", "Send", "Prove"} {
		if found := check(t, policy, id); len(found) > 0 {
			t.Errorf("%s: %v", id, found)
		}
	}
}

func TestCheck(t *testing.T) {
	odd, broken := trustframework.Odd, trustframework.Broken
	wrong := func(handler, claims string, metadata ...string) string {
		return profile("P", handler, claims, append([]string{"NumCodeGenerationAttempts=3"}, metadata...)...)
	}
	codes := func(claims string) string {
		return wrong(otp.OneTimePasswordHandler, claims, "Operation=GenerateCode")
	}
	in := `<InputClaims><InputClaim ClaimTypeReferenceId="email" PartnerClaimType="identifier" /></InputClaims>`
	for name, c := range map[string]struct {
		profile string
		weight  trustframework.Weight
		want    string
	}{
		"no Operation":      {profile("P", otp.OneTimePasswordHandler, generateClaims), broken, "AADB2C90023"},
		"an empty one":      {profile("P", otp.OneTimePasswordHandler, generateClaims, "Operation= "), broken, "AADB2C99011"},
		"an unknown one":    {profile("P", otp.OneTimePasswordHandler, generateClaims, "Operation=VerfyCode"), broken, "did you mean VerifyCode?"},
		"one in lower case": {wrong(otp.OneTimePasswordHandler, generateClaims, "Operation=generatecode"), odd, "other letters than GenerateCode"},
		"that of another":   {profile("P", otp.SSPRHandler, sendClaims, "Operation=GenerateCode"), broken, "SendCode or VerifyCode"},

		"a misspelt setting":        {wrong(otp.OneTimePasswordHandler, generateClaims, "Operation=GenerateCode", "NumRetryAttemps=3"), odd, "did you mean NumRetryAttempts?"},
		"an unknown one of SSPR":    {profile("P", otp.SSPRHandler, sendClaims, "Operation=SendCode", "CodeLength=4"), odd, "CodeLength, which a SSPR profile with Operation SendCode does not have"},
		"a setting on VerifyCode":   {profile("P", otp.OneTimePasswordHandler, verifyClaims, "Operation=VerifyCode", "NumRetryAttempts=3"), odd, "belongs to the profile whose Operation is GenerateCode"},
		"a message of the host":     {profile("P", otp.OneTimePasswordHandler, verifyClaims, "Operation=VerifyCode", "UserMessageIfInvalidCode=x"), odd, "self-asserted technical profile that hosts the call"},
		"a message of SSPR's host":  {profile("P", otp.SSPRHandler, sendClaims, "Operation=SendCode", "UserMessageIfThrottled=x"), odd, "self-asserted technical profile that hosts the call"},
		"a message of another":      {profile("P", otp.SSPRHandler, sendClaims, "Operation=SendCode", "UserMessageIfInvalidCode=x"), odd, "does not have"},
		"an older name":             {profile("P", otp.OneTimePasswordHandler, verifyClaims, "Operation=VerifyCode", "UserMessage.ServerError=x"), odd, "write it there as UserMessageIfSessionConflict"},
		"an older name on SSPR":     {profile("P", otp.SSPRHandler, sendClaims, "Operation=SendCode", "UserMessage.ServerError=x"), odd, "does not have"},
		"MaxNumAttempts alone":      {wrong(otp.OneTimePasswordHandler, generateClaims, "Operation=GenerateCode", "MaxNumAttempts=3"), odd, "is taken for NumRetryAttempts"},
		"MaxNumAttempts beside":     {wrong(otp.OneTimePasswordHandler, generateClaims, "Operation=GenerateCode", "MaxNumAttempts=3", "NumRetryAttempts=3"), odd, "does nothing then"},
		"claim resolvers":           {wrong(otp.OneTimePasswordHandler, generateClaims, "Operation=GenerateCode", "IncludeClaimResolvingInClaimsHandling=true"), odd, "does not document for one-time-password profiles"},
		"addresses that go through": {profile("P", otp.SSPRHandler, sendClaims, "Operation=SendCode", "allowTestEmailAddressPassThrough=true"), odd, "ignored here"},

		"no identifier":       {codes(`<OutputClaims><OutputClaim ClaimTypeReferenceId="otp" PartnerClaimType="otpGenerated" /></OutputClaims>`), broken, "no input claim for identifier"},
		"no otpGenerated":     {codes(in), broken, "no output claim for otpGenerated"},
		"no otpToVerify":      {profile("P", otp.OneTimePasswordHandler, in, "Operation=VerifyCode"), broken, "no input claim for otpToVerify"},
		"no emailAddress":     {profile("P", otp.SSPRHandler, "", "Operation=SendCode"), broken, "no input claim for emailAddress"},
		"no verificationCode": {profile("P", otp.SSPRHandler, sendClaims, "Operation=VerifyCode"), broken, "no input claim for verificationCode"},
		"an undeclared claim": {codes(strings.Replace(generateClaims, `"email"`, `"phone"`, 1)), broken, "claim phone, which the policy does not declare"},
		"an undeclared code":  {codes(strings.Replace(generateClaims, `"otp"`, `"secret"`, 1)), broken, "claim secret, which the policy does not declare"},
		"a code as a number":  {codes(strings.Replace(generateClaims, `"otp"`, `"number"`, 1)), odd, "begins with 0 loses it"},
		"a misspelt partner":  {codes(strings.Replace(generateClaims, `"identifier"`, `"identifer"`, 1)), odd, "did you mean identifier?"},
		"no partner of SSPR":  {profile("P", otp.SSPRHandler, `<InputClaims><InputClaim ClaimTypeReferenceId="emailAddress" /></InputClaims>`, "Operation=SendCode"), odd, "emailAddress without PartnerClaimType"},
		"an output of nobody": {codes(strings.Replace(generateClaims, `<OutputClaims>`, `<OutputClaims><OutputClaim ClaimTypeReferenceId="typed" />`, 1)), odd, "output claim for typed"},

		"out of range":       {wrong(otp.OneTimePasswordHandler, generateClaims, "Operation=GenerateCode", "CodeLength=3"), broken, "CodeLength that is out of range"},
		"four digits":        {wrong(otp.OneTimePasswordHandler, generateClaims, "Operation=GenerateCode", "CodeLength=4"), odd, "one code in 2000"},
		"a code for long":    {wrong(otp.OneTimePasswordHandler, generateClaims, "Operation=GenerateCode", "ReuseSameCode=true", "CodeExpirationInSeconds=601"), odd, "same code over again"},
		"a code for 60 s":    {wrong(otp.OneTimePasswordHandler, generateClaims, "Operation=GenerateCode", "CodeExpirationInSeconds=60"), odd, "raise CodeExpirationInSeconds"},
		"no bound of codes":  {profile("P", otp.OneTimePasswordHandler, generateClaims, "Operation=GenerateCode"), odd, "has no NumCodeGenerationAttempts"},
		"an empty metadatum": {wrong(otp.OneTimePasswordHandler, generateClaims, "Operation=GenerateCode", "CodeLength="), broken, "not a whole number"},
	} {
		found := check(t, parts{profiles: c.profile}.load(t), "P")
		i := slices.IndexFunc(found, func(p trustframework.Problem) bool { return strings.Contains(p.Reason, c.want) })
		if i < 0 {
			t.Errorf("%s: %v, want %s", name, found, c.want)
			continue
		}
		if p := found[i]; p.Weight != c.weight || p.At.File != "test.xml" || p.At.Line == 0 || !strings.HasPrefix(p.Reason, "technical profile P ") {
			t.Errorf("%s: %s %v", name, p.Weight, p)
		}
		if c.weight == odd && weigh(found, "") > odd && !strings.Contains(name, "misspelt partner") {
			t.Errorf("%s: more than odd: %v", name, found)
		}
	}
}

// What is as strong as it has to be is not remarked on.
func TestLintsHaveBounds(t *testing.T) {
	for _, metadata := range [][]string{
		{"CodeLength=4", "NumRetryAttempts=4"}, {"CodeLength=5"}, {"ReuseSameCode=true", "CodeExpirationInSeconds=600"},
		{"CodeExpirationInSeconds=1200"}, {"CodeExpirationInSeconds=61"},
	} {
		if found := check(t, parts{profiles: good(metadata...)}.load(t), "Generate"); len(found) > 0 {
			t.Errorf("%v: %v", metadata, found)
		}
	}
}

// journey calls a technical profile in an orchestration step.
func journey(element, profile string) string {
	return fmt.Sprintf(`<%[1]ss><%[1]s Id="J"><OrchestrationSteps><OrchestrationStep Order="2" Type="ClaimsExchange"><ClaimsExchanges>
<ClaimsExchange Id="X" TechnicalProfileReferenceId="%[2]s" /></ClaimsExchanges></OrchestrationStep></OrchestrationSteps></%[1]s></%[1]ss>`, element, profile)
}

func TestProfilesThatAStepCalls(t *testing.T) {
	for _, c := range []struct {
		element, called string
		checked         string
		weight          trustframework.Weight
		want            string
	}{
		{"UserJourney", "Generate", "Generate", trustframework.Broken, "Unable to cast object of type 'Web.TPEngine.Providers.OneTimePasswordProtocolProvider'"},
		{"UserJourney", "generate", "Generate", trustframework.Broken, "step 2 of J calls"},
		{"SubJourney", "Verify", "Verify", trustframework.Broken, "ValidationTechnicalProfiles"},
		{"SubJourney", "Send", "Send", trustframework.Odd, "validation technical profile alone"},
		{"UserJourney", "Verify", "Generate", 0, ""},
	} {
		policy := parts{profiles: good() + verifyCode() + sendCode(), rest: journey(c.element, c.called)}.load(t)
		found := check(t, policy, c.checked)
		if c.weight == 0 {
			if len(found) > 0 {
				t.Errorf("%+v: %v", c, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Weight != c.weight || !strings.Contains(found[0].Reason, c.want) || found[0].At.Line == policy.TechnicalProfiles[0].At.Line {
			t.Errorf("%+v: %v", c, found)
		}
	}
}

func TestCodesThatLeaveThePolicy(t *testing.T) {
	policy := parts{
		blocks: `<DisplayControls><DisplayControl Id="Mail" UserInterfaceControlType="VerificationControl">
<OutputClaims><OutputClaim ClaimTypeReferenceId="email" /><OutputClaim ClaimTypeReferenceId="OTP" /></OutputClaims></DisplayControl></DisplayControls>`,
		profiles: good() + verifyCode(),
		rest: `<RelyingParty><DefaultUserJourney ReferenceId="J" /><TechnicalProfile Id="PolicyProfile">
<OutputClaims><OutputClaim ClaimTypeReferenceId="otp" PartnerClaimType="code" /></OutputClaims></TechnicalProfile></RelyingParty>`,
	}.load(t)
	found := check(t, policy, "Generate")
	for _, want := range []string{"display control Mail", "the application's token"} {
		if weigh(found, want) != trustframework.Odd {
			t.Errorf("%v, want %s", found, want)
		}
	}
	if len(found) != 2 {
		t.Errorf("%d problems: %v", len(found), found)
	}
	if found := check(t, policy, "Verify"); len(found) > 0 {
		t.Errorf("VerifyCode: %v", found)
	}
}

func TestAbout(t *testing.T) {
	policy := parts{profiles: generateCode() + verifyCode() + sendCode() + proveCode() + profile("Unknown", otp.SSPRHandler, "", "Operation=x")}.load(t)
	kinds := map[string]bool{}
	for _, p := range policy.TechnicalProfiles {
		about := (&otp.OneTimePassword{}).About(p)
		if p.Protocol.HandlerType() == otp.SSPRHandler {
			about = (&otp.SSPR{}).About(p)
		}
		for _, sentence := range append([]string{about.B2C, about.Otpost, about.Entra}, about.Differs...) {
			if !strings.HasSuffix(sentence, ".") {
				t.Errorf("%s: %q is no sentence", p.ID, sentence)
			}
		}
		if about.Kind == "" || kinds[about.Kind] || (len(about.Differs) == 0) != (p.ID == "Unknown") {
			t.Errorf("%s: %+v", p.ID, about)
		}
		kinds[about.Kind] = true
	}
}

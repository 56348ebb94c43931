package execute_test

import (
	"strings"
	"testing"
)

// One row is one call of a profile alone: what its handler gets, and what comes out.
func TestInputAndOutputClaims(t *testing.T) {
	const resolving = "IncludeClaimResolvingInClaimsHandling"
	for name, c := range map[string]struct {
		inside    string
		claims    []string
		call, out string
	}{
		"a claim under its own name":         {inputs("email"), []string{"EMAIL=a@b.example"}, "P email=a@b.example", ""},
		"a claim under a partner's name":     {inputs(`email PartnerClaimType="identifier"`), []string{"email=a@b.example"}, "P identifier=a@b.example", ""},
		"a claim without a value":            {inputs("email"), nil, "P", ""},
		"a claim with an empty value":        {inputs("email"), []string{"email="}, "P", ""},
		"a default for one without":          {inputs(`other DefaultValue="x"`), nil, "P other=x", ""},
		"a default for an empty one":         {inputs(`other DefaultValue="x"`), []string{"other="}, "P other=x", ""},
		"a default for one with":             {inputs(`other DefaultValue="x"`), []string{"other=y"}, "P other=y", ""},
		"a default for always":               {inputs(`other DefaultValue="x" AlwaysUseDefaultValue="true"`), []string{"other=y"}, "P other=x", ""},
		"always without a default":           {inputs(`other AlwaysUseDefaultValue="true"`), []string{"other=y"}, "P other=y", ""},
		"an empty default":                   {inputs(`other DefaultValue=""`), nil, "P", ""},
		"a default has the claim's type":     {inputs(`newUser DefaultValue="TRUE"`, `tries DefaultValue=" 07 "`), nil, "P newUser=True tries=7", ""},
		"a claim of another type":            {inputs("newUser", "tries"), []string{"newUser=true", "tries=7"}, "P newUser=True tries=7", ""},
		"one claim under two names":          {inputs(`email PartnerClaimType="a"`, `email PartnerClaimType="b"`), []string{"email=x"}, "P a=x b=x", ""},
		"a resolver is text by itself":       {inputs(`other DefaultValue="{Claim:email}"`), []string{"email=x"}, "P other={Claim:email}", ""},
		"a resolver where it was asked for":  {metadata(resolving, "true") + inputs(`other DefaultValue="({Claim:email})"`), []string{"email=x"}, "P other=(x)", ""},
		"asked for in other letters":         {metadata(resolving, " True ") + inputs(`other DefaultValue="{claim:EMAIL}"`), []string{"email=x"}, "P other=x", ""},
		"asked not to":                       {metadata(resolving, "false") + inputs(`other DefaultValue="{Claim:email}"`), []string{"email=x"}, "P other={Claim:email}", ""},
		"a resolver does not beat a value":   {metadata(resolving, "true") + inputs(`other DefaultValue="{Claim:email}"`), []string{"email=x", "other=y"}, "P other=y", ""},
		"a resolver does with always":        {metadata(resolving, "true") + inputs(`other DefaultValue="{Claim:email}" AlwaysUseDefaultValue="true"`), []string{"email=x", "other=y"}, "P other=x", ""},
		"a resolver without a value":         {metadata(resolving, "true") + inputs(`other DefaultValue="{Claim:email}"`), nil, "P", ""},
		"an answer":                          {metadata("answer otpGenerated", "1") + outputs(`code PartnerClaimType="OTPGENERATED"`), nil, "P", "code=1"},
		"an answer that nobody wants":        {metadata("answer otpGenerated", "1") + outputs("other"), nil, "P", ""},
		"an answer of the claim's type":      {metadata("answer newUser", "true", "answer tries", "3", "answer emails", "a") + outputs("newUser", "tries", "emails"), nil, "P", "emails=a newUser=True tries=3"},
		"an answer beats the claim":          {metadata("answer other", "1") + outputs("other"), []string{"other=2"}, "P", "other=1"},
		"an answer beats the default":        {metadata("answer other", "1") + outputs(`other DefaultValue="2"`), nil, "P", "other=1"},
		"an answer does not beat always":     {metadata("answer other", "1") + outputs(`other DefaultValue="2" AlwaysUseDefaultValue="true"`), nil, "P", "other=2"},
		"the claim beats the default":        {outputs(`other DefaultValue="2"`), []string{"other=1"}, "P", "other=1"},
		"the default where there is nothing": {outputs(`newUser DefaultValue="true"`), nil, "P", "newUser=True"},
		"a resolver in an output":            {metadata(resolving, "true") + outputs(`other DefaultValue="{Policy:PolicyId}"`), nil, "P", "other=B2C_1A_One"},
		"empty lists":                        {inputs() + outputs(), []string{"email=x"}, "P", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldOf(t, "", profile("P", c.inside))
			equal(t, "claims", w.must("P", c.claims...), c.out)
			equal(t, "call", w.calls(), c.call)
			equal(t, "session", said(&w.session.Claims), c.out)
		})
	}
}

func TestClaimsThatDoNotFitAreMisuse(t *testing.T) {
	for name, c := range map[string]struct {
		inside string
		claims []string
		part   string
	}{
		"required, and not there":       {inputs(`email Required="true"`), nil, "input claim email is required"},
		"given, and not declared":       {"", []string{"nothing=1"}, "claim nothing: is not declared"},
		"given, and of another type":    {"", []string{"tries=many"}, "claim tries: its value is not a whole number"},
		"a default of another type":     {inputs(`newUser DefaultValue="maybe"`), nil, "claim newUser: its value is not a boolean"},
		"an answer of another type":     {metadata("answer tries", "many") + outputs("tries"), nil, "claim tries: its value is not a whole number"},
		"an answer to a claim unknown":  {metadata("answer nothing", "1") + outputs("nothing"), nil, "claim nothing: is not declared"},
		"a transformation without ways": {`<InputClaimsTransformations><InputClaimsTransformation ReferenceId="Nowhere"/></InputClaimsTransformations>`, nil, "claims transformation Nowhere: is defined in no file"},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldOf(t, "", profile("P", c.inside))
			w.misused(c.part, "P", c.claims...)
			equal(t, "session", said(&w.session.Claims), "")
		})
	}
}

// IncludeTechnicalProfile takes everything of the profile that it names, which may include another.
func TestAProfileRunsWithAllThatItIncludes(t *testing.T) {
	w := worldOf(t, "", `<TechnicalProfile Id="Root">`+echoes+metadata("answer other", "root", "answer code", "root")+inputs("email")+`</TechnicalProfile>`+
		`<TechnicalProfile Id="Middle">`+metadata("answer other", "middle")+outputs("other")+`<IncludeTechnicalProfile ReferenceId="Root"/></TechnicalProfile>`+
		`<TechnicalProfile Id="Leaf">`+inputs("tries")+outputs("code")+`<IncludeTechnicalProfile ReferenceId="middle"/></TechnicalProfile>`)
	equal(t, "claims", w.must("Leaf", "email=a", "tries=2"), "code=root other=middle")
	equal(t, "call", w.calls(), "Leaf email=a tries=2")
}

func TestAProfileThatFailsChangesNothing(t *testing.T) {
	w := worldOf(t, "", profile("Answers", metadata("answer other", "new", "answer tries", "many")+outputs("other", "tries"))+
		page("Page", outputs("email", "other")+`<ValidationTechnicalProfiles><ValidationTechnicalProfile ReferenceId="Answers" ContinueOnError="true"/></ValidationTechnicalProfiles>`))
	w.misused("claim tries", "Answers", "other=old")
	equal(t, "session", said(&w.session.Claims), "")
	// What cannot be run is no error that a policy may go on after.
	w.misused("claim tries", "Page", "email=a")
}

func TestATransformationGetsItsPolicyKey(t *testing.T) {
	w := worldOf(t, `<ClaimsTransformations><ClaimsTransformation Id="Hashed" TransformationMethod="Hash">
<InputClaims><InputClaim ClaimTypeReferenceId="email" TransformationClaimType="plaintext"/><InputClaim ClaimTypeReferenceId="other" TransformationClaimType="salt"/></InputClaims>
<InputParameters><InputParameter Id="randomizerSecret" DataType="string" Value="B2C_1A_Secret"/></InputParameters>
<OutputClaims><OutputClaim ClaimTypeReferenceId="body" TransformationClaimType="hash"/></OutputClaims></ClaimsTransformation></ClaimsTransformations>`,
		profile("One", outputs("body")+`<OutputClaimsTransformations><OutputClaimsTransformation ReferenceId="Hashed"/></OutputClaimsTransformations>`))
	w.misused("B2C_1A_Secret", "One", "email=a@b.example", "other=salt")
	w.runner.Keys = func(storage string) (string, bool) { return "secret", storage == "B2C_1A_Secret" }
	if got := w.must("One", "email=a@b.example", "other=salt"); got == "" {
		t.Error("nothing was hashed")
	}
}

// A transformation that takes a claim's value does so for those that come after, as one that gives it a value.
func TestAClaimThatWasTakenIsGone(t *testing.T) {
	nulls := `<ClaimsTransformations><ClaimsTransformation Id="Nulls" TransformationMethod="NullClaim">
<OutputClaims><OutputClaim ClaimTypeReferenceId="other" TransformationClaimType="claim_to_null"/></OutputClaims></ClaimsTransformation></ClaimsTransformations>`
	first := `<InputClaimsTransformations><InputClaimsTransformation ReferenceId="Nulls"/></InputClaimsTransformations>`
	last := `<OutputClaimsTransformations><OutputClaimsTransformation ReferenceId="Nulls"/></OutputClaimsTransformations>`
	profiles := profile("Make", metadata("answer other", "made")+outputs("other")) + profile("Forget", first) + profile("Use", inputs("other")) +
		profile("Fail", first+metadata("Fail", "UserMessageIfX"))
	for name, c := range map[string]struct {
		inside string
		// claims are the page's, kept the session's, which had other before. calls are those after Make.
		claims, kept, calls string
	}{
		"by a validation":                    {outputs("email", "other") + validations("Forget", "Use"), "email=a", "email=a", "Use"},
		"by a validation, and made again":    {outputs("email", "other") + validations("Forget", "Make", "Use"), "email=a other=made", "email=a other=made", "Make; Use other=made"},
		"within the page that puts none out": {outputs("email") + validations("Forget", "Use"), "email=a", "email=a other=made", "Use"},
		"not by one that was refused":        {outputs("email", "other") + validations(`Fail ContinueOnError="true"`, "Use"), "email=a other=made", "email=a other=made", "Fail; Use other=made"},
		"before the page is shown":           {first + outputs("email", "other") + validations("Use"), "email=a", "email=a", "Use"},
		"after the page":                     {outputs("email", "other") + validations("Use") + last, "email=a", "email=a", "Use other=made"},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldOf(t, nulls, profiles+page("Page", c.inside))
			w.must("Make")
			w.calls()
			equal(t, "claims", w.must("Page", "email=a"), c.claims)
			equal(t, "session", said(&w.session.Claims), c.kept)
			calls := strings.NewReplacer("Forget; ", "", "Forget other=made; ", "").Replace(w.calls())
			equal(t, "calls", calls, c.calls)
		})
	}
	t.Run("by a profile alone", func(t *testing.T) {
		w := worldOf(t, nulls, profiles)
		w.must("Make")
		w.must("Forget")
		equal(t, "session", said(&w.session.Claims), "")
	})
	t.Run("by an action of a display control", func(t *testing.T) {
		w := worldOf(t, nulls+displayControl("ctl", "VerificationControl", emailAndCode+outputs("other"), action("SendCode", "Make"), action("VerifyCode", "Forget", "Use")), profiles)
		equal(t, "sent", w.must("ctl SendCode", "email=a"), "other=made")
		equal(t, "verified", w.must("ctl VerifyCode", "code=1"), "")
		equal(t, "control", said(&w.session.Controls["ctl"].Claims), "email=a")
	})
}

package mfa_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/mfa"
)

func base(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/base.xml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// problems are those of one profile, as "weight: reason". Each names the profile.
func problems(t *testing.T, p *trustframework.Policy, profile string) (all []string) {
	t.Helper()
	tp, ok := p.TechnicalProfile(profile)
	if !ok {
		t.Fatalf("no profile %s", profile)
	}
	for _, found := range (&mfa.Handler{}).Check(p, tp) {
		if found.At.File == "" || found.At.Line == 0 {
			t.Errorf("%s: %s has no place", profile, found.Reason)
		}
		reason, named := strings.CutPrefix(found.Reason, "technical profile "+profile+": ")
		if !named {
			t.Errorf("%s is not named in %s", profile, found.Reason)
		}
		all = append(all, found.Weight.String()+": "+reason)
	}
	return all
}

// withProfile is a policy with one profile more.
func withProfile(t *testing.T, body string) *trustframework.Policy {
	t.Helper()
	return withFile(t, `<BuildingBlocks><ClaimsSchema><ClaimType Id="number"><DisplayName>Number</DisplayName><DataType>int</DataType></ClaimType></ClaimsSchema><Localization Enabled="true"><LocalizedResources Id="phone.en"><LocalizedStrings>`+countryString(`{"FR":"France"}`)+`</LocalizedStrings></LocalizedResources></Localization></BuildingBlocks>
<ClaimsProviders><ClaimsProvider><DisplayName>Mine</DisplayName><TechnicalProfiles><TechnicalProfile Id="Mine"><DisplayName>Mine</DisplayName>`+body+`<IncludeTechnicalProfile ReferenceId="Mfa" /></TechnicalProfile></TechnicalProfiles></ClaimsProvider></ClaimsProviders>`)
}

func metadata(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString(`<Item Key="` + pairs[i] + `">` + pairs[i+1] + `</Item>`)
	}
	return "<Metadata>" + b.String() + "</Metadata>"
}

func inputs(claims ...string) string {
	var b strings.Builder
	for _, c := range claims {
		claim, partner, _ := strings.Cut(c, ">")
		b.WriteString(`<InputClaim ClaimTypeReferenceId="` + claim + `" PartnerClaimType="` + partner + `" />`)
	}
	return "<InputClaims>" + b.String() + "</InputClaims>"
}

func TestWhatIsWrongWithAProfile(t *testing.T) {
	const set = "OneWaySMS, Verify, GetAvailableDevices, BeginVerifyOTP or VerifyOTP"
	sms := inputs("upn>userPrincipalName", "phone>phoneNumber")
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"nothing":      {metadata("Operation", "OneWaySMS") + sms, nil},
		"no Operation": {sms, []string{"broken: has no metadata key Operation; set it to " + set}},
		"an empty one": {metadata("Operation", " "), []string{"broken: has an empty Operation; set it to " + set}},
		"an unknown one": {metadata("operation", "OneWaySmS2"),
			[]string{"broken: has an Operation that there is not for multifactor authentication; set it to " + set + "; did you mean OneWaySMS?"}},
		"one of another kind": {metadata("Operation", "GenerateCode"),
			[]string{"broken: has an Operation that there is not for multifactor authentication; set it to " + set}},
		"one in other letters": {metadata("Operation", "onewaysms") + sms,
			[]string{"odd: has an Operation in other letters than OneWaySMS; it is taken for that, and B2C may not do so"}},
		"metadata": {metadata("Operation", "OneWaySMS", "CodeLength", "8", "Operatoin", "x", "UserMessageIfThrottled", "x", "UserMessageIfThrotled", "x") + sms, []string{
			"odd: has the metadata key CodeLength, which is not read: Operation is all that there is",
			"odd: has the metadata key Operatoin, which is not read: Operation is all that there is; did you mean Operation?",
			"odd: has UserMessageIfThrottled, which B2C reads in the self-asserted profile that calls this one; move it there",
			"odd: has the metadata key UserMessageIfThrotled, which is not read: Operation is all that there is; did you mean UserMessageIfThrottled?"}},
		"claim resolvers": {metadata("Operation", "OneWaySMS", "IncludeClaimResolvingInClaimsHandling", "true") + sms,
			[]string{"odd: has IncludeClaimResolvingInClaimsHandling, which B2C does not document for multifactor authentication; here it is followed"}},
		"missing and unknown inputs": {metadata("Operation", "Verify") + inputs("phone>phoneNumbr", "verificationCode>verificationCode"), []string{
			`broken: has no input claim for phoneNumber; add an InputClaim with PartnerClaimType="phoneNumber"`,
			"odd: gives phone as phoneNumbr, which is no input of Verify and is not read; did you mean phoneNumber?"}},
		"an undeclared claim": {metadata("Operation", "Verify") + inputs("phon>phoneNumber", "verificationCode>verificationCode"),
			[]string{"broken: takes phoneNumber from the claim phon, which is not declared and so never has a value; did you mean phone?"}},
		"a code that is a number": {metadata("Operation", "VerifyOTP") + inputs("number>otpCode"),
			[]string{"odd: takes otpCode from the claim number of DataType int, in which a code that begins with 0 loses it; declare it as a string"}},
		"an answer that nobody gets": {metadata("Operation", "GetAvailableDevices") + inputs("upn>userPrincipalName"),
			[]string{`odd: has no output claim for numberOfAvailableDevices, which is all that GetAvailableDevices is for; add an OutputClaim with PartnerClaimType="numberOfAvailableDevices"`}},
		"outputs": {metadata("Operation", "OneWaySMS") + sms + `<OutputClaims><OutputClaim ClaimTypeReferenceId="brand" DefaultValue="x" /><OutputClaim ClaimTypeReferenceId="devices" /></OutputClaims>`,
			[]string{"odd: has the output claim devices, which OneWaySMS gives no value"}},
		"a short secret": {metadata("Operation", "BeginVerifyOTP") + inputs("upn>userPrincipalName", "oid>objectId", "secret>secretKey"),
			[]string{"odd: the claims transformation MakeSecret makes secrets of 80 bits, as B2C does; RFC 4226 §4 wants 128 at least and recommends 160"}},
		"no secret": {metadata("Operation", "BeginVerifyOTP") + inputs("upn>userPrincipalName", "oid>objectId"),
			[]string{`odd: has no input claim for secretKey, so that no authenticator can be enrolled here; add an InputClaim with PartnerClaimType="secretKey"`}},
	} {
		if got := problems(t, withProfile(t, c.body), "Mine"); !slices.Equal(got, c.want) {
			t.Errorf("%s: got\n\t%s\nwant\n\t%s", name, strings.Join(got, "\n\t"), strings.Join(c.want, "\n\t"))
		}
	}
}

func TestWhatIsWrongWithCountries(t *testing.T) {
	set := load(t)
	if got := problems(t, policyOf(t, set, "B2C_1A_Listed"), "Send"); got != nil {
		t.Errorf("problems %q", got)
	}
	if got := problems(t, policyOf(t, set, "B2C_1A_Base"), "Send"); got != nil {
		t.Errorf("problems of a policy that is only built on: %q", got)
	}
	if got := problems(t, policyOf(t, set, "B2C_1A_Open"), "Send"); len(got) != 2 || !strings.Contains(got[0], "has no effect for the policy B2C_1A_Open") ||
		!strings.Contains(got[1], "to every country for the policy B2C_1A_Open") {
		t.Errorf("problems %q", got)
	}
	twice := withResources(t, `<LocalizedResources Id="phone.en"><LocalizedStrings>`+countryString(`{"FR":"France"}`)+
		`</LocalizedStrings></LocalizedResources><LocalizedResources Id="api.phonefactor.fr"><LocalizedStrings>`+countryString(`{}`)+`</LocalizedStrings></LocalizedResources>`)
	if got := problems(t, twice, "Send"); len(got) != 2 || !strings.Contains(got[0], "no country") || !strings.Contains(got[1], "second countryList") {
		t.Errorf("problems %q", got)
	}
}

// TestEveryOperationIsDescribed holds that a report has something to say of each, and of what cannot be run.
func TestEveryOperationIsDescribed(t *testing.T) {
	p := policyOf(t, load(t), "B2C_1A_Open")
	for _, id := range []string{"Send", "Check", "Devices", "Begin", "CheckApp", "Mfa"} {
		profile, _ := p.TechnicalProfile(id)
		a := (&mfa.Handler{}).About(profile)
		for _, text := range []string{a.Kind, a.B2C, a.Otpost, a.Entra} {
			if text == "" || text == a.Kind != strings.HasPrefix(text, "multifactor authentication, ") {
				t.Errorf("%s: %+v", id, a)
			}
		}
		if item, there := profile.Metadata.Get("Operation"); there != (len(a.Differs) > 0) || !strings.HasSuffix(a.Kind, item.Value) {
			t.Errorf("%s: %+v", id, a)
		}
	}
}

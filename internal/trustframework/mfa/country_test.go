package mfa_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/mfa"
)

func TestMessagesGoOnlyToListedCountries(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		listed, free := b.journey(t, "B2C_1A_Listed", "s1"), b.journey(t, "B2C_1A_Open", "s2")
		for number, allowed := range map[string]bool{
			paris:           true,
			"+15062345678":  true,  // Canada
			"+12025550123":  false, // the United States, whose calling code is Canada's
			"+3545812345":   false, // Iceland, which the parent's list has
			"+881612345678": false, // a satellite's, of no country
		} {
			if allowed {
				listed.ok(t, "Send", "phone", number)
				continue
			}
			listed.told(t, "UserMessageIfCouldntSendSms", "Send", "phone", number)
			free.ok(t, "Send", "phone", number)
		}
	})
}

// withList is the policy of testdata with another list in the relying party's file.
func withList(t *testing.T, list string) *trustframework.Policy {
	t.Helper()
	return withResources(t, `<LocalizedResources Id="phone.en"><LocalizedStrings>`+list+`</LocalizedStrings></LocalizedResources>`)
}

func withResources(t *testing.T, resources string) *trustframework.Policy {
	t.Helper()
	return withFile(t, `<BuildingBlocks><Localization Enabled="true">`+resources+`</Localization></BuildingBlocks>`)
}

// withFile is a policy of its own on the base of testdata, with what its file says.
func withFile(t *testing.T, body string) *trustframework.Policy {
	t.Helper()
	files := fstest.MapFS{"base.xml": {Data: base(t)}, "mine.xml": {Data: []byte(
		`<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0" TenantId="fabrikam.example" PolicyId="B2C_1A_Mine" PublicPolicyUri="http://fabrikam.example/mine">
<BasePolicy><TenantId>fabrikam.example</TenantId><PolicyId>B2C_1A_Base</PolicyId></BasePolicy>
` + body + `
<RelyingParty><DefaultUserJourney ReferenceId="Journey" /><TechnicalProfile Id="PolicyProfile"><DisplayName>P</DisplayName><Protocol Name="OpenIdConnect" /></TechnicalProfile></RelyingParty>
</TrustFrameworkPolicy>`)}}
	set, err := trustframework.Load(files, trustframework.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return policyOf(t, set, "B2C_1A_Mine")
}

func countryString(list string) string {
	return `<LocalizedString ElementType="UxElement" StringId="countryList">` + list + `</LocalizedString>`
}

func TestAListThatCannotBeRead(t *testing.T) {
	for _, list := range []string{"", "FR", "[\"FR\"]", "null", "{\"FR\":\"France\"", "{\"FR\":1}", "{\"FRA\":\"France\"}", "{\"F1\":\"France\"}", "{\"\u00e9\":\"x\"}", "{\"\u017f\":\"x\"}"} {
		p := withList(t, countryString(list))
		profile, _ := p.TechnicalProfile("Send")
		found := (&mfa.Handler{}).Check(p, profile)
		if len(found) != 1 || found[0].Weight != trustframework.Broken || found[0].At.File != "mine.xml" || !strings.Contains(found[0].Reason, "countryList") {
			t.Errorf("%q: problems %v", list, found)
		}
		j := answering(t, answers{})
		j.policy = p
		if m := wantMisuse(t, j.run(t, "Send", "phone", paris)); m.At.File != "mine.xml" {
			t.Errorf("%q: %v", list, m)
		}
	}
}

func TestWhichListsCount(t *testing.T) {
	france, canada := countryString(`{"FR":"France"}`), countryString(`{"CA":"Canada"}`)
	resources := func(id, strings string) string {
		return `<LocalizedResources Id="` + id + `"><LocalizedStrings>` + strings + `</LocalizedStrings></LocalizedResources>`
	}
	for name, c := range map[string]struct {
		body  string
		paris bool
	}{
		"of the page, by reference":  {resources("phone.en", canada), false},
		"of the page, by custom":     {resources("api.phonefactor.de", canada), false},
		"of the page, in other case": {resources("API.PhoneFactor.de", canada), false},
		"of another page":            {resources("page.fr", canada), true},
		"another element":            {resources("phone.en", strings.ReplaceAll(canada, "UxElement", "ErrorMessage")), true},
		"another string":             {resources("phone.en", strings.ReplaceAll(canada, "countryList", "countries")), true},
		"two, with one country":      {resources("phone.en", france) + resources("api.phonefactor.fr", france), true},
		"two, with two countries":    {resources("phone.en", france) + resources("api.phonefactor.fr", canada), false},
		"none":                       {resources("phone.en", ""), true},
		"an empty one":               {resources("phone.en", countryString(`{"DEFAULT":"Country/Region"}`)), false},
	} {
		j := answering(t, answers{})
		j.policy = withResources(t, c.body)
		if err := j.run(t, "Send", "phone", paris); (err == nil) != c.paris {
			t.Errorf("%s: %v", name, err)
		}
	}
}

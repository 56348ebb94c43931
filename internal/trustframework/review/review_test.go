package review_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/review"
)

// policy is a file with a control, a profile of each of two kinds, and a claim whose pattern cannot be used.
func policy(id, base string) *fstest.MapFile {
	text := `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0" TenantId="fabrikam.example" PolicyId="` + id + `" PublicPolicyUri="http://fabrikam.example/` + id + `">`
	if base != "" {
		return &fstest.MapFile{Data: []byte(text + `<BasePolicy><TenantId>fabrikam.example</TenantId><PolicyId>` + base + `</PolicyId></BasePolicy></TrustFrameworkPolicy>`)}
	}
	return &fstest.MapFile{Data: []byte(text + `<BuildingBlocks>
<ClaimsSchema><ClaimType Id="email"><DataType>string</DataType><Restriction><Pattern RegularExpression="("/></Restriction></ClaimType></ClaimsSchema>
<DisplayControls><DisplayControl Id="` + id + `Control" UserInterfaceControlType="VerificationControl"><Actions>
<Action Id="SendCode"><ValidationClaimsExchange><ValidationClaimsExchangeTechnicalProfile TechnicalProfileReferenceId="Send"/></ValidationClaimsExchange></Action>
</Actions></DisplayControl></DisplayControls></BuildingBlocks>
<ClaimsProviders><ClaimsProvider><DisplayName>All</DisplayName><TechnicalProfiles>
<TechnicalProfile Id="Send"><Protocol Name="Proprietary" Handler="Web.TPEngine.Providers.AadSsprProtocolProvider, Web.TPEngine"/></TechnicalProfile>
<TechnicalProfile Id="Google"><Protocol Name="OAuth2"/></TechnicalProfile>
</TechnicalProfiles></ClaimsProvider></ClaimsProviders></TrustFrameworkPolicy>`)}
}

func TestWhatIsAskedForAlone(t *testing.T) {
	set := load(t, fstest.MapFS{"a/one.xml": policy("One", ""), "b/two.xml": policy("Two", "")})
	for name, c := range map[string]struct {
		options review.Options
		want    string
	}{
		"in one of several policies": {review.Options{Only: []string{"onecontrol", "TwoControl"}}, ""},
		"one of them nowhere":        {review.Options{Only: []string{"OneControl", "TwoControle"}}, "there is no display control or technical profile TwoControle; did you mean TwoControl?"},
		"not in the policy":          {review.Options{Policy: "One", Only: []string{"TwoControl"}}, "there is no display control or technical profile TwoControl; there is Google, OneControl, Send"},
		"no such policy":             {review.Options{Policy: "Three"}, "there is no policy Three; there is One, Two"},
	} {
		_, err := review.Check(set, handlers(), c.options)
		if got := text(err); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	// What cannot be run is said, whatever nobody else calls.
	checked, err := review.Check(set, handlers(), review.Options{Policy: "One", Only: []string{"Google"}})
	if err != nil || !checked.Failed() || !strings.Contains(written(checked), "a caller of otpost calls Google: its handler is none that otpost has") {
		t.Errorf("a profile that otpost does not run, asked for by name: %v\n%s", err, written(checked))
	}
}

// A pattern that no value could be held to would only be found by the first person who types.
func TestPatternsAreLookedAt(t *testing.T) {
	checked, err := review.Check(load(t, fstest.MapFS{"one.xml": policy("One", "")}), handlers(), review.Options{})
	if err != nil || !strings.Contains(written(checked), "broken: pattern of the claim type email: ") {
		t.Errorf("%v\n%s", err, written(checked))
	}
}

// A profile may be called by a word that stands in what is said of it.
func TestEachFindingNamesItsProfile(t *testing.T) {
	file := policy("One", "")
	file.Data = []byte(strings.Replace(string(file.Data), `<TechnicalProfile Id="Google">`,
		`<TechnicalProfile Id="set"><Protocol Name="Proprietary" Handler="Web.TPEngine.Providers.AadSsprProtocolProvider, Web.TPEngine"/><Metadata><Item Key="Break">1</Item></Metadata></TechnicalProfile>
<TechnicalProfile Id="Google">`, 1))
	checked, err := review.Check(load(t, fstest.MapFS{"one.xml": file}), handlers(), review.Options{})
	if err != nil || !strings.Contains(written(checked), "broken: technical profile set: has the setting Break") {
		t.Errorf("%v\n%s", err, written(checked))
	}
}

// Where several policies have what is run, the policy that they have it from is meant.
func TestWhere(t *testing.T) {
	shared := load(t, fstest.MapFS{"base.xml": policy("Base", ""), "one.xml": policy("One", "Base"), "two.xml": policy("Two", "Base")})
	apart := load(t, fstest.MapFS{"a/one.xml": policy("One", ""), "b/two.xml": policy("Two", "")})
	for name, c := range map[string]struct {
		set        *trustframework.Set
		id, action string
		want       string
		failure    string
	}{
		"from one base":     {set: shared, id: "basecontrol", action: "sendcode", want: "Base"},
		"in one of two":     {set: apart, id: "TwoControl", action: "SendCode", want: "Two"},
		"in both":           {set: apart, id: "Send", failure: "several policies have Send; choose one with --policy: a/one.xml (One), b/two.xml (Two)"},
		"nowhere":           {set: apart, id: "TwoContrl", action: "SendCode", failure: "there is no technical profile or display control TwoContrl; did you mean TwoControl?"},
		"no action":         {set: shared, id: "BaseControl", failure: "BaseControl is a display control; say which action is run: SendCode"},
		"no such action":    {set: shared, id: "BaseControl", action: "VerifyCode", failure: "the display control BaseControl has no action VerifyCode; it has SendCode"},
		"action of profile": {set: shared, id: "Send", action: "SendCode", failure: "Send is a technical profile, which has no action SendCode"},
	} {
		found, err := review.Where(c.set, c.id, c.action)
		if got := text(err); got != c.failure || err == nil && found.ID != c.want {
			t.Errorf("%s: %v, %q; want %s, %q", name, found, got, c.want, c.failure)
		}
	}
}

// What is looked for may stand in a file that is refused.
func TestWhatIsNotThereMayBeRefused(t *testing.T) {
	set := load(t, fstest.MapFS{"good.xml": policy("Good", ""), "lost.xml": policy("Lost", "Nowhere"), "notes.xml": {Data: []byte("<notes/>")}})
	const refused = " (it may stand in what is refused: lost.xml, notes.xml; otpost policy check says why)"
	_, err := review.Find(set, "Lost")
	if text(err) != "there is no policy Lost; there is Good"+refused {
		t.Error(err)
	}
	if _, err := review.Where(set, "LostControl", "SendCode"); !strings.HasSuffix(text(err), refused) {
		t.Error(err)
	}
	if _, err := review.Check(set, handlers(), review.Options{Only: []string{"LostControl"}}); !strings.HasSuffix(text(err), refused) {
		t.Error(err)
	}
	none := load(t, fstest.MapFS{"lost.xml": policy("Lost", "Nowhere")})
	if _, err := review.Where(none, "LostControl", "SendCode"); text(err) != "no policy could be read (it may stand in what is refused: lost.xml; otpost policy check says why)" {
		t.Error(err)
	}
}

func TestFindNamesFoldersWhereOneIDIsInSeveral(t *testing.T) {
	set := load(t, fstest.MapFS{"a/p.xml": policy("P", ""), "b/p.xml": policy("P", "")})
	if _, err := review.Find(set, "p"); text(err) != "several files have a policy p; write its folder before it, as in FOLDER/p" {
		t.Error(err)
	}
	if p, err := review.Find(set, "b/p"); err != nil || p.At.File != "b/p.xml" {
		t.Errorf("%v, %v", p, err)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

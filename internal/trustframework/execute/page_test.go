package execute_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework/execute"
)

func TestOutputClaimsOfAPage(t *testing.T) {
	for name, c := range map[string]struct {
		inside string
		claims []string
		out    string
	}{
		"what was typed":               {outputs("email"), []string{"email=a", "other=b"}, "email=a"},
		"a default where nothing was":  {outputs("email", `other DefaultValue="x"`), []string{"email=a"}, "email=a other=x"},
		"what was, before a default":   {outputs("email", `other DefaultValue="x"`), []string{"email=a", "other=b"}, "email=a other=b"},
		"a default for always":         {outputs("email", `other DefaultValue="x" AlwaysUseDefaultValue="true"`), []string{"email=a", "other=b"}, "email=a other=x"},
		"an input claim fills a field": {inputs(`email DefaultValue="a@b.example"`) + outputs("email"), nil, "email=a@b.example"},
		"what was typed, before that":  {inputs(`email DefaultValue="a@b.example"`) + outputs("email"), []string{"email=c"}, "email=c"},
		"an input claim of no field":   {inputs(`other DefaultValue="x"`) + outputs("email"), []string{"email=a"}, "email=a"},
		"a resolver in an input claim": {metadata("IncludeClaimResolvingInClaimsHandling", "true") + inputs(`email DefaultValue="{OIDC:LoginHint}" AlwaysUseDefaultValue="true"`) + outputs("email"), nil, "email=hint"},
		"no password":                  {outputs("email", "password"), []string{"email=a", "password=secret"}, "email=a"},
		"nothing":                      {outputs(), []string{"email=a"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldOf(t, "", page("Page", c.inside))
			w.scene.OIDC = map[string]string{"loginhint": "hint"}
			equal(t, "claims", w.must("Page", c.claims...), c.out)
			equal(t, "session", said(&w.session.Claims), c.out)
		})
	}
}

func TestAPasswordReachesValidationsAlone(t *testing.T) {
	control := displayControl("ctl", "VerificationControl", `<DisplayClaims><DisplayClaim ClaimTypeReferenceId="password"/></DisplayClaims>`+outputs("password"), action("SendCode", "SignIn"))
	w := worldOf(t, control, profile("SignIn", inputs("password")+outputs("password", "email"))+page("Page", outputs("email", "password")+validations("SignIn")))
	equal(t, "claims", w.must("SignIn", "email=a", "password=correct horse"), "email=a")
	equal(t, "claims", w.must("ctl SendCode", "password=correct horse"), "")
	equal(t, "control", said(&w.session.Controls["ctl"].Claims), "")
	w.calls()
	equal(t, "claims", w.must("Page", "email=a", "password=correct horse"), "email=a")
	equal(t, "calls", w.calls(), "SignIn password=correct horse")
	equal(t, "session", said(&w.session.Claims), "email=a")
}

// What a page shows and does not let anybody change is the session's, whatever is posted (a browser posts the mask).
func TestPostedValuesDoNotChangeWhatIsReadOnly(t *testing.T) {
	control := displayControl("ctl", "VerificationControl", `<DisplayClaims><DisplayClaim ClaimTypeReferenceId="shown" Required="true"/><DisplayClaim ClaimTypeReferenceId="code" ControlClaimType="VerificationCode"/></DisplayClaims>`,
		action("SendCode", "Use"), action("VerifyCode", "Use"))
	profiles := profile("Set", metadata("answer shown", "+1555")+outputs("shown")) + profile("Use", inputs("shown"))
	t.Run("on a page", func(t *testing.T) {
		w := worldOf(t, "", profiles+page("Page", inputs("shown")+outputs("shown")+validations("Use")))
		w.must("Set")
		equal(t, "claims", w.must("Page", "shown=XXX-5"), "shown=+1555")
		equal(t, "calls", w.calls(), "Set; Use shown=+1555")
	})
	t.Run("in a display control", func(t *testing.T) {
		w := worldOf(t, control, profiles)
		w.must("Set")
		w.must("ctl SendCode", "SHOWN=XXX-5")
		equal(t, "calls", w.calls(), "Set; Use shown=+1555")
	})
	t.Run("in a display control of the page", func(t *testing.T) {
		w := worldOf(t, displayControl("info", "AuthenticatorInfoControl", `<DisplayClaims><DisplayClaim ClaimTypeReferenceId="shown"/></DisplayClaims>`),
			profiles+page("Page", `<DisplayClaims><DisplayClaim DisplayControlReferenceId="info"/><DisplayClaim ClaimTypeReferenceId="email"/></DisplayClaims>`+outputs("email")+validations("Use")))
		w.must("Set")
		w.must("Page", "email=a", "shown=mine")
		equal(t, "calls", w.calls(), "Set; Use shown=+1555")
	})
	t.Run("where its own default fills it", func(t *testing.T) {
		w := worldOf(t, "", profiles+page("Page", inputs(`shown DefaultValue="123"`)+outputs("shown")))
		equal(t, "claims", w.must("Page", "shown=forged"), "shown=123")
	})
	t.Run("but a caller without a session may bring it", func(t *testing.T) {
		w := worldOf(t, "", profiles+page("Page", inputs("shown")+outputs("shown")))
		equal(t, "claims", w.must("Page", "shown=+1666"), "shown=+1666")
	})
}

func TestWhatIsTypedIsHeldToThePolicy(t *testing.T) {
	lines := `<DisplayClaims><DisplayClaim ClaimTypeReferenceId="email" Required="true"/><DisplayClaim ClaimTypeReferenceId="mfaType"/></DisplayClaims>`
	for name, c := range map[string]struct {
		inside    string
		claims    []string
		key, text string
	}{
		"required":                        {lines, nil, "UserMessageIfMissingRequiredElement", "Missing required element: Email Address"},
		"required, and blank":             {lines, []string{"email="}, "UserMessageIfMissingRequiredElement", "Missing required element: Email Address"},
		"required of an output claim":     {outputs(`email Required="true"`), nil, "UserMessageIfMissingRequiredElement", "Missing required element: Email Address"},
		"no choice":                       {lines, []string{"email=a", "mfaType=phone"}, "UserMessageIfInvalidInput", "Channel has invalid input."},
		"a choice in other letters":       {lines, []string{"email=a", "mfaType=SMS"}, "UserMessageIfInvalidInput", "Channel has invalid input."},
		"the text of a choice":            {lines, []string{"email=a", "mfaType=Email"}, "UserMessageIfInvalidInput", "Channel has invalid input."},
		"a choice":                        {lines, []string{"email=a", "mfaType=sms"}, "", ""},
		"nothing chosen":                  {lines, []string{"email=a"}, "", ""},
		"required, of no page, and there": {outputs("email", `objectId Required="true"`) + validations("Find"), []string{"email=a"}, "", ""},
		// Its display claims are what a page shows; output claims beside them are not (self-asserted-technical-profile.md).
		"an output claim beside display claims": {lines + outputs(`code Required="true"`), []string{"email=a"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := worldOf(t, "", profile("Find", metadata("answer objectId", "1")+outputs("objectId"))+page("Page", c.inside))
			if c.key == "" {
				w.must("Page", c.claims...)
				return
			}
			equal(t, "text", w.told(c.key, "Page", c.claims...), c.text)
		})
	}
}

func TestAPageOfAClaimThatThereIsNot(t *testing.T) {
	w := worldOf(t, displayControl("ctl", "VerificationControl", `<DisplayClaims><DisplayClaim ClaimTypeReferenceId="nowhere"/></DisplayClaims>`, action("SendCode")),
		page("Page", outputs("email", "nowhere")))
	w.misused("one.xml:", "Page", "email=a")
	w.misused("claim nowhere: is not declared in ClaimsSchema", "Page", "email=a")
	w.misused("one.xml:", "ctl SendCode")
}

// A value is held to the pattern and the predicates of its claim; what they say of it is told, unless the page has a text.
func TestPatternsAndPredicates(t *testing.T) {
	const rules = `<ClaimsSchema><ClaimType Id="digits"><DisplayName>Digits</DisplayName><DataType>string</DataType><UserInputType>TextBox</UserInputType><Restriction><Pattern RegularExpression="^[0-9]{6}$" HelpText="Six digits for {0}, please."/></Restriction></ClaimType>
<ClaimType Id="bare"><DisplayName>Bare</DisplayName><DataType>string</DataType><UserInputType>TextBox</UserInputType><Restriction><Pattern RegularExpression="^a"/></Restriction></ClaimType>
<ClaimType Id="long"><DisplayName>Long</DisplayName><DataType>string</DataType><UserInputType>TextBox</UserInputType><PredicateValidationReference Id="IsLong"/></ClaimType></ClaimsSchema>
<Predicates><Predicate Id="Four" Method="IsLengthRange" HelpText="Four to eight."><Parameters><Parameter Id="Minimum">4</Parameter><Parameter Id="Maximum">8</Parameter></Parameters></Predicate></Predicates>
<PredicateValidations><PredicateValidation Id="IsLong"><PredicateGroups><PredicateGroup Id="One"><PredicateReferences><PredicateReference Id="Four"/></PredicateReferences></PredicateGroup></PredicateGroups></PredicateValidation></PredicateValidations>`
	w := worldOf(t, rules, page("Page", outputs("digits", "bare", "long"))+page("Own", metadata("UserMessageIfIncorrectPattern", "{0} will not do.")+outputs("digits")))
	w.must("Page", "digits=012345", "bare=ab", "long=four")
	w.must("Page", "digits=", "long=")
	equal(t, "help", w.told("UserMessageIfIncorrectPattern", "Page", "digits=01234"), "Six digits for Digits, please.")
	equal(t, "default", w.told("UserMessageIfIncorrectPattern", "Page", "bare=b"), "Incorrect pattern for: Bare")
	equal(t, "predicate", w.told("UserMessageIfIncorrectPattern", "Page", "long=abc"), "Four to eight.")
	equal(t, "the page's own", w.told("UserMessageIfIncorrectPattern", "Own", "digits=x"), "Digits will not do.")
}

// TestWhatIsNotTakenIsNamed: the texts of a policy need not say which claim they are about, and a page has to show it there.
func TestWhatIsNotTakenIsNamed(t *testing.T) {
	w := worldOf(t, `<ClaimsSchema><ClaimType Id="Digits"><DataType>string</DataType><UserInputType>TextBox</UserInputType><Restriction><Pattern RegularExpression="^[0-9]+$" HelpText="Digits alone."/></Restriction></ClaimType></ClaimsSchema>`,
		page("Page", outputs(`email Required="true"`, "mfaType", "digits")))
	for claim, given := range map[string][]string{"email": {"mfaType=sms"}, "mfaType": {"email=a", "mfaType=phone"}, "Digits": {"email=a", "digits=x"}} {
		_, err := w.run("Page", given...)
		var told *execute.Told
		if !errors.As(err, &told) || told.Failure.Claim != claim {
			t.Errorf("%q: %+v, want a refusal of %s", given, told, claim)
		}
	}
}

func displayControl(id, kind, inside string, actions ...string) string {
	out := `<DisplayControls><DisplayControl Id="` + id + `" UserInterfaceControlType="` + kind + `">` + inside
	if len(actions) > 0 {
		out += "<Actions>"
		for _, a := range actions {
			out += a
		}
		out += "</Actions>"
	}
	return out + "</DisplayControl></DisplayControls>"
}

func action(id string, profiles ...string) string {
	out := `<Action Id="` + id + `"><ValidationClaimsExchange>`
	for _, p := range profiles {
		out += `<ValidationClaimsExchangeTechnicalProfile TechnicalProfileReferenceId="` + p + `"/>`
	}
	return out + "</ValidationClaimsExchange></Action>"
}

const emailAndCode = `<DisplayClaims><DisplayClaim ClaimTypeReferenceId="email" Required="true"/><DisplayClaim ClaimTypeReferenceId="code" ControlClaimType="VerificationCode" Required="true"/></DisplayClaims>`

func TestADisplayControlKeepsWhatWasTypedAndPutsOutWhatItSays(t *testing.T) {
	w := worldOf(t, displayControl("ctl", "VerificationControl", emailAndCode+outputs("other"), action("SendCode", "Make"), action("VerifyCode", "Use")),
		profile("Make", metadata("answer other", "made", "answer body", "lost")+inputs("email")+outputs("other", "body"))+profile("Use", inputs("email", "code", "other", "body"))+
			page("Page", `<DisplayClaims><DisplayClaim DisplayControlReferenceId="ctl"/></DisplayClaims>`+outputs("email", "other")))
	equal(t, "missing", w.told("UserMessageIfMissingRequiredElement", "ctl SendCode"), "Missing required element: Email Address")
	equal(t, "claims", w.must("ctl SendCode", "email=a"), "other=made")
	equal(t, "missing", w.told("UserMessageIfMissingRequiredElement", "ctl VerifyCode"), "Missing required element: Code")
	w.calls()
	w.must("ctl VerifyCode", "code=123456")
	equal(t, "calls", w.calls(), "Use email=a code=123456 other=made")
	if w.session.Controls["ctl"].Claims.Has("code") {
		t.Error("the session keeps the code that was typed")
	}
	equal(t, "page", w.must("Page"), "email=a other=made")
	// A code that is sent anew makes the control unverified.
	w.must("ctl SendCode", "email=b")
	w.told("UserMessageIfVerificationControlClaimsNotVerified", "Page")
}

// An input claim of a control fills its field before anybody types, with AlwaysUseDefaultValue too: what was typed stays.
func TestADefaultOfAControlDoesNotComeBack(t *testing.T) {
	w := worldOf(t, displayControl("ctl", "VerificationControl", inputs(`email DefaultValue="{OIDC:LoginHint}" AlwaysUseDefaultValue="true"`)+emailAndCode,
		action("SendCode", "Use"), action("VerifyCode", "Use")), profile("Use", inputs("email")))
	w.scene.OIDC = map[string]string{"loginhint": "hint@b.example"}
	w.must("ctl SendCode")
	w.must("ctl SendCode", "email=typed@b.example")
	w.must("ctl VerifyCode", "code=1")
	equal(t, "calls", w.calls(), "Use email=hint@b.example; Use email=typed@b.example; Use email=typed@b.example")
}

func TestAdvisory_CVE_2026_18963_APageDoesNotGoOnWithoutItsControl(t *testing.T) {
	w := worldOf(t, "", page("Page", `<DisplayClaims><DisplayClaim DisplayControlReferenceId="nowhere"/></DisplayClaims>`+outputs("email"))+
		page("ByItself", outputs(`email PartnerClaimType="Verified.Email" Required="true"`))+
		page("Unenforced", metadata("EnforceEmailVerification", "False")+outputs(`email PartnerClaimType="Verified.Email"`))+
		page("Not", `<DisplayClaims><DisplayClaim ClaimTypeReferenceId="email"/></DisplayClaims>`+outputs(`email PartnerClaimType="Verified.Email"`)))
	w.misused("display control nowhere: is defined in no file", "Page", "email=a")
	w.misused("technical profile ByItself: has B2C's page verify email by itself", "ByItself", "email=a")
	equal(t, "claims", w.must("Not", "email=a"), "email=a")
	equal(t, "claims", w.must("Unenforced", "email=a"), "email=a")
	for _, id := range []string{"Page", "ByItself"} {
		if _, err := w.runner.Page(t.Context(), execute.Request{Policy: w.policy, Profile: id, Session: &execute.Session{}}); err == nil {
			t.Errorf("%s is shown", id)
		}
	}
}

// B2C's schema refuses a control of a type that there is not, and an action that calls nothing. Here neither may verify.
func TestADisplayControlThatCannotVerifyIsNotPassedOver(t *testing.T) {
	shows := page("Page", `<DisplayClaims><DisplayClaim DisplayControlReferenceId="ctl"/></DisplayClaims>`+outputs("email"))
	seen := func(w *world, q execute.Request) error {
		q.Policy, q.Session = w.policy, &execute.Session{}
		_, err := w.runner.Page(t.Context(), q)
		return err
	}
	for _, kind := range []string{"VerificationControls", "", "verification"} {
		const part = "display control ctl: has the type "
		w := worldOf(t, displayControl("ctl", kind, emailAndCode, action("SendCode", "Use"), action("VerifyCode", "Use")), profile("Use", "")+shows)
		w.misused(part, "Page", "email=a")
		w.misused(part, "ctl VerifyCode", "email=a", "code=1")
		for _, q := range []execute.Request{{Profile: "Page"}, {Control: "ctl"}} {
			if err := seen(w, q); err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%q is shown: %v", kind, err)
			}
		}
		equal(t, "calls", w.calls(), "")
	}
	for name, verify := range map[string]string{
		"nothing":           `<Action Id="VerifyCode"/>`,
		"an empty exchange": `<Action Id="VerifyCode"><ValidationClaimsExchange/></Action>`,
		"another element":   `<Action Id="VerifyCode"><ValidationTechnicalProfiles><ValidationTechnicalProfile ReferenceId="Use"/></ValidationTechnicalProfiles></Action>`,
	} {
		w := worldOf(t, displayControl("ctl", "verificationcontrol", emailAndCode, action("SendCode", "Use"), verify), profile("Use", "")+shows)
		w.must("ctl SendCode", "email=a")
		w.misused("display control ctl: has an action VerifyCode that calls nothing", "ctl VerifyCode", "email=a", "code=1")
		w.told("UserMessageIfVerificationControlClaimsNotVerified", "Page", "email=a")
		if err := seen(w, execute.Request{Profile: "Page"}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a control holds is for its page alone (display-controls.md): where another page shows it, it verifies anew.
func TestADisplayControlVerifiesForOnePage(t *testing.T) {
	shows := `<DisplayClaims><DisplayClaim DisplayControlReferenceId="CTL"/></DisplayClaims>` + outputs("email", "other")
	w := worldOf(t, displayControl("ctl", "VerificationControl", emailAndCode+outputs("body"), action("SendCode", "Use"), action("VerifyCode", "Use")),
		profile("Use", metadata("answer body", "made")+outputs("body"))+profile("Refuses", metadata("Fail", "UserMessageIfX"))+
			page("First", shows+`<ValidationTechnicalProfiles><ValidationTechnicalProfile ReferenceId="Refuses"><Preconditions>`+exists("false", "other")+
				`</Preconditions></ValidationTechnicalProfile></ValidationTechnicalProfiles>`)+page("Second", shows))
	w.must("ctl SendCode", "email=a")
	w.must("ctl VerifyCode", "code=1")
	w.told("UserMessageIfX", "First", "other=b")
	equal(t, "a page that is sent again", w.must("First"), "email=a")
	w.told("UserMessageIfVerificationControlClaimsNotVerified", "Second")
	equal(t, "session", said(&w.session.Claims), "email=a")
	w.must("ctl SendCode")
	w.must("ctl VerifyCode", "code=1")
	equal(t, "verified anew", w.must("Second"), "email=a")
}

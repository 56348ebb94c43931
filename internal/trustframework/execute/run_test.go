package execute_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

const codeKind = "Example.CodeProvider"

const policy = `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0" TenantId="fabrikam.example" PolicyId="B2C_1A_One" PublicPolicyUri="http://fabrikam.example/one">
<BuildingBlocks>
  <ClaimsSchema>
    <ClaimType Id="email"><DisplayName>Email</DisplayName><DataType>string</DataType><UserInputType>TextBox</UserInputType></ClaimType>
    <ClaimType Id="code"><DataType>string</DataType><UserInputType>TextBox</UserInputType></ClaimType>
    <ClaimType Id="Otp"><DataType>string</DataType></ClaimType>
    <ClaimType Id="phone"><DataType>string</DataType><UserInputType>Readonly</UserInputType></ClaimType>
  </ClaimsSchema>
  <ContentDefinitions>
    <ContentDefinition Id="api.page"><LoadUri>~/page.html</LoadUri><RecoveryUri>~/x.html</RecoveryUri><DataUri>urn:com:microsoft:aad:b2c:elements:contract:selfasserted:2.1.7</DataUri>
      <LocalizedResourcesReferences><LocalizedResourcesReference Language="en" LocalizedResourcesReferenceId="page.en"/><LocalizedResourcesReference Language="de" LocalizedResourcesReferenceId="page.de"/></LocalizedResourcesReferences>
    </ContentDefinition>
  </ContentDefinitions>
  <Localization Enabled="true">
    <SupportedLanguages DefaultLanguage="en"><SupportedLanguage>en</SupportedLanguage><SupportedLanguage>de</SupportedLanguage></SupportedLanguages>
    <LocalizedResources Id="page.en"><LocalizedStrings>
      <LocalizedString ElementType="ErrorMessage" StringId="UserMessageIfInvalidCode">Not this one.</LocalizedString>
    </LocalizedStrings></LocalizedResources>
    <LocalizedResources Id="page.de"><LocalizedStrings>
      <LocalizedString ElementType="ErrorMessage" StringId="UserMessageIfInvalidCode">Der nicht.</LocalizedString>
    </LocalizedStrings></LocalizedResources>
  </Localization>
  <DisplayControls>
    <DisplayControl Id="emailControl" UserInterfaceControlType="VerificationControl">
      <DisplayClaims><DisplayClaim ClaimTypeReferenceId="email" Required="true"/><DisplayClaim ClaimTypeReferenceId="code" ControlClaimType="VerificationCode" Required="true"/></DisplayClaims>
      <OutputClaims></OutputClaims>
      <Actions>
        <Action Id="SendCode"><ValidationClaimsExchange>
          <ValidationClaimsExchangeTechnicalProfile TechnicalProfileReferenceId="Make"/>
          <ValidationClaimsExchangeTechnicalProfile TechnicalProfileReferenceId="Carry">
            <Preconditions><Precondition Type="ClaimEquals" ExecuteActionsIf="true"><Value>email</Value><Value>nobody@fabrikam.example</Value><Action>SkipThisValidationTechnicalProfile</Action></Precondition></Preconditions>
          </ValidationClaimsExchangeTechnicalProfile>
        </ValidationClaimsExchange></Action>
        <Action Id="VerifyCode"><ValidationClaimsExchange><ValidationClaimsExchangeTechnicalProfile TechnicalProfileReferenceId="Check"/></ValidationClaimsExchange></Action>
      </Actions>
    </DisplayControl>
  </DisplayControls>
</BuildingBlocks>
<ClaimsProviders><ClaimsProvider><DisplayName>All</DisplayName><TechnicalProfiles>
  <TechnicalProfile Id="Make"><DisplayName>Make</DisplayName><Protocol Name="Proprietary" Handler="Example.CodeProvider, Example"/><Metadata><Item Key="Operation">make</Item></Metadata>
    <InputClaims><InputClaim ClaimTypeReferenceId="email" PartnerClaimType="identifier"/></InputClaims>
    <OutputClaims><OutputClaim ClaimTypeReferenceId="otp" PartnerClaimType="otpGenerated"/></OutputClaims></TechnicalProfile>
  <TechnicalProfile Id="Carry"><DisplayName>Carry</DisplayName><Protocol Name="Proprietary" Handler="Example.CodeProvider, Example"/><Metadata><Item Key="Operation">carry</Item></Metadata>
    <InputClaims><InputClaim ClaimTypeReferenceId="OTP" PartnerClaimType="text"/><InputClaim ClaimTypeReferenceId="phone" PartnerClaimType="from" DefaultValue="+1"/></InputClaims></TechnicalProfile>
  <TechnicalProfile Id="Check"><DisplayName>Check</DisplayName><Protocol Name="Proprietary" Handler="Example.CodeProvider, Example"/><Metadata><Item Key="Operation">check</Item></Metadata>
    <InputClaims><InputClaim ClaimTypeReferenceId="email" PartnerClaimType="identifier"/><InputClaim ClaimTypeReferenceId="code" PartnerClaimType="otpToVerify"/></InputClaims></TechnicalProfile>
  <TechnicalProfile Id="SignUp"><DisplayName>Sign up</DisplayName><Protocol Name="Proprietary" Handler="Web.TPEngine.Providers.SelfAssertedAttributeProvider, Web.TPEngine"/><Metadata><Item Key="ContentDefinitionReferenceId">api.page</Item></Metadata>
    <DisplayClaims><DisplayClaim DisplayControlReferenceId="emailControl"/></DisplayClaims>
    <OutputClaims><OutputClaim ClaimTypeReferenceId="email" Required="true"/></OutputClaims></TechnicalProfile>
  <TechnicalProfile Id="Elsewhere"><DisplayName>Elsewhere</DisplayName><Protocol Name="OAuth2"/></TechnicalProfile>
</TechnicalProfiles></ClaimsProvider></ClaimsProviders>
</TrustFrameworkPolicy>`

// codes is a handler that makes one code, carries it to nobody, and knows it again.
type codes struct{ carried []string }

const madeCode = "246810"

func (h *codes) Run(_ context.Context, c *execute.Call) error {
	switch c.Setting("Operation") {
	case "make":
		if _, err := c.Need("identifier"); err != nil {
			return err
		}
		c.HandOver(madeCode)
		c.Output("otpGenerated", claim.Text(madeCode))
	case "carry":
		text, err := c.Need("text")
		h.carried = append(h.carried, text.String())
		return err
	case "check":
		if code, _ := c.Input("otpToVerify"); code.String() != madeCode {
			return &trustframework.Failure{Key: "UserMessageIfInvalidCode", Default: "Wrong."}
		}
	}
	return nil
}

func (h *codes) Check(*trustframework.Policy, *trustframework.TechnicalProfile) []trustframework.Problem {
	return nil
}
func (h *codes) About(*trustframework.TechnicalProfile) execute.About { return execute.About{} }

func open(t *testing.T) (*execute.Runner, *codes, func(q execute.Request, claims ...string) (execute.Result, error)) {
	t.Helper()
	set, err := trustframework.Load(fstest.MapFS{"one.xml": {Data: []byte(policy)}}, trustframework.Options{})
	if err != nil || len(set.Policies) != 1 {
		t.Fatal(err, set.Problems)
	}
	handler := &codes{}
	r := &execute.Runner{Handlers: map[string]execute.Handler{codeKind: handler}, Rand: bytes.NewReader(nil), Now: func() time.Time { return time.Unix(0, 0) }}
	return r, handler, func(q execute.Request, claims ...string) (execute.Result, error) {
		q.Policy, q.Claims = set.Policies[0], &claim.Bag{}
		for i := 0; i < len(claims); i += 2 {
			q.Claims.Set(claims[i], claim.Text(claims[i+1]))
		}
		return r.Run(context.Background(), q)
	}
}

func TestADisplayControlSendsVerifiesAndLetsThePageGoOn(t *testing.T) {
	_, handler, run := open(t)
	s := &execute.Session{ID: "s"}
	trace := &execute.Trace{}
	if _, err := run(execute.Request{Control: "EmailControl", Action: "sendcode", Session: s, Trace: trace}, "Email", "lea@fabrikam.example"); err != nil {
		t.Fatal(err)
	}
	if len(handler.carried) != 1 || handler.carried[0] != madeCode {
		t.Fatalf("carried %q", handler.carried)
	}
	for _, step := range trace.Steps {
		for _, v := range append(step.In, step.Out...) {
			if v.Value == madeCode {
				t.Errorf("the trace of %s shows the code", step.ID)
			}
		}
	}
	told(t, "UserMessageIfVerificationControlClaimsNotVerified")(run(execute.Request{Profile: "SignUp", Session: s}))
	wrong := told(t, "UserMessageIfInvalidCode")
	if text := wrong(run(execute.Request{Control: "emailControl", Action: "VerifyCode", Session: s, Scene: execute.Scene{Locale: "de-AT,de;q=0.9"}},
		"email", "lea@fabrikam.example", "code", "1")); text != "Der nicht." {
		t.Errorf("told %q", text)
	}
	if _, err := run(execute.Request{Control: "emailControl", Action: "VerifyCode", Session: s}, "email", "lea@fabrikam.example", "code", madeCode); err != nil {
		t.Fatal(err)
	}
	result, err := run(execute.Request{Profile: "SignUp", Session: s}, "email", "other@fabrikam.example")
	if err != nil {
		t.Fatal(err)
	}
	if got := result.Claims.Text("email"); got != "lea@fabrikam.example" {
		t.Errorf("the page went on with %s, want what was verified", got)
	}
}

func TestAPreconditionSkips(t *testing.T) {
	_, handler, run := open(t)
	if _, err := run(execute.Request{Control: "emailControl", Action: "SendCode", Session: &execute.Session{}}, "email", "nobody@fabrikam.example"); err != nil {
		t.Fatal(err)
	}
	if len(handler.carried) != 0 {
		t.Errorf("carried %q", handler.carried)
	}
}

func TestACodeThatIsHandedOverIsNotKeptInTheSession(t *testing.T) {
	_, _, run := open(t)
	s := &execute.Session{}
	result, err := run(execute.Request{Profile: "Make", Session: s}, "email", "lea@fabrikam.example")
	if err != nil || result.Claims.Text("otp") != madeCode {
		t.Fatal(result, err)
	}
	if s.Claims.Has("otp") {
		t.Error("the session holds the code")
	}
}

func TestWhatIsNotRunSaysWhere(t *testing.T) {
	_, _, run := open(t)
	for name, q := range map[string]execute.Request{
		"unknown profile":  {Profile: "Nothing"},
		"other protocol":   {Profile: "Elsewhere"},
		"unknown control":  {Control: "nothing", Action: "SendCode"},
		"unknown action":   {Control: "emailControl", Action: "Dance"},
		"no host":          {Profile: "Make", Host: "Check"},
		"nothing":          {},
		"missing in claim": {Profile: "Make"},
	} {
		q.Session = &execute.Session{}
		_, err := run(q)
		var misuse *trustframework.Misuse
		if !errors.As(err, &misuse) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// told wants a refusal with a key, and returns its text.
func told(t *testing.T, key string) func(execute.Result, error) string {
	return func(_ execute.Result, err error) string {
		t.Helper()
		var told *execute.Told
		if !errors.As(err, &told) || told.Failure.Key != key {
			t.Fatalf("%v, want %s", err, key)
		}
		return told.Text
	}
}

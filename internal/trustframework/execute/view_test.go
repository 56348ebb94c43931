package execute_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework/execute"
)

func (w *world) page(what string, claims ...string) execute.Page {
	w.t.Helper()
	p, err := w.runner.Page(w.t.Context(), w.request(what, claims...))
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// drawn is a page as text.
func drawn(p execute.Page) string {
	out := fmt.Sprintf("%s %q %q\n", p.Language, p.Title, p.Continue)
	for _, l := range p.Lines {
		if l.Field != nil {
			out += fieldText(*l.Field)
			continue
		}
		out += fmt.Sprintf("control %s %s sent=%v verified=%v qr=%q\n", l.Control.ID, l.Control.Type, l.Control.Sent, l.Control.Verified, l.Control.QR)
		for _, f := range l.Control.Fields {
			out += "  " + fieldText(f)
		}
	}
	return out
}

func fieldText(f execute.Field) string {
	out := fmt.Sprintf("%s %s label=%q value=%q", f.Claim, f.Input, f.Label, f.Value)
	for _, more := range []struct {
		is   bool
		text string
	}{{f.Kind != "", f.Kind}, {f.ReadOnly, "read-only"}, {f.Required, "required"}, {f.Help != "", "help=" + f.Help}, {f.Pattern != "", "pattern=" + f.Pattern}} {
		if more.is {
			out += " " + more.text
		}
	}
	for _, c := range f.Choices {
		out += fmt.Sprintf(" [%s=%s %v]", c.Value, c.Text, c.Selected)
	}
	return out + "\n"
}

const masks = `
<ClaimsSchema><ClaimType Id="simple"><DisplayName>Phone</DisplayName><DataType>string</DataType><Mask Type="Simple">XXX-XXX-</Mask><UserInputType>Readonly</UserInputType></ClaimType>
<ClaimType Id="regex"><DisplayName>Mail</DisplayName><DataType>string</DataType><Mask Type="Regex" Regex="^[^@]+">***</Mask><UserInputType>Readonly</UserInputType></ClaimType>
<ClaimType Id="dotnet"><DisplayName>Name</DisplayName><DataType>string</DataType><Mask Type="Regex" Regex="(?&lt;=.).(?=.*@)">*</Mask><UserInputType>Readonly</UserInputType></ClaimType>
<ClaimType Id="unreadable"><DisplayName>Name</DisplayName><DataType>string</DataType><Mask Type="Regex" Regex="(">*</Mask><UserInputType>Readonly</UserInputType></ClaimType>
<ClaimType Id="misspelt"><DisplayName>Name</DisplayName><DataType>string</DataType><Mask Type="Regexp" Regex="a">*</Mask><UserInputType>Readonly</UserInputType></ClaimType>
<ClaimType Id="untyped"><DisplayName>Name</DisplayName><DataType>string</DataType><Mask>XXX</Mask><UserInputType>Readonly</UserInputType></ClaimType>
<ClaimType Id="typed"><DisplayName>Phone</DisplayName><DataType>string</DataType><Mask Type="Simple">XXX</Mask><UserInputType>TextBox</UserInputType></ClaimType></ClaimsSchema>`

func TestMasksHideWhatThePolicySays(t *testing.T) {
	w := worldOf(t, masks, page("Page", outputs("simple", "regex", "dotnet", "unreadable", "misspelt", "untyped", "typed")))
	for claims, want := range map[string]string{
		"simple=+15551230100":         "XXX-XXX-0100",
		"simple=+1555123":             "********",
		"simple=":                     "",
		"regex=lea@fabrikam.example":  "***@fabrikam.example",
		"dotnet=lea@fabrikam.example": "l**@fabrikam.example",
		"unreadable=abc":              "***",
		"misspelt=abc":                "***",
		"untyped=abcdef":              "******",
		"typed=+15551230100":          "", // a browser would post the mask
	} {
		w.session.Claims.Delete("simple")
		name, value, _ := strings.Cut(claims, "=")
		w.session.Claims.Set(name, text(value))
		var got string
		for _, l := range w.page("Page").Lines {
			if l.Field.Claim == name {
				got = l.Field.Value
			}
		}
		equal(t, claims, got, want)
	}
}

func TestAPageShowsItsLines(t *testing.T) {
	blocks := words + displayControl("ctl", "VerificationControl", inputs(`email DefaultValue="{OIDC:LoginHint}"`)+emailAndCode+outputs("email"), action("SendCode", "Ok"), action("VerifyCode", "Ok"))
	w := worldOf(t, blocks, profile("Ok", "")+page("Page", metadata("ContentDefinitionReferenceId", "api.page")+inputs(`shown DefaultValue="from the policy"`)+
		`<DisplayClaims><DisplayClaim ClaimTypeReferenceId="shown"/><DisplayClaim DisplayControlReferenceId="ctl"/><DisplayClaim ClaimTypeReferenceId="mfaType" Required="true"/><DisplayClaim ClaimTypeReferenceId="password"/><DisplayClaim ClaimTypeReferenceId="objectId"/></DisplayClaims>`))
	w.scene.OIDC = map[string]string{"loginhint": "hint"}
	w.session.Claims.Set("password", text("never shown"))
	equal(t, "at first", drawn(w.page("Page")), `en "Page" "Go on"
shown Readonly label="Shown" value="from the policy" read-only
control ctl VerificationControl sent=false verified=false qr=""
  email TextBox label="Your email" value="hint" required
  code TextBox label="Code" value="" VerificationCode required
mfaType RadioSingleSelect label="Channel" value="" required [sms=By text false] [email=By mail false]
password Password label="Password" value=""
`)
	w.scene.Locale = "de"
	w.must("ctl SendCode", "email=lea")
	w.must("ctl VerifyCode", "code=1")
	equal(t, "then", drawn(w.page("Page")), `de "Page" "Weiter"
shown Readonly label="Shown" value="from the policy" read-only
control ctl VerificationControl sent=true verified=true qr=""
  email TextBox label="Ihre Adresse" value="lea" required help=Wohin der Code geht.
  code TextBox label="Code" value="" VerificationCode required
mfaType RadioSingleSelect label="Channel" value="" required [post=Per Brief false]
password Password label="Password" value=""
`)
	c := w.page("ctl SendCode").Lines[0].Control
	for id, want := range map[string]string{"but_send_code": "Senden", "but_change_claims": "E-Mail-Adresse \u00e4ndern", "but_verify_code": "Code pr\u00fcfen"} {
		equal(t, id, c.Texts[id], want)
	}
	equal(t, "texts", strings.Join(slices.Sorted(maps.Keys(c.Texts)), " "), "but_change_claims but_send_code but_send_new_code but_verify_code failure_send_code_msg failure_verify_code_msg intro_msg success_send_code_msg success_verify_code_msg")
}

func TestControlsOfAuthenticators(t *testing.T) {
	qr := `<DisplayControl Id="qr" UserInterfaceControlType="QrCodeControl">` + inputs("body") + `<DisplayClaims><DisplayClaim ClaimTypeReferenceId="body" ControlClaimType="QrCodeContent"/></DisplayClaims></DisplayControl>`
	w := worldOf(t, `<DisplayControls>`+qr+`<DisplayControl Id="icon" UserInterfaceControlType="AuthenticatorAppIconControl"/>
<DisplayControl Id="info" UserInterfaceControlType="AuthenticatorInfoControl"><DisplayClaims><DisplayClaim ClaimTypeReferenceId="objectId"/></DisplayClaims></DisplayControl></DisplayControls>`,
		page("Page", `<DisplayClaims><DisplayClaim DisplayControlReferenceId="icon"/><DisplayClaim DisplayControlReferenceId="qr"/><DisplayClaim DisplayControlReferenceId="info"/></DisplayClaims>`)+page("Fields", outputs("email", "shown")))
	w.session.Claims.Set("body", text("otpauth://totp/x"))
	w.session.Claims.Set("objectId", text("lea"))
	equal(t, "page", drawn(w.page("Page")), `en "Page" "Continue"
control icon AuthenticatorAppIconControl sent=false verified=false qr=""
control qr QrCodeControl sent=false verified=false qr="otpauth://totp/x"
control info AuthenticatorInfoControl sent=false verified=false qr=""
  objectId TextBox label="objectId" value="lea"
`)
	// What the caller gives fills the fields, but for what the journey has and nobody may change.
	w.session.Claims.Set("shown", text("kept"))
	f := w.page("Fields", "email=lea", "shown=forged").Lines
	equal(t, "fields", f[0].Field.Value+" "+f[1].Field.Value, "lea kept")
	// None of them verifies anything, so none keeps a page from going on.
	w.must("Page")
}

// What only shows a claim shows what its mask leaves, also where it is typed in elsewhere.
func TestAMaskedClaimIsShownWhereNobodyTypesIt(t *testing.T) {
	typed := `<DisplayClaims><DisplayClaim ClaimTypeReferenceId="typed"/><DisplayClaim ClaimTypeReferenceId="code" ControlClaimType="VerificationCode"/></DisplayClaims>`
	w := worldOf(t, masks+displayControl("ctl", "VerificationControl", typed+outputs("typed"), action("SendCode", "Ok"), action("VerifyCode", "Ok"))+
		displayControl("info", "AuthenticatorInfoControl", `<DisplayClaims><DisplayClaim ClaimTypeReferenceId="typed"/></DisplayClaims>`), profile("Ok", ""))
	w.session.Claims.Set("typed", text("+15551230100"))
	value := func(control string) string { return w.page(control).Lines[0].Control.Fields[0].Value }
	equal(t, "to be typed", value("ctl SendCode"), "")
	w.must("ctl SendCode", "typed=+15551230199")
	equal(t, "sent", value("ctl SendCode"), "XXX551230199")
	w.must("ctl VerifyCode", "code=1")
	equal(t, "verified", value("ctl SendCode"), "XXX551230199")
	equal(t, "of the app", value("info SendCode"), "XXX551230100")
}

// A page is drawn by the control's type, which counts in any spelling.
func TestATypeOfAControlIsShownInTheSchemasLetters(t *testing.T) {
	for _, kind := range []string{"VerificationControl", "QrCodeControl", "AuthenticatorInfoControl", "AuthenticatorAppIconControl"} {
		w := worldOf(t, displayControl("ctl", strings.ToLower(kind), emailAndCode), "")
		equal(t, kind, w.page("ctl SendCode").Lines[0].Control.Type, kind)
	}
}

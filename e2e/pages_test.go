//go:build unix

package e2e_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/otpost/otpost/e2e/browser"
	"github.com/otpost/otpost/proof/rig"
)

// The pages of the demo's own policy.
const (
	emailPage = "/b2c/B2C_1A_Example/technicalprofiles/VerifyYourEmail"
	phonePage = "/b2c/B2C_1A_Example/technicalprofiles/VerifyYourPhone"
	appPage   = "/b2c/B2C_1A_Example/technicalprofiles/SetUpYourApp"
)

// visit is a person at the pages of a demo.
type visit struct {
	*browser.Browser
	t    *testing.T
	demo demoLine
}

func newVisit(t *testing.T) *visit {
	t.Helper()
	b := browser.Start(t) // first: where it is missing, nothing has to be started
	return &visit{b, t, startDemo(t)}
}

func (v *visit) open(path string) { v.t.Helper(); v.Open(v.demo.PublicURL + path) }

// field is the field of a label.
func (v *visit) field(label string) browser.Element {
	v.t.Helper()
	return v.named("input:not([type=hidden]), select", label)
}

// named is the first element of a selector with an accessible name.
func (v *visit) named(selector, name string) (found browser.Element) {
	v.t.Helper()
	all := v.All(selector)
	for _, e := range all {
		if e.Name() == name {
			return e
		}
	}
	v.t.Fatalf("no %s is called %q on the page: %s", selector, name, v.Page())
	return found
}

// press clicks the button of a name, which leads to the next page.
func (v *visit) press(name string) {
	v.t.Helper()
	v.Leave(v.named("button:not(.unseen)", name).Click)
}

// says holds the page to texts that a person reads.
func (v *visit) says(texts ...string) {
	v.t.Helper()
	page := v.Page()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			v.t.Errorf("the page does not say %q: %s", text, page)
		}
	}
}

// focused waits for the focus to be at the field or button of a name, where a person has to see it.
func (v *visit) focused(name string) {
	v.t.Helper()
	var f browser.Element
	// A page focuses a field when it is drawn, which is after it is loaded.
	v.Await("the focus to be at "+name, func() bool { f = v.Focused(); return f.Name() == name })
	if f.Style("outline-style") == "none" || f.Style("outline-width") == "0px" {
		v.t.Errorf("nothing shows that the focus is at %q", name)
	}
}

// told holds the page to an error that assistive technology announces, and to the focused field leading to it.
func (v *visit) told(text string) {
	v.t.Helper()
	alert := v.Find("[role=alert]")
	if alert.Text() != text {
		v.t.Errorf("the alert says %q, want %q", alert.Text(), text)
	}
	if ids := strings.Fields(v.Focused().Attribute("aria-describedby")); len(ids) == 0 || ids[0] != alert.Attribute("id") {
		v.t.Errorf("the focused field is described by %q and not by the alert %q", ids, alert.Attribute("id"))
	}
}

// code is that of the newest message to an address or a number.
func (v *visit) code(to string) (code string) {
	v.t.Helper()
	rig.Await(v.t, "a code in the inbox", func() bool {
		_, text := ask(v.t, "GET", v.demo.PublicURL+"/v1/inbox?to="+url.QueryEscape(to), "", "")
		var inbox struct{ Messages []struct{ Text string } }
		if err := json.Unmarshal([]byte(text), &inbox); err != nil || len(inbox.Messages) == 0 {
			return false
		}
		code = sixDigits.FindString(inbox.Messages[0].Text)
		return true
	})
	return code
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// another is a code of the same length that is not the right one.
func another(code string) string {
	last := code[len(code)-1]
	return code[:len(code)-1] + string('0'+(last-'0'+1)%10)
}

// quiet holds the console to nothing but the refusals that a page answered with their status.
func (v *visit) quiet() {
	v.t.Helper()
	for _, e := range v.Console() {
		if e.Source != "network" || !strings.Contains(e.Message, "status of 422") {
			v.t.Errorf("the console says %s: %s", e.Source, e.Message)
		}
	}
}

// TestAnAddressIsVerifiedOnAPage types, sends, mistypes and verifies as a person does, with a mouse.
func TestAnAddressIsVerifiedOnAPage(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.open("/b2c")
	v.says("Set up an authenticator app")
	v.Leave(v.named("a", "VerifyYourEmail").Click)
	v.says("Verify your email address", "We send a code to your address.")
	v.focused("Email address")

	v.press("Send verification code") // with nothing typed
	v.says("We send a code to your address.")
	v.focused("Email address")

	v.field("Email address").Type("lea@example.org")
	v.press("Send verification code")
	v.focused("Code from the mail")
	if f := v.Focused(); f.Attribute("autocomplete") != "one-time-code" || f.Style("letter-spacing") == "normal" {
		t.Errorf("the field is not one for a code: autocomplete %q, letter-spacing %q", f.Attribute("autocomplete"), f.Style("letter-spacing"))
	}
	code := v.code("lea@example.org")
	v.Focused().Type(another(code))
	v.press("Verify code")
	v.focused("Code from the mail")
	v.told("This is not the code. Please try again.")
	if f := v.Focused(); f.Value() != "" || f.Attribute("aria-invalid") != "true" {
		t.Errorf("the field of the wrong code holds %q, invalid %q", f.Value(), f.Attribute("aria-invalid"))
	}

	v.press("Change e-mail")
	v.focused("Email address")
	v.field("Email address").Type(browser.End + "x") // behind what was typed before
	v.press("Send verification code")
	v.says("lea@example.orgx")
	v.Focused().Type(v.code("lea@example.orgx"))
	v.press("Verify code")
	v.focused("Continue")
	v.press("Continue")
	v.says("Done", "email lea@example.orgx")
	v.quiet()
}

// TestAPageWorksByKeyboard does all of it with Tab and Enter.
func TestAPageWorksByKeyboard(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.open(emailPage)
	v.focused("Email address")
	v.Leave(func() { v.Press("lea@example.org" + browser.Enter) })
	v.focused("Code from the mail")
	for _, name := range []string{"Verify code", "Send new code", "Change e-mail", "Continue", "Start anew", "All policies"} {
		v.Press(browser.Tab)
		v.focused(name)
	}
	v.open(emailPage)
	v.focused("Code from the mail")
	v.Leave(func() { v.Press(v.code("lea@example.org") + browser.Enter) })
	v.focused("Continue")
	v.Leave(func() { v.Press(browser.Enter) })
	v.says("Done", "email lea@example.org")
}

// TestAPhoneIsVerifiedOnAPage sends text messages until there are too many.
func TestAPhoneIsVerifiedOnAPage(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.open(phonePage)
	v.field("Phone number").Type("nonsense")
	v.press("Send verification code")
	v.focused("Phone number")
	if v.Find("[role=alert]").Text() == "" {
		t.Error("what is wrong with the number is not said")
	}
	v.press("Start anew")
	v.focused("Phone number")
	v.field("Phone number").Type("+49 1512 3456789")
	v.press("Send verification code")
	v.focused("Code from the text message")
	v.Focused().Type(v.code("+4915123456789"))
	v.press("Verify code")
	v.says("The number is yours. You can now continue.")
	v.press("Continue")
	v.says("Done", "+49")

	v.open(phonePage) // another visit, in which nothing is verified
	for n := 0; len(v.All("[role=alert]")) == 0; n++ {
		if n == 50 {
			t.Fatal("50 messages in a row are not too many")
		}
		v.press(map[bool]string{true: "Send new code", false: "Send verification code"}[n > 0])
	}
	t.Log(v.Find("[role=alert]").Text())
}

package b2c_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// element is the first element of a page that has an attribute of that value, with all of its attributes.
func element(t *testing.T, body, name, value string) map[string]string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		all := map[string]string{}
		for _, a := range n.Attr {
			all[a.Key] = a.Val
		}
		if got, there := all[name]; there && (value == "" || got == value) {
			return all
		}
	}
	return nil
}

// twoControls is a page with a field above, between and below two controls, in a given state.
func twoControls(first, second [2]bool) func(*execute.Session) []execute.Line {
	return func(*execute.Session) []execute.Line {
		control := func(id string, state [2]bool) execute.Line {
			return execute.Line{Control: &execute.PageControl{ID: id, Type: "VerificationControl", Sent: state[0], Verified: state[1], Fields: []execute.Field{
				{Claim: id + "Address", Label: "Address"}, {Claim: id + "Code", Label: "Code", Kind: "VerificationCode"}}}}
		}
		return []execute.Line{control("one", first), control("two", second), {Field: &execute.Field{Claim: "name", Label: "Name"}}}
	}
}

// TestEnterDoesWhatComesNext looks at the first button of the page, which is the one that a browser presses for Enter in any
// field (HTML, implicit submission), at the one that stands out, and at the focus.
func TestEnterDoesWhatComesNext(t *testing.T) {
	none, sent, verified := [2]bool{}, [2]bool{true, false}, [2]bool{true, true}
	for _, c := range []struct {
		first, second        [2]bool
		enter, class, cursor string
	}{
		{none, none, "send:one", "second", "claim.oneAddress"},
		{sent, none, "verify:one", "second", "claim.oneCode"},
		{verified, none, "send:two", "second", "claim.twoAddress"},
		{verified, sent, "verify:two", "second", "claim.twoCode"},
		{verified, verified, "continue", "", "claim.name"},
	} {
		_, h := page(t, "en", twoControls(c.first, c.second))
		body := get(h, profilePage).Body.String()
		if got := buttons(t, body)[0]; got != c.enter {
			t.Errorf("%v %v: Enter does %q, want %q", c.first, c.second, got, c.enter)
		}
		if got := element(t, body[strings.LastIndex(body, `<button name="do" value="continue"`):], "value", "continue")["class"]; got != c.class {
			t.Errorf("%v %v: the button to continue looks %q, want %q", c.first, c.second, got, c.class)
		}
		if got := element(t, body, "autofocus", "")["name"]; got != c.cursor {
			t.Errorf("%v %v: the cursor is at %q, want %q", c.first, c.second, got, c.cursor)
		}
	}
}

// TestAFaultIsToldWhereItIs sends what is refused and looks at the field that the refusal is tied to.
func TestAFaultIsToldWhereItIs(t *testing.T) {
	none, sent := [2]bool{}, [2]bool{true, false}
	code := []execute.Line{
		{Control: &execute.PageControl{ID: "qr", Type: "QrCodeControl", QR: "otpauth://totp/x"}},
		{Field: &execute.Field{Claim: "otpCode", Label: "Code", Pattern: `^\d{6}$`}}}
	for name, c := range map[string]struct {
		lines          func(*execute.Session) []execute.Line
		do             string
		cursor, fault  string
		invalid, value string
	}{
		"an action":       {twoControls(none, none), "send:two", "claim.twoAddress", "c-two-fault", "", "typed"},
		"a wrong code":    {twoControls(none, sent), "verify:two", "claim.twoCode", "c-two-fault", "true", ""},
		"the whole page":  {twoControls(none, none), "continue", "claim.oneAddress", "fault", "", "typed"},
		"one field alone": {func(*execute.Session) []execute.Line { return code }, "continue", "claim.otpCode", "f1-fault", "true", ""},
	} {
		d, h := page(t, "en", c.lines)
		d.runner.run = func(execute.Request) (execute.Result, error) {
			return execute.Result{}, &execute.Told{Text: "Not so.", Failure: &trustframework.Failure{Key: "K"}}
		}
		w := post(h, profilePage+"/page", url.Values{"do": {c.do}, "claim.oneAddress": {"typed"}, "claim.twoAddress": {"typed"}, "claim.twoCode": {"1"}, "claim.otpCode": {"123456"}})
		body := w.Body.String()
		field := element(t, body, "autofocus", "")
		if w.Code != http.StatusUnprocessableEntity || field["name"] != c.cursor || field["aria-describedby"] != c.fault || field["aria-invalid"] != c.invalid || field["value"] != c.value {
			t.Errorf("%s: %d, the cursor is at %v, want %+v", name, w.Code, field, c)
		}
		if alert := element(t, body, "role", "alert"); alert["id"] != c.fault || strings.Count(body, "Not so.") != 1 {
			t.Errorf("%s: the alert is %v in\n%s", name, alert, body)
		}
	}
	d, h := page(t, "en", func(*execute.Session) []execute.Line {
		return []execute.Line{{Field: &execute.Field{Claim: "email", Label: "Email"}}, {Field: &execute.Field{Claim: "tries", Label: "Tries"}}}
	})
	body := post(h, profilePage+"/page", url.Values{"do": {"continue"}, "claim.tries": {"many"}}).Body.String()
	if field := element(t, body, "autofocus", ""); field["name"] != "claim.tries" || field["aria-invalid"] != "true" || field["value"] != "many" ||
		field["aria-describedby"] != element(t, body, "role", "alert")["id"] || len(d.runner.asked) != 0 {
		t.Errorf("a value that is no number: the cursor is at %v in\n%s", field, body)
	}
}

// TestAClaimThatThePolicyRefusesIsToldAtItsField refuses one claim of several, as a policy does for its pattern, its choices
// or that it is missing.
func TestAClaimThatThePolicyRefusesIsToldAtItsField(t *testing.T) {
	choices := []trustframework.Choice{{Text: "One", Value: "1"}, {Text: "Two", Value: "2"}}
	lines := []execute.Line{
		{Field: &execute.Field{Claim: "email", Label: "Email"}},
		{Field: &execute.Field{Claim: "agreed", Label: "Agreed", Help: "Help", Input: "RadioSingleSelect", Choices: choices}},
		{Control: &execute.PageControl{ID: "one", Type: "VerificationControl", Fields: []execute.Field{
			{Claim: "name", Label: "Name"}, {Claim: "phone", Label: "Phone"}, {Claim: "code", Label: "Code", Kind: "VerificationCode"}}}},
		{Control: &execute.PageControl{ID: "two", Type: "VerificationControl", Fields: []execute.Field{{Claim: "name", Label: "Name"}}}}}
	for claim, c := range map[string]struct{ do, cursor, fault, described string }{
		"agreed": {"continue", "claim.agreed", "f2-fault", `<fieldset aria-describedby="f2-fault f2-help">`},
		"phone":  {"send:one", "claim.phone", "f4-fault", `aria-invalid="true" aria-describedby="f4-fault">`},
		"name":   {"send:two", "claim.name", "f5-fault", `aria-invalid="true" aria-describedby="f5-fault">`}, // the other control has it too
		"serial": {"continue", "claim.email", "fault", `aria-describedby="fault">`},                          // it is not on the page
	} {
		d, h := page(t, "en", func(*execute.Session) []execute.Line { return lines })
		d.runner.run = func(execute.Request) (execute.Result, error) {
			return execute.Result{}, &execute.Told{Text: "Not so.", Failure: &trustframework.Failure{Key: "K", Claim: claim}}
		}
		body := post(h, profilePage+"/page", url.Values{"do": {c.do}, "claim.email": {"lea@example.org"}}).Body.String()
		if field := element(t, body, "autofocus", ""); field["name"] != c.cursor || !strings.Contains(body, c.described) {
			t.Errorf("%s: the cursor is at %v in\n%s", claim, field, body)
		}
		if alert := element(t, body, "role", "alert"); alert["id"] != c.fault || strings.Count(body, "Not so.") != 1 {
			t.Errorf("%s: the alert is %v in\n%s", claim, alert, body)
		}
	}
}

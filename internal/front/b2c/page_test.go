package b2c_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/net/html"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

const (
	controlPage = "/b2c/Otp/displaycontrols/emailControl"
	profilePage = "/b2c/Otp/technicalprofiles/SignUp"
)

// emailControl is a control for verification as a runner shows it.
func emailControl(s *execute.Session) *execute.PageControl {
	c := &execute.PageControl{ID: "emailControl", Type: "VerificationControl", Fields: []execute.Field{
		{Claim: "email", Label: "Email", Input: "EmailBox", Kind: "Email", Required: true},
		{Claim: "code", Label: "Code", Input: "TextBox", Kind: "VerificationCode", Required: true, Pattern: `^\d{6}$`},
	}, Texts: map[string]string{"intro_msg": "Verify it.", "but_send_code": "Send", "but_verify_code": "Verify",
		"but_send_new_code": "Send again", "but_change_claims": "Change", "success_send_code_msg": "It is sent.", "success_verify_code_msg": "It is verified."}}
	if kept := s.Controls["emailcontrol"]; kept != nil {
		c.Sent, c.Verified = kept.Sent, kept.Verified
		c.Fields[0].Value = kept.Claims.Text("email")
	}
	return c
}

// page is a door with pages, whose runner shows lines.
func page(t *testing.T, language string, lines func(s *execute.Session) []execute.Line) (*door, http.Handler) {
	t.Helper()
	d := newDoor(t)
	d.Page = true
	d.QR = func(text string) (string, error) { return "<svg><title>drawn</title></svg>", nil }
	d.runner.page = func(q execute.Request) (execute.Page, error) {
		p := execute.Page{Language: language, Title: "Sign up", Lines: lines(q.Session)}
		if q.Profile != "" {
			p.Continue = "Go on"
		}
		return p, nil
	}
	return d, d.mounted(t)
}

func controlAlone(s *execute.Session) []execute.Line {
	return []execute.Line{{Control: emailControl(s)}}
}

func get(h http.Handler, path string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func post(h http.Handler, path string, form url.Values, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// buttons are the values of the buttons of a page, in order.
func buttons(t *testing.T, body string) (values []string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "button" {
			values = append(values, attribute(n, "value"))
		}
	}
	return values
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func TestPagesAreMountedOnlyWhereTheyAreWanted(t *testing.T) {
	h := newDoor(t).mounted(t)
	for _, path := range []string{"/b2c", controlPage} {
		if w := get(h, path); w.Code != http.StatusNotFound {
			t.Errorf("GET %s: %d", path, w.Code)
		}
	}
	if w := post(h, controlPage, url.Values{"do": {"send:emailControl"}}); w.Code != http.StatusNotFound {
		t.Errorf("POST: %d", w.Code)
	}
}

// TestAControlGoesItsWay walks the buttons: send, verify, send again, change.
func TestAControlGoesItsWay(t *testing.T) {
	d, h := page(t, "en", controlAlone)
	d.runner.run = func(q execute.Request) (execute.Result, error) {
		if q.Action == "VerifyCode" && q.Claims.Has("email") {
			t.Error("an address that was locked is taken from the form")
		}
		if q.Session.Controls == nil {
			q.Session.Controls = map[string]*execute.Control{"emailcontrol": {}}
		}
		kept := q.Session.Controls["emailcontrol"]
		if q.Action == "SendCode" {
			kept.Sent = true
			kept.Claims.Set("email", claim.Text(q.Claims.Text("email")))
			return execute.Result{}, nil
		}
		if q.Claims.Text("code") != "123456" {
			return execute.Result{}, &execute.Told{Text: "Not that one.", Failure: &trustframework.Failure{Key: "UserMessageIfInvalidCode"}}
		}
		kept.Verified = true
		return execute.Result{}, nil
	}
	var cookies []*http.Cookie
	for _, step := range []struct {
		do, code string
		status   int
		says     string
		buttons  string
		field    bool
	}{
		{"", "", 200, "Verify it.", "send:emailControl anew", false},
		{"send:emailControl", "", 200, "It is sent.", "verify:emailControl send:emailControl change:emailControl anew", true},
		{"verify:emailControl", "000000", 422, "Not that one.", "verify:emailControl send:emailControl change:emailControl anew", true},
		{"verify:emailControl", "123456", 200, "It is verified.", "change:emailControl anew", false},
		{"change:emailControl", "", 200, "lea@example.org", "send:emailControl anew", false},
		{"send:emailControl", "", 200, "It is sent.", "verify:emailControl send:emailControl change:emailControl anew", true},
		{"anew", "", 200, "Verify it.", "send:emailControl anew", false},
		{"verify:otherControl", "1", 200, "Verify it.", "send:emailControl anew", false},
		{"dance:emailControl", "1", 200, "Verify it.", "send:emailControl anew", false},
	} {
		w := get(h, controlPage, cookies...)
		if step.do != "" {
			typed := map[bool]string{true: "eve@example.org", false: "lea@example.org"}[strings.HasPrefix(step.do, "verify")]
			w = post(h, controlPage, url.Values{"do": {step.do}, "claim.email": {typed}, "claim.code": {step.code}}, cookies...)
		}
		body := w.Body.String()
		if w.Code != step.status || !strings.Contains(body, step.says) {
			t.Errorf("%q: %d without %q in\n%s", step.do, w.Code, step.says, body)
		}
		if got := strings.Join(buttons(t, body), " "); got != step.buttons {
			t.Errorf("%q: the buttons are %q, want %q", step.do, got, step.buttons)
		}
		if step.field && (!strings.Contains(body, "lea@example.org") || strings.Contains(body, `name="claim.email"`) || strings.Contains(body, "eve@")) {
			t.Errorf("%q: another address is shown than the code was sent to, or it can be changed, in\n%s", step.do, body)
		}
		if strings.Contains(body, `autocomplete="one-time-code" inputmode="numeric"`) != step.field {
			t.Errorf("%q: the field of the code is as it should not be in\n%s", step.do, body)
		}
		if cookies = w.Result().Cookies(); len(cookies) != 1 {
			t.Fatalf("%q: cookies %v", step.do, cookies)
		}
	}
	if n := len(d.runner.asked); n != 4 {
		t.Errorf("the runner was asked %d times", n)
	}
}

// TestOnlyWhatThePageAsksForIsTaken posts a claim that is only shown, and one that the page does not have.
func TestOnlyWhatThePageAsksForIsTaken(t *testing.T) {
	d, h := page(t, "en", func(*execute.Session) []execute.Line {
		return []execute.Line{
			{Field: &execute.Field{Claim: "account", Label: "Account", Input: "Readonly", ReadOnly: true, Value: "XXX-567"}},
			{Field: &execute.Field{Claim: "tries", Label: "Tries", Input: "TextBox"}},
			{Field: &execute.Field{Claim: "serial", Label: "Serial", Input: "TextBox"}},
			{Field: &execute.Field{Claim: "emails", Label: "Emails", Input: "CheckboxMultiSelect"}},
			{Control: &execute.PageControl{ID: "c", Type: "AuthenticatorInfoControl", Fields: []execute.Field{{Claim: "secret", Input: "Paragraph"}}}},
		}
	})
	d.runner.run = func(q execute.Request) (execute.Result, error) { return execute.Result{}, nil }
	w := post(h, profilePage+"/page", url.Values{"do": {"continue"}, "claim.account": {"mallory"}, "claim.secret": {"mine"}, "claim.email": {"m@example.org"},
		"claim.tries": {"3"}, "claim.serial": {""}, "claim.emails": {"", "a", "b"}})
	if w.Code != http.StatusOK || len(d.runner.asked) != 1 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var got []string
	for name, v := range d.runner.asked[0].Claims.All() {
		got = append(got, name+"="+v.String())
	}
	if strings.Join(got, " ") != "emails=a,b tries=3" {
		t.Errorf("taken: %q", got)
	}
	w = post(h, profilePage+"/page", url.Values{"do": {"continue"}, "claim.tries": {"many"}})
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Tries: is not a whole number") || !strings.Contains(w.Body.String(), `value="many"`) ||
		len(d.runner.asked) != 1 {
		t.Errorf("no number: %d %s", w.Code, w.Body)
	}
	for claim, text := range map[string]string{"tries": "3\x00", "emails": "\x00", "serial": "\xff"} {
		w = post(h, profilePage+"/page", url.Values{"do": {"continue"}, "claim." + claim: {"a", text}})
		if w.Code != http.StatusUnprocessableEntity || len(d.runner.asked) != 1 {
			t.Errorf("%s of %q: %d %s", claim, text, w.Code, w.Body)
		}
	}
}

// TestAFormHoldsNoMoreThanJSONCan posts what is percent-encoded as a form has it.
func TestAFormHoldsNoMoreThanJSONCan(t *testing.T) {
	d := newDoor(t)
	h := d.mounted(t)
	for body, want := range map[string]string{"email=%FF": "email is not valid UTF-8.", "email=a%00": "email holds the character U+0000."} {
		r := httptest.NewRequest("POST", "/b2c/Otp/technicalprofiles/GenerateOtp", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "Bearer shop-key")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), want) || len(d.runner.asked) != 0 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

// TestFormsOfOtherSitesDoNothing sends the form as another site would make a browser send it.
func TestFormsOfOtherSitesDoNothing(t *testing.T) {
	d, h := page(t, "en", controlAlone)
	for name, headers := range map[string]map[string]string{
		"fetch metadata": {"Sec-Fetch-Site": "cross-site"},
		"a sister site":  {"Sec-Fetch-Site": "same-site"},
		"origin alone":   {"Origin": "https://evil.example"},
		"no origin":      {"Origin": "null"},
	} {
		r := httptest.NewRequest("POST", controlPage, strings.NewReader("do=send:emailControl&claim.email=lea@example.org"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range headers {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden || len(d.runner.asked) != 0 || len(w.Result().Cookies()) != 0 {
			t.Errorf("%s: %d, the runner was asked %d times", name, w.Code, len(d.runner.asked))
		}
	}
}

const hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>' javascript:alert(1) {{.}}`

// TestAdvisory_CVE_2024_41953_WhatPoliciesAndPeopleWriteIsText puts markup into every place that a page has for text.
func TestAdvisory_CVE_2024_41953_WhatPoliciesAndPeopleWriteIsText(t *testing.T) {
	choices := []trustframework.Choice{{Text: hostile, Value: hostile}}
	var lines []execute.Line
	for _, input := range []string{"TextBox", "EmailBox", "Password", "Paragraph", "Readonly", "DropdownSingleSelect", "RadioSingleSelect", "CheckboxMultiSelect", "DateTimeDropdown"} {
		lines = append(lines, execute.Line{Field: &execute.Field{Claim: hostile, Label: hostile, Help: hostile, Input: input, Choices: choices, Value: hostile, Pattern: hostile, PatternHelp: hostile}})
	}
	texts := map[string]string{}
	for _, id := range []string{"intro_msg", "success_send_code_msg", "success_verify_code_msg", "but_send_code", "but_verify_code", "but_send_new_code", "but_change_claims",
		"title_text", "info_msg", "link_text", "account_name", "display_prefix", "collapse_text", "dn", "instruction_text"} {
		texts[id] = hostile
	}
	for _, kind := range []string{"VerificationControl", "QrCodeControl", "AuthenticatorInfoControl", "AuthenticatorAppIconControl", hostile} {
		for _, state := range [][2]bool{{false, false}, {true, false}, {true, true}} {
			lines = append(lines, execute.Line{Control: &execute.PageControl{ID: hostile, Type: kind, Texts: texts, Sent: state[0], Verified: state[1], QR: hostile,
				Fields: []execute.Field{{Claim: hostile, Label: hostile, Value: hostile}, {Claim: hostile, Label: hostile, Kind: "VerificationCode"}}}})
		}
	}
	d, h := page(t, "en", func(*execute.Session) []execute.Line { return lines })
	d.runner.page = func(q execute.Request) (execute.Page, error) {
		return execute.Page{Language: `en"><script>`, Title: hostile, Lines: lines, Continue: hostile}, nil
	}
	d.runner.run = func(q execute.Request) (execute.Result, error) {
		return execute.Result{}, &execute.Told{Text: hostile, Failure: &trustframework.Failure{Key: hostile}}
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"shown":   get(h, profilePage+"?login_hint="+url.QueryEscape(hostile)),
		"refused": post(h, profilePage+"/page?x="+url.QueryEscape(hostile), url.Values{"do": {"continue"}}),
	} {
		inert(t, name, w)
	}
	d.runner.run = func(q execute.Request) (execute.Result, error) {
		out := &claim.Bag{}
		out.Set(hostile, claim.Text(hostile))
		out.Set("secret", claim.Text("hunter2"))
		return execute.Result{Claims: out}, nil
	}
	w := post(h, profilePage+"/page", url.Values{"do": {"continue"}})
	inert(t, "finished", w)
	if strings.Contains(w.Body.String(), "hunter2") {
		t.Error("a password is shown")
	}
	inert(t, "missing", get(h, "/b2c/Otp/displaycontrols/"+url.PathEscape(hostile)))
}

// TestAFinishedPageShowsNoMoreThanThePageDid: the number may be of an account that the person has not shown to be theirs.
func TestAFinishedPageShowsNoMoreThanThePageDid(t *testing.T) {
	d, h := page(t, "en", controlAlone)
	d.runner.run = func(q execute.Request) (execute.Result, error) {
		out := &claim.Bag{}
		out.Set("phone", claim.Text("+4915123456789"))
		out.Set("secret", claim.Text("hunter2"))
		out.Set("email", claim.Text("lea@example.org"))
		return execute.Result{Claims: out}, nil
	}
	body := post(h, profilePage+"/page", url.Values{"do": {"continue"}}).Body.String()
	for text, want := range map[string]bool{"XXX-XXX-456789": true, "15123": false, "hunter2": false, "lea@example.org": true} {
		if strings.Contains(body, text) != want {
			t.Errorf("%q is on the page: %v, want %v:\n%s", text, !want, want, body)
		}
	}
}

// inert walks a page: no script, no handler of events, no style, no link that is not of this door.
func inert(t *testing.T, name string, w *httptest.ResponseRecorder) {
	t.Helper()
	if !strings.Contains(w.Body.String(), "&lt;script&gt;") {
		t.Errorf("%s: the text is not on the page: %s", name, w.Body)
	}
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
		t.Errorf("%s: the policy is %s", name, policy)
	}
	root, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "script" || n.Data == "style" {
			t.Errorf("%s: there is a <%s>", name, n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("%s: <%s> has %s", name, n.Data, a.Key)
			}
			if (a.Key == "href" || a.Key == "src" || a.Key == "action") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") {
				t.Errorf("%s: <%s> leads to %s", name, n.Data, a.Val)
			}
		}
	}
}

// TestEveryFieldIsLabelled holds a page with each kind of input to WCAG 2.2, 1.3.1 and 3.3.2: a label or a legend for each
// input, ids that are there once.
func TestEveryFieldIsLabelled(t *testing.T) {
	choices := []trustframework.Choice{{Text: "One", Value: "1"}, {Text: "Two", Value: "2", Selected: true}}
	var lines []execute.Line
	for _, input := range []string{"TextBox", "EmailBox", "Password", "DropdownSingleSelect", "RadioSingleSelect", "CheckboxMultiSelect", "DateTimeDropdown"} {
		lines = append(lines, execute.Line{Field: &execute.Field{Claim: "email", Label: "L " + input, Help: "Help", Input: input, Choices: choices}})
	}
	_, h := page(t, "en", func(s *execute.Session) []execute.Line { return append(lines, execute.Line{Control: emailControl(s)}) })
	body := get(h, profilePage).Body.String()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	ids, labels, described := map[string]int{}, map[string]bool{}, []string{}
	var inputs []string
	for n := range root.Descendants() {
		if id := attribute(n, "id"); id != "" {
			ids[id]++
		}
		if n.Data == "label" {
			labels[attribute(n, "for")] = true
		}
		if by := attribute(n, "aria-describedby"); by != "" {
			described = append(described, by)
		}
		if (n.Data == "input" || n.Data == "select") && attribute(n, "type") != "hidden" {
			inputs = append(inputs, attribute(n, "id"))
		}
	}
	if len(inputs) != 10 {
		t.Errorf("there are %d inputs: %v", len(inputs), inputs)
	}
	for _, id := range inputs {
		if !labels[id] {
			t.Errorf("the input %q has no label", id)
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("the id %q is there %d times", id, n)
		}
	}
	for _, id := range described {
		if ids[id] == 0 {
			t.Errorf("aria-describedby leads to %q, which is not there", id)
		}
	}
	if strings.Count(body, " selected") != 1 || strings.Count(body, " checked") != 2 {
		t.Errorf("what is chosen by default is not chosen:\n%s", body)
	}
}

func TestAPageIsReadFromRightToLeft(t *testing.T) {
	_, h := page(t, "he-IL", controlAlone)
	if body := get(h, controlPage+"?ui_locales=he").Body.String(); !strings.Contains(body, `<html lang="he-IL" dir="rtl">`) ||
		!strings.Contains(body, `action="`+controlPage+`?ui_locales=he"`) {
		t.Errorf("the page is\n%s", body)
	}
}

func TestTheCookieOfAPage(t *testing.T) {
	d, h := page(t, "en", controlAlone)
	d.Secure = true
	cookie := get(h, "/b2c/shop%2FShopOtp/displaycontrols/emailControl").Result().Cookies()[0]
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/b2c/shop%2FShopOtp" || cookie.MaxAge != int((24*time.Hour).Seconds()) {
		t.Errorf("the cookie is %s", cookie)
	}
	// One of another policy opens nothing: a new journey begins.
	var ids []string
	d.runner.page = func(q execute.Request) (execute.Page, error) {
		ids = append(ids, q.Session.ID)
		return execute.Page{Lines: controlAlone(q.Session)}, nil
	}
	get(h, controlPage, cookie)
	get(h, "/b2c/ShopOtp/displaycontrols/emailControl", cookie)
	if len(ids) != 2 || ids[0] == "session-1" || ids[1] != "session-1" {
		t.Errorf("the journeys are %q", ids)
	}
}

// TestAPageNeedsASessionOfItsOwn even where calls have none: who is at a page has not shown who they are.
func TestAPageNeedsASessionOfItsOwn(t *testing.T) {
	d, h := page(t, "en", controlAlone)
	d.ByIdentifier = true
	d.runner.page = func(q execute.Request) (execute.Page, error) {
		if q.Session.ID == "" {
			t.Error("the journey has no id")
		}
		return execute.Page{}, nil
	}
	get(h, controlPage)
}

// Vikunja CVE-2026-29794 (GO-2026-4791): the client's address was read from headers that any client writes. A page counts
// for who sends the request, a call for whom its caller names, and for nobody where that is left out.
func TestAdvisory_CVE_2026_29794_NoHeaderMakesThePersonsAddress(t *testing.T) {
	d := newDoor(t)
	d.Page = true
	want := netip.MustParseAddr("192.0.2.1")
	d.runner.page = func(q execute.Request) (execute.Page, error) {
		if q.Scene.IP != want || q.Scene.Tenant != "default" || q.Scene.Application != "page" {
			t.Errorf("the scene of a page is %+v", q.Scene)
		}
		return execute.Page{}, nil
	}
	d.runner.run = func(q execute.Request) (execute.Result, error) { return execute.Result{}, nil }
	h := d.mounted(t)
	for _, query := range []string{"", "?ip=203.0.113.9"} {
		for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "True-Client-Ip", "Cf-Connecting-Ip"} {
			value := map[bool]string{false: "198.51.100.1", true: "for=198.51.100.1"}[name == "Forwarded"]
			for _, r := range []*http.Request{httptest.NewRequest("GET", controlPage+query, nil), httptest.NewRequest("POST", "/b2c/Otp/technicalprofiles/GenerateOtp"+query, nil)} {
				r.Header.Set("Authorization", "Bearer shop-key")
				r.Header.Set(name, value)
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Code != http.StatusOK {
					t.Errorf("%s %s: %d %s", name, query, w.Code, w.Body)
				}
			}
			named := map[bool]string{false: "", true: "203.0.113.9"}[query != ""]
			if got := d.runner.asked[len(d.runner.asked)-1].Scene; got.Address() != named {
				t.Errorf("%s %s: a call counts for %q, want %q", name, query, got.Address(), named)
			}
		}
	}
}

// TestPagesSayWhatIsNotPossible tells what is wrong with a policy, and nothing of what is wrong here.
func TestPagesSayWhatIsNotPossible(t *testing.T) {
	d, h := page(t, "en", controlAlone)
	for name, c := range map[string]struct {
		err           error
		status        int
		shown, logged string
		hidden        string
	}{
		"told":   {&execute.Told{Text: "Not you.", Failure: &trustframework.Failure{Key: "K"}}, 422, "Not you.", "reason=K", "UserMessage"},
		"misuse": {&trustframework.Misuse{At: trustframework.Origin{File: "p.xml", Line: 7}, Element: "x", Reason: "is odd"}, 422, "p.xml:7: x: is odd", "p.xml:7", "UserMessage"},
		"fault":  {errors.New("dial 10.0.0.1"), 500, "went wrong on our side", "dial 10.0.0.1", "dial"},
	} {
		d.log.Reset()
		d.runner.page = func(execute.Request) (execute.Page, error) { return execute.Page{}, c.err }
		w := get(h, controlPage)
		if body := w.Body.String(); w.Code != c.status || !strings.Contains(body, c.shown) || strings.Contains(body, c.hidden) {
			t.Errorf("%s: %d %s", name, w.Code, body)
		}
		if !strings.Contains(d.log.String(), c.logged) {
			t.Errorf("%s: the log is %s", name, d.log.String())
		}
	}
	for name, c := range map[string]struct {
		err    error
		status int
		title  string
	}{"fault": {errors.New("dial 10.0.0.1"), 500, "Internal Server Error"}, "passing": {passing{}, 503, "Database not reachable"}} {
		d.runner.page = func(execute.Request) (execute.Page, error) { return execute.Page{}, c.err }
		r := httptest.NewRequest("GET", controlPage, nil)
		r.Header.Set("Accept", "text/html,*/*;q=0.8")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if kind := w.Header().Get("Content-Type"); w.Code != c.status || kind != "text/html; charset=utf-8" || !strings.Contains(w.Body.String(), "<h1>"+c.title+"</h1>") ||
			strings.Contains(w.Body.String(), "dial") || (w.Header().Get("Retry-After") == "1") != (c.status == 503) {
			t.Errorf("%s in a browser: %d, %s, %v %s", name, w.Code, kind, w.Header(), w.Body)
		}
	}
	if w := get(h, "/b2c/Otp/technicalprofiles/Nobody"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "no technical profile Nobody") {
		t.Errorf("an unknown profile: %d %s", w.Code, w.Body)
	}
	if w := post(h, profilePage+"/page", url.Values{"claim.email": {strings.Repeat("x", 64<<10)}}); w.Code != http.StatusRequestEntityTooLarge ||
		!strings.Contains(w.Body.String(), "larger than 65536 bytes") {
		t.Errorf("a form that is too large: %d %s", w.Code, w.Body)
	}
	d.log.Reset()
	if w := get(h, "/b2c/Otp/technicalprofiles/GenerateOtp"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "GenerateOtp has no page") ||
		strings.Contains(d.log.String(), "cannot be run") {
		t.Errorf("a profile without a page: %d %s, the log is %s", w.Code, w.Body, d.log.String())
	}
}

// passing is an error of a database that may be back soon.
type passing struct{}

func (passing) Error() string   { return "database is away" }
func (passing) Temporary() bool { return true }

func TestAListOfPolicies(t *testing.T) {
	_, h := page(t, "en", controlAlone)
	body := get(h, "/b2c").Body.String()
	for _, want := range []string{`href="/b2c/Otp/displaycontrols/emailControl"`, `href="/b2c/shop%2FShopOtp/technicalprofiles/SignUp"`, "broken.xml:1:1"} {
		if !strings.Contains(body, want) {
			t.Errorf("the list lacks %s:\n%s", want, body)
		}
	}
	if strings.Contains(body, "GenerateOtp") {
		t.Error("a profile without a page is listed")
	}
}

// TestOnlyPagesAreListed leaves out a handler in other letters, which nothing runs.
func TestOnlyPagesAreListed(t *testing.T) {
	d, h := page(t, "en", controlAlone)
	text := `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicyId="P"><ClaimsProviders><ClaimsProvider><TechnicalProfiles>
<TechnicalProfile Id="Other"><Protocol Name="Proprietary" Handler="WEB.TPEngine.Providers.SelfAssertedAttributeProvider"/><OutputClaims><OutputClaim ClaimTypeReferenceId="email"/></OutputClaims></TechnicalProfile>
</TechnicalProfiles></ClaimsProvider></ClaimsProviders></TrustFrameworkPolicy>`
	set, err := trustframework.Load(fstest.MapFS{"p.xml": {Data: []byte(text)}}, trustframework.Options{})
	if err != nil || len(set.Policies) != 1 {
		t.Fatal(err, set.Problems)
	}
	*d.Policies = *set
	if body := get(h, "/b2c").Body.String(); strings.Contains(body, "technicalprofiles/Other") {
		t.Errorf("a profile without a page is listed:\n%s", body)
	}
}

// TestAQRCodeIsDrawn shows it, and fails where it cannot be drawn.
func TestAQRCodeIsDrawn(t *testing.T) {
	d, h := page(t, "en", func(*execute.Session) []execute.Line {
		return []execute.Line{{Control: &execute.PageControl{ID: "qr", Type: "QrCodeControl", QR: "otpauth://totp/x", Texts: map[string]string{"title_text": "Scan it"}}}}
	})
	if body := get(h, controlPage).Body.String(); !strings.Contains(body, "<svg><title>drawn</title></svg>") || !strings.Contains(body, "Scan it") {
		t.Errorf("the page is\n%s", body)
	}
	d.QR = func(string) (string, error) { return "", errors.New("too long") }
	if w := get(h, controlPage); w.Code != http.StatusInternalServerError {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

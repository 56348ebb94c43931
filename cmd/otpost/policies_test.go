package main

import (
	"context"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/review"
)

// policyAnswer is what a call of a policy is answered with.
type policyAnswer struct {
	Email       string
	Otp         string
	Session     string `json:"otpost_session"`
	Status      int
	Code        string
	UserMessage string
}

func (p *inProcess) callPolicy(t *testing.T, path string, claims map[string]string) (int, policyAnswer) {
	t.Helper()
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	var a policyAnswer
	w := p.call(t, "POST", "/b2c/MailCode/"+path, string(body), &a)
	return w.Code, a
}

// TestAPolicyIsCalledAsALivingOneWould makes and verifies codes over the door, in one session and without one.
func TestAPolicyIsCalledAsALivingOneWould(t *testing.T) {
	p := startInProcess(t, nil)
	const to = "lea@example.org"
	status, made := p.callPolicy(t, "technicalprofiles/GenerateOtp", map[string]string{"email": to})
	if status != http.StatusOK || len(made.Otp) != 6 || made.Session == "" {
		t.Fatalf("generate: %d %+v", status, made)
	}
	status, lost := p.callPolicy(t, "technicalprofiles/VerifyOtp", map[string]string{"email": to, "code": made.Otp})
	if status != http.StatusConflict || lost.Code != "UserMessageIfSessionDoesNotExist" {
		t.Errorf("verify without the session: %d %+v", status, lost)
	}
	status, wrong := p.callPolicy(t, "technicalprofiles/VerifyOtp", map[string]string{"email": to, "code": otherCode(made.Otp), "otpost_session": made.Session})
	if status != http.StatusConflict || wrong.Status != http.StatusConflict || wrong.Code != "UserMessageIfVerificationFailedRetryAllowed" ||
		wrong.UserMessage != "That code is incorrect. Please try again." || wrong.Session == "" {
		t.Errorf("verify a wrong code: %d %+v", status, wrong)
	}
	status, right := p.callPolicy(t, "technicalprofiles/VerifyOtp", map[string]string{"email": to, "code": made.Otp, "otpost_session": wrong.Session})
	if status != http.StatusOK {
		t.Errorf("verify the right code: %d %+v", status, right)
	}
}

// TestADisplayControlSendsAndVerifies goes by the message that a person gets.
func TestADisplayControlSendsAndVerifies(t *testing.T) {
	p := startInProcess(t, nil)
	const to = "ada@example.org"
	status, sent := p.callPolicy(t, "displaycontrols/mailControl/SendCode", map[string]string{"email": to})
	if status != http.StatusOK || sent.Email != to {
		t.Fatalf("send: %d %+v", status, sent)
	}
	message := p.message(t, to).Text
	if !strings.Contains(message, "Shop") {
		t.Errorf("the message does not name the application: %q", message)
	}
	code := sixDigits.FindString(message)
	status, told := p.callPolicy(t, "displaycontrols/mailControl/VerifyCode", map[string]string{"email": to, "code": otherCode(code), "otpost_session": sent.Session})
	if status != http.StatusConflict || told.UserMessage != "Look again: that is not the code." {
		t.Errorf("a wrong code: %d %+v", status, told)
	}
	if status, done := p.callPolicy(t, "displaycontrols/mailControl/VerifyCode", map[string]string{"email": to, "code": code, "otpost_session": told.Session}); status != http.StatusOK || done.Email != to {
		t.Errorf("the right code: %d %+v", status, done)
	}
}

// TestCodesOfAnIdentifier are found without a token, where the setting says so.
func TestCodesOfAnIdentifier(t *testing.T) {
	p := startInProcess(t, func(c *config.Config) { c.B2CState = config.B2CIdentifier })
	const to = "lea@example.org"
	_, first := p.callPolicy(t, "technicalprofiles/GenerateOtp", map[string]string{"email": to})
	_, second := p.callPolicy(t, "technicalprofiles/GenerateOtp", map[string]string{"email": to})
	for second.Otp == first.Otp {
		_, second = p.callPolicy(t, "technicalprofiles/GenerateOtp", map[string]string{"email": to})
	}
	if status, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", map[string]string{"email": to, "code": first.Otp}); status != http.StatusConflict {
		t.Errorf("the code that was replaced: %d %+v", status, a)
	}
	if status, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", map[string]string{"email": to, "code": second.Otp}); status != http.StatusOK {
		t.Errorf("the live code: %d %+v", status, a)
	}
}

// Casdoor, seen in its code: a code was looked up by its receiver alone. Here an application makes a code under an
// identifier of another's, which would open the other's door if it took the place of the other's code.
func TestAdvisory_Casdoor_AnApplicationHasIdentifiersOfItsOwn(t *testing.T) {
	p := startInProcess(t, func(c *config.Config) { c.B2CState = config.B2CIdentifier })
	const to = "lea@example.org"
	_, own := p.callPolicy(t, "technicalprofiles/GenerateOtp", map[string]string{"email": to})
	shop := p.key
	var err error
	if p.key, _, err = p.keys.Create(t.Context(), tenant, "Bank", ""); err != nil {
		t.Fatal(err)
	}
	_, other := p.callPolicy(t, "technicalprofiles/GenerateOtp", map[string]string{"email": to})
	p.key = shop
	if other.Otp != own.Otp {
		if status, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", map[string]string{"email": to, "code": other.Otp}); status != http.StatusConflict {
			t.Errorf("another application's code: %d %+v", status, a)
		}
	}
	if status, a := p.callPolicy(t, "technicalprofiles/VerifyOtp", map[string]string{"email": to, "code": own.Otp}); status != http.StatusOK {
		t.Errorf("the own code: %d %+v", status, a)
	}
}

// browser keeps cookies, and sends forms as a browser does.
type browser struct {
	*inProcess
	cookies map[string]*http.Cookie
}

func (b *browser) visit(r *http.Request) *httptest.ResponseRecorder {
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := b.do(r)
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c
	}
	return w
}

func (b *browser) open(path string) string {
	return b.visit(httptest.NewRequest("GET", path, nil)).Body.String()
}

func (b *browser) send(path string, form url.Values) (int, string) {
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := b.visit(r)
	return w.Code, html.UnescapeString(w.Body.String())
}

var formAction = regexp.MustCompile(`<form class="sheet" method="post" action="([^"]+)"`)

// TestAPolicyIsTriedInABrowser signs up on the page of a self-asserted profile: with a wrong code, the right one, and the
// button that goes on.
func TestAPolicyIsTriedInABrowser(t *testing.T) {
	p := startInProcess(t, nil)
	b := &browser{p, map[string]*http.Cookie{}}
	list := b.open("/b2c")
	const path = "/b2c/MailCode/technicalprofiles/SignUp"
	if !strings.Contains(list, `href="`+path+`"`) || !strings.Contains(list, `href="/b2c/MailCode/displaycontrols/mailControl"`) {
		t.Fatalf("the list has no link to the page: %s", list)
	}
	action := formAction.FindStringSubmatch(b.open(path))
	if action == nil {
		t.Fatal("the page has no form")
	}
	const to = "eve@example.org"
	if status, page := b.send(action[1], url.Values{"do": {"continue"}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, "have not been verified") {
		t.Errorf("on without a code: %d %s", status, page)
	}
	status, page := b.send(action[1], url.Values{"do": {"send:mailControl"}, "claim.email": {to}})
	if status != http.StatusOK || !strings.Contains(page, "Verification code has been sent.") || !strings.Contains(page, `autocomplete="one-time-code"`) {
		t.Fatalf("send: %d %s", status, page)
	}
	code := sixDigits.FindString(p.message(t, to).Text)
	status, page = b.send(action[1], url.Values{"do": {"verify:mailControl"}, "claim.code": {otherCode(code)}})
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, "Look again: that is not the code.") {
		t.Errorf("a wrong code: %d %s", status, page)
	}
	status, page = b.send(action[1], url.Values{"do": {"verify:mailControl"}, "claim.code": {code}})
	if status != http.StatusOK || !strings.Contains(page, "E-mail address verified.") {
		t.Errorf("the right code: %d %s", status, page)
	}
	status, page = b.send(action[1], url.Values{"do": {"continue"}, "claim.email": {"mallory@example.org"}})
	if status != http.StatusOK || !strings.Contains(page, to) || strings.Contains(page, "mallory") {
		t.Errorf("on: %d %s", status, page)
	}
}

func TestPolicyKeys(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("B2C_1A_Mail", " key \n", 0o600)
	write(".hidden", "", 0o644)
	find, err := policyKeys(folder)
	if err != nil {
		t.Fatal(err)
	}
	if key, ok := find("b2c_1a_mail"); !ok || key != "key" {
		t.Errorf("found %q, %v", key, ok)
	}
	if _, ok := find(".hidden"); ok {
		t.Error("a hidden file is a key")
	}
	for name, spoil := range map[string]func() string{
		"others can read": func() string { return write("open", "key", 0o644) },
		"is empty":        func() string { return write("empty", " \n", 0o600) },
		"is there twice":  func() string { return write("b2c_1a_MAIL", "key", 0o600) },
		"larger":          func() string { return write("large", strings.Repeat("k", maxPolicyKey+1), 0o600) },
		"is no file": func() string {
			path := filepath.Join(folder, "folder")
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
			return path
		},
	} {
		path := spoil()
		if _, err := policyKeys(folder); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "b2c_keys") {
			t.Errorf("%s: %v", name, err)
		}
		os.Remove(path)
	}
	if _, err := policyKeys(filepath.Join(folder, "nowhere")); err == nil {
		t.Error("a folder that is not there is read")
	}
}

// TestPolicyProblemsAreLogged reads a folder with files that cannot be used.
func TestPolicyProblemsAreLogged(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		if err := os.WriteFile(filepath.Join(folder, name+".xml"), []byte("<Policy/>"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var log strings.Builder
	c := config.Default()
	c.B2CPolicies = folder
	if _, err := openPolicies(c, slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Fatal(err)
	}
	if text := log.String(); strings.Count(text, "policy file\" at=") != 5 || !strings.Contains(text, "at=a.xml:1:1") || !strings.Contains(text, "count=7") ||
		!strings.Contains(text, "level=WARN msg=\"there is no policy that can be called") {
		t.Errorf("the log is\n%s", text)
	}
	c.B2CPolicies = filepath.Join(folder, "a.xml")
	if _, err := openPolicies(c, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "b2c_policies") {
		t.Errorf("a file as the folder: %v", err)
	}
}

// TestAnAppIsEnrolledInABrowser shows the secret on one page, and takes the app's code on the next.
func TestAnAppIsEnrolledInABrowser(t *testing.T) {
	p := startInProcess(t, func(c *config.Config) { c.B2CIssuer = "Contoso demo" })
	b := &browser{p, map[string]*http.Cookie{}}
	const base = "/b2c/Authenticator/technicalprofiles/"
	if status, page := b.send(base+"Name/page", url.Values{"do": {"continue"}, "claim.account": {"emily@contoso.example"}}); status != http.StatusOK {
		t.Fatalf("who: %d %s", status, page)
	}
	page := b.open(base + "Enrol")
	secret := regexp.MustCompile(`<code>([a-z2-7]{16,})</code>`).FindStringSubmatch(page)
	if secret == nil || !strings.Contains(page, "<svg") || !strings.Contains(page, "emily@contoso.example") || !strings.Contains(page, "Scan the QR code") {
		t.Fatalf("the page is %s", page)
	}
	if again := b.open(base + "Enrol"); !strings.Contains(again, secret[1]) {
		t.Error("the page has another secret when it is loaded again")
	}
	if status, page := b.send(base+"Enrol/page", url.Values{"do": {"continue"}, "claim.secretKey": {"aaaaaaaaaaaaaaaa"}}); status != http.StatusOK {
		t.Fatalf("enrol: %d %s", status, page)
	}
	if page := b.open(base + "Enter"); !strings.Contains(page, `inputmode="numeric"`) {
		t.Errorf("the field of the code is for letters: %s", page)
	}
	code := appCode(t, strings.ToUpper(secret[1]), 0)
	if status, page := b.send(base+"Enter/page", url.Values{"do": {"continue"}, "claim.otpCode": {otherCode(code)}}); status != http.StatusUnprocessableEntity || !strings.Contains(page, "Wrong code entered, please try again.") {
		t.Errorf("a wrong code: %d %s", status, page)
	}
	if status, page := b.send(base+"Enter/page", url.Values{"do": {"continue"}, "claim.otpCode": {code}}); status != http.StatusOK {
		t.Errorf("the app's code: %d %s", status, page)
	}
}

// guideProfiles are the claims and the profiles that docs/guides/b2c.md shows for a living policy, with an address of ours.
func guideProfiles(t *testing.T, url string) (claims, profiles string) {
	t.Helper()
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "guides", "b2c.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(guide), "```xml\n")
	text, _, found := strings.Cut(text, "```")
	claims, profiles, split := strings.Cut(text, "<TechnicalProfile ")
	if !found || !split {
		t.Fatal("the guide has no XML any more")
	}
	profiles = "<TechnicalProfile " + profiles
	profiles = strings.ReplaceAll(profiles, "https://otp.example.com/b2c/B2C_1A_Codes/", url+"/b2c/MailCode/")
	if !strings.Contains(profiles, url) {
		t.Fatal("the guide has another address")
	}
	return claims, profiles
}

// TestAPolicyCallsAsTheGuideSays runs the guide's RESTful profiles in a display control of one otpost, in B2C's place,
// against another.
func TestAPolicyCallsAsTheGuideSays(t *testing.T) {
	served := startInProcess(t, nil)
	server := httptest.NewServer(served.handler)
	defer server.Close()
	claims, profiles := guideProfiles(t, server.URL)
	policies, keys := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		filepath.Join(keys, "B2C_1A_OtpostKey"): served.key,
		filepath.Join(policies, "living.xml"): `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0" TenantId="contoso.example" PolicyId="MailCode" PublicPolicyUri="http://contoso.example/MailCode">
<BuildingBlocks><ClaimsSchema>
<ClaimType Id="email"><DataType>string</DataType></ClaimType><ClaimType Id="otp"><DataType>string</DataType></ClaimType>
<ClaimType Id="verificationCode"><DataType>string</DataType></ClaimType>` + claims + `</ClaimsSchema>
<DisplayControls><DisplayControl Id="mailControl" UserInterfaceControlType="VerificationControl">
<DisplayClaims><DisplayClaim ClaimTypeReferenceId="email" Required="true"/><DisplayClaim ClaimTypeReferenceId="verificationCode" ControlClaimType="VerificationCode" Required="true"/></DisplayClaims>
<OutputClaims><OutputClaim ClaimTypeReferenceId="email"/><OutputClaim ClaimTypeReferenceId="otp"/><OutputClaim ClaimTypeReferenceId="otpost_session"/></OutputClaims>
<Actions>
<Action Id="SendCode"><ValidationClaimsExchange><ValidationClaimsExchangeTechnicalProfile TechnicalProfileReferenceId="OtpostGenerate"/></ValidationClaimsExchange></Action>
<Action Id="VerifyCode"><ValidationClaimsExchange><ValidationClaimsExchangeTechnicalProfile TechnicalProfileReferenceId="OtpostVerify"/></ValidationClaimsExchange></Action>
</Actions></DisplayControl></DisplayControls></BuildingBlocks>
<ClaimsProviders><ClaimsProvider><DisplayName>otpost</DisplayName><TechnicalProfiles>` + profiles + `</TechnicalProfiles></ClaimsProvider></ClaimsProviders>
</TrustFrameworkPolicy>`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	living := startInProcess(t, func(c *config.Config) { c.B2CPolicies, c.B2CKeys, c.B2CAllowPrivate = policies, keys, true })
	status, made := living.callPolicy(t, "displaycontrols/mailControl/SendCode?ip=203.0.113.7&ui_locales=fr", map[string]string{"email": "lea@example.org"})
	if status != http.StatusOK || len(made.Otp) != 6 {
		t.Fatalf("generate: %d %+v", status, made)
	}
	status, wrong := living.callPolicy(t, "displaycontrols/mailControl/VerifyCode", map[string]string{"email": "lea@example.org", "verificationCode": otherCode(made.Otp), "otpost_session": made.Session})
	if status != http.StatusConflict || wrong.UserMessage != "That code is incorrect. Please try again." {
		t.Errorf("a wrong code: %d %+v", status, wrong)
	}
	if status, a := living.callPolicy(t, "displaycontrols/mailControl/VerifyCode", map[string]string{"email": "lea@example.org", "verificationCode": made.Otp, "otpost_session": wrong.Session}); status != http.StatusOK {
		t.Errorf("the right code: %d %+v", status, a)
	}
}

func TestDoctorLooksAtPolicies(t *testing.T) {
	c := config.Default()
	for folder, want := range map[string]provider.FindingVerdict{
		filepath.Join("testdata", "policies"): provider.Good, t.TempDir(): provider.Doubtful, filepath.Join("testdata", "nowhere"): provider.Bad,
	} {
		c.B2CPolicies = folder
		if findings := policyFindings(c); len(findings) != 1 || findings[0].Verdict != want || want != provider.Good && findings[0].Do == "" {
			t.Errorf("%s: %+v, want %s", folder, findings, want)
		}
	}
	c.B2CPolicies, c.B2CKeys = filepath.Join("testdata", "policies"), filepath.Join("testdata", "nowhere")
	if findings := policyFindings(c); findings[0].Subject != "keys" || findings[0].Verdict != provider.Bad {
		t.Errorf("keys that are not there: %+v", findings)
	}
}

// TestTheExampleRuns holds the demo's own policy to what is said of it: all of it runs.
func TestTheExampleRuns(t *testing.T) {
	folder, err := demoPolicies("", t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	set, err := trustframework.Load(os.DirFS(folder), trustframework.Options{})
	if err != nil {
		t.Fatal(err)
	}
	handlers, err := policyHandlers("", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := review.Check(set, handlers, review.Options{})
	if err != nil || r.Failed() || r.Count(review.DisplayControl, review.Runs) != 4 || r.Count(review.TechnicalProfile, review.Fails) > 0 {
		var text strings.Builder
		r.WriteText(&text)
		t.Errorf("%v\n%s", err, text.String())
	}
}

func TestTheDemoShowsPolicies(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	seen := false
	err := demo(ctx, DemoOptions{Listen: "127.0.0.1:0", Policies: filepath.Join("testdata", "policies")}, slog.New(slog.DiscardHandler), func(r Result) error {
		d := r.(demoResult)
		answer, err := http.Get(d.PoliciesURL)
		if err != nil {
			return err
		}
		answer.Body.Close()
		var text strings.Builder
		d.WriteText(&text)
		seen = answer.StatusCode == http.StatusOK && strings.Contains(text.String(), d.PoliciesURL)
		stop()
		return nil
	})
	if err != nil || !seen {
		t.Errorf("the demo ended with %v; policies were seen: %v", err, seen)
	}
}

// saying is a result with one text.
type saying string

func (s saying) WriteText(w io.Writer) { io.WriteString(w, string(s)) }

// A request's body is one line, and may hold a whole mail.
func TestLinesOfAnyLengthAreWritten(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	var b strings.Builder
	plain{saying("\x1b[1mbefore  \r\n" + long + "\nafter")}.WriteText(&b)
	if b.String() != " [1mbefore\n"+long+"\nafter\n" {
		t.Errorf("%d bytes of %d are written", b.Len(), len(long))
	}
}

// A setting that is wrong has the exit code of one, also where only the disk tells.
func TestWrongSettingsOfPoliciesAreWrongSettings(t *testing.T) {
	for name, change := range map[string]func(*config.Config){
		"b2c_policies": func(c *config.Config) { c.B2CPolicies = filepath.Join("testdata", "nowhere") },
		"b2c_keys":     func(c *config.Config) { c.B2CPolicies, c.B2CKeys = "testdata", "nowhere" },
	} {
		c := config.Default()
		folder := t.TempDir()
		c.Database = config.Database{Driver: config.SQLite, Source: filepath.Join(folder, "otpost.db")}
		c.Keys = filepath.Join(folder, "otpost.keys")
		change(c)
		s, err := openServer(t.Context(), c, slog.New(slog.DiscardHandler))
		if err == nil {
			s.Close()
		}
		if codeOf(err) != exitUsage || !strings.Contains(err.Error(), "setting "+name) {
			t.Errorf("%s: exit code %d, %v", name, codeOf(err), err)
		}
	}
}

package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/registry"
)

// guard is what a caller must show before a route does anything.
type guard string

const (
	free    guard = "nothing"
	withKey guard = "API key"
	byAdmin guard = "admin key"
	byEntra guard = "Entra's token, and the function key where one is set"
	byProof guard = "what a provider's reports are proved with"
)

// verb is the one method of passcode.Verbs that a route may call.
type verb string

const (
	asksNothing verb = ""
	asksIssue   verb = "Issue"
	asksStatus  verb = "Status"
	asksCancel  verb = "Cancel"
	asksResend  verb = "Resend"
	asksRelay   verb = "Relay"
	// asksDevices asks the authenticators, which know no passcode, and never the engine.
	asksDevices verb = "authenticators"
	// asksPolicies runs a B2C policy, whose codes are its own and open nothing else.
	asksPolicies verb = "policies"
	// asksVerify tries a code and spends the guess budget of the recipient. There is no other way to try one.
	asksVerify verb = "Verify"
)

// routesOfThePublicListener is every route that strangers can reach. A new route needs a row here: what guards it, and
// which verb of the engine it asks. Whatever takes a passcode's code has to ask Verify.
var routesOfThePublicListener = slices.Concat(routesOfPasscodes, routesOfSettings())

type routeRow struct {
	pattern string
	guard   guard
	verb    verb
}

// routesOfSettings are the same few for every kind of document.
func routesOfSettings() []routeRow {
	patterns := []string{"GET /v1/config", "POST /v1/config", "POST /v1/config:plan", "GET /v1/provider-kinds"}
	for _, kind := range registry.Kinds() {
		path := "/v1/" + kind.Plural()
		patterns = append(patterns, "GET "+path, "GET "+path+"/{name}", "PUT "+path+"/{name}", "DELETE "+path+"/{name}",
			"GET "+path+"/{name}/history", "POST "+path+"/{name}/restore")
	}
	patterns = append(patterns, "POST /v1/templates/{name}/preview", "GET /v1/provider-states", "GET /v1/suppressions", "DELETE /v1/suppressions")
	rows := make([]routeRow, len(patterns))
	for i, pattern := range patterns {
		rows[i] = routeRow{pattern, byAdmin, asksNothing}
	}
	return append(rows, routeRow{"POST /v1/providers/{name}/test", byAdmin, asksRelay})
}

var routesOfPasscodes = []routeRow{
	{"GET /{$}", free, asksNothing},
	{"GET /assets/{name}", free, asksNothing},
	{"GET /docs", free, asksNothing},
	{"GET /openapi.json", free, asksNothing},
	{"GET /healthz", free, asksNothing},
	{"GET /readyz", free, asksNothing},

	{"POST /v1/passcodes", withKey, asksIssue},
	{"GET /v1/passcodes/{id}", withKey, asksStatus},
	{"DELETE /v1/passcodes/{id}", withKey, asksCancel},
	{"POST /v1/passcodes/{id}/resend", withKey, asksResend},
	{"POST /v1/passcodes/{id}/verify", withKey, asksVerify},
	{"POST /v1/passcodes/verify", withKey, asksVerify},

	{"POST /v1/users/{user}/authenticators", withKey, asksDevices},
	{"GET /v1/users/{user}/authenticators", withKey, asksDevices},
	{"DELETE /v1/users/{user}/authenticators/{id}", withKey, asksDevices},
	{"POST /v1/users/{user}/authenticators/{id}/confirm", withKey, asksDevices},
	{"POST /v1/users/{user}/authenticators/verify", withKey, asksDevices},

	// Any method; the door tells those that it takes.
	{"/api/v2/emails/provider", byAdmin, asksNothing},

	// Any method; the door refuses all but POST itself.
	{"/entra/otp-send", byEntra, asksRelay},
	{"/api/{function}", byEntra, asksRelay},

	// Any method; the door refuses all that no vendor uses.
	{"/receipts/{provider}", byProof, asksNothing},
	{"/receipts/{provider}/{secret}", byProof, asksNothing},

	{"POST /b2c/{policy}/technicalprofiles/{id}", withKey, asksPolicies},
	{"POST /b2c/{policy}/displaycontrols/{id}/{action}", withKey, asksPolicies},

	// Mounted with b2c_page alone, and never in production: whoever reaches them can have messages sent.
	{"GET /b2c", free, asksNothing},
	{"GET /b2c/{policy}/technicalprofiles/{id}", free, asksPolicies},
	{"POST /b2c/{policy}/technicalprofiles/{id}/page", free, asksPolicies},
	{"GET /b2c/{policy}/displaycontrols/{id}", free, asksPolicies},
	{"POST /b2c/{policy}/displaycontrols/{id}", free, asksPolicies},

	// Mounted with the built-in inbox alone, which shows every code to whoever reaches it.
	{"GET /inbox", free, asksNothing},
	{"GET /inbox/{id}", free, asksNothing},
	{"GET /inbox/{id}/html", free, asksNothing},
	{"GET /v1/inbox", free, asksNothing},
}

// mounted notes the patterns that are mounted.
type mounted []string

func (m *mounted) Handle(pattern string, _ http.Handler) { *m = append(*m, pattern) }

func mountedBy(t *testing.T, s *server) []string {
	t.Helper()
	var m mounted
	if err := s.mount(&m); err != nil {
		t.Fatal(err)
	}
	slices.Sort(m)
	return m
}

func TestEveryRouteHasItsRow(t *testing.T) {
	var want []string
	for _, route := range routesOfThePublicListener {
		want = append(want, route.pattern)
	}
	slices.Sort(want)
	everything := mountedBy(t, startInProcess(t, nil).server)
	if !slices.Equal(everything, want) {
		t.Errorf("mounted      %q\nin the table %q", everything, want)
	}
	inProduction := mountedBy(t, startInProcess(t, func(c *config.Config) { c.Production = true }).server)
	for _, pattern := range inProduction {
		if i := slices.IndexFunc(routesOfThePublicListener, func(r routeRow) bool { return r.pattern == pattern }); strings.Contains(pattern, "inbox") ||
			strings.Contains(pattern, "/b2c") && routesOfThePublicListener[i].guard == free {
			t.Errorf("%s is open in production", pattern)
		}
	}
	if len(inProduction) != len(everything)-4-5 {
		t.Errorf("in production %q are mounted", inProduction)
	}
}

func TestEveryRouteIsGuardedAsItsRowSays(t *testing.T) {
	p := startInProcess(t, nil)
	secret := []byte(strings.Repeat("k", 24))
	p.subscribe(t, startCustomer(t, secret), secret)
	id, code := p.issue(t, "lea@example.org")
	p.happened()
	for _, route := range routesOfThePublicListener {
		for name, credentials := range map[string]string{
			"nothing": "", "a key that nobody has": "Bearer otp_" + strings.Repeat("A", 43),
			"the key as Basic": "Basic " + p.key, "half the key": "Bearer " + p.key[:20],
		} {
			r := reach(route.pattern, id, everyMember("lea@example.org", code), nil)
			r.Header.Set("Authorization", credentials)
			if route.guard == byEntra {
				r.Header.Set("X-Functions-Key", testFunctionKey)
			}
			w := p.do(r)
			if refused := w.Code == http.StatusUnauthorized; refused != (route.guard != free) {
				t.Errorf("%s with %s: %d, though it is guarded by %s", route.pattern, name, w.Code, route.guard)
			}
		}
		if route.guard == byEntra {
			r := p.entra(t, route.pattern, "lea@example.org", code)
			r.Header.Del("X-Functions-Key")
			if w := p.do(r); w.Code != http.StatusUnauthorized {
				t.Errorf("%s without the function key: %d", route.pattern, w.Code)
			}
		}
	}
	if events := p.happened(); len(events) != 0 {
		t.Errorf("strangers made the engine do %+v", events)
	}
	if state := p.state(t, id); state != passcode.Pending {
		t.Errorf("strangers made a passcode %s", state)
	}
}

// TestAKeyOpensItsOwnDoors tries the key of an application at settings, and an admin key at everything else.
func TestAKeyOpensItsOwnDoors(t *testing.T) {
	p := startInProcess(t, nil)
	for name, key := range map[string]string{"the application's key": p.key, "an admin key": p.adminKey} {
		for _, route := range routesOfThePublicListener {
			r := reach(route.pattern, "pc_1", `{"to":"lea@example.org","code":"1"}`, nil)
			r.Header.Set("Authorization", "Bearer "+key)
			w := p.do(r)
			want := route.guard == withKey && key == p.adminKey || route.guard == byAdmin && key == p.key
			if forbidden := w.Code == http.StatusForbidden; forbidden != want {
				t.Errorf("%s with %s: %d, though it is guarded by %s", route.pattern, name, w.Code, route.guard)
			}
		}
		if events := p.happened(); (len(events) == 0) != (key == p.adminKey) {
			t.Errorf("with %s the engine did %+v", name, events)
		}
	}
}

// TestEveryRouteOfOursIsInTheContract compares what is mounted below /v1 with what GET /openapi.json says.
func TestEveryRouteOfOursIsInTheContract(t *testing.T) {
	p := startInProcess(t, nil)
	var contract struct{ Paths map[string]map[string]any }
	p.call(t, "GET", "/openapi.json", "", &contract)
	var documented, mounted []string
	for path, item := range contract.Paths {
		for method := range item {
			if strings.HasPrefix(path, "/v1/") {
				documented = append(documented, strings.ToUpper(method)+" "+path)
			}
		}
	}
	for _, pattern := range mountedBy(t, p.server) {
		if strings.Contains(pattern, " /v1/") {
			mounted = append(mounted, pattern)
		}
	}
	slices.Sort(documented)
	if !slices.Equal(mounted, documented) || len(mounted) < 30 {
		t.Errorf("mounted    %q\ndocumented %q", mounted, documented)
	}
}

// TestNoOtherRouteTakesACode gives the right code to every route, in every place where one could be read, and with
// everything that its guard wants. The routes that ask Verify take it; after all the others it is still to be used.
func TestNoOtherRouteTakesACode(t *testing.T) {
	p := startInProcess(t, withoutInterval)
	for i, route := range routesOfThePublicListener {
		to := "lea" + strconv.Itoa(i) + "@example.org"
		id, code := p.issue(t, to)
		p.happened()
		var answers []string
		for _, body := range bodiesWith(to, code) {
			r := p.withCredentials(t, route.pattern, route.guard, id, to, code, body)
			w := p.do(r)
			answers = append(answers, strconv.Itoa(w.Code))
		}
		tried := 0
		for _, e := range p.happened() {
			if e.Kind == passcode.EventVerified || e.Kind == passcode.EventTried {
				tried++
			}
		}
		state := p.state(t, id)
		if route.verb == asksVerify {
			if state != passcode.Verified || tried == 0 {
				t.Errorf("%s: the right code left the passcode %s; answers %q", route.pattern, state, answers)
			}
			continue
		}
		if tried != 0 || state == passcode.Verified {
			t.Errorf("%s tried a code %d times and left the passcode %s", route.pattern, tried, state)
		}
		want := map[verb]string{asksCancel: "cancelled", asksIssue: "replaced"}[route.verb]
		if reason := p.try(t, "POST /v1/passcodes/{id}/verify", id, to, code); reason != want {
			t.Errorf("%s left behind a passcode that answers its code with %q, want %q", route.pattern, reason, want)
		}
	}
}

// Zitadel CVE-2025-64102 (GO-2025-4085): resources that were added later went past the lock-out.
func TestAdvisory_CVE_2025_64102_NoRouteVerifiesWithoutTheGuessBudget(t *testing.T) {
	p := startInProcess(t, patient)
	verifying := p.verifyRoutes()
	if len(verifying) == 0 {
		t.Fatal("no route verifies")
	}
	for i, spending := range verifying {
		to := "ada" + strconv.Itoa(i) + "@example.org"
		id, code := p.issue(t, to)
		for n := range 10 {
			if reason := p.try(t, spending, id, to, otherCode(code)); reason != "wrong_code" {
				t.Fatalf("%s: guess %d of 10 is answered %q", spending, n+1, reason)
			}
		}
		for _, route := range verifying {
			for what, guess := range map[string]string{"a wrong code": otherCode(code), "the right code": code} {
				if reason := p.try(t, route, id, to, guess); reason != "throttled" {
					t.Errorf("after ten guesses at %s, %s at %s is answered %q", spending, what, route, reason)
				}
			}
		}
		// Neither a new passcode nor another spelling of the address renews it.
		for _, other := range []string{to, strings.ToUpper(to), strings.Replace(to, "@", "+again@", 1)} {
			again, fresh := p.issue(t, other)
			if reason := p.try(t, spending, again, other, fresh); reason != "throttled" {
				t.Errorf("after ten guesses at %s, a new passcode for %s is answered %q", spending, other, reason)
			}
		}
	}
}

// Zitadel CVE-2024-32868 (GO-2024-2788): the lock-out counted passwords, and one-time codes were another count.
func TestAdvisory_CVE_2024_32868_EveryVerifyRouteRaisesTheSameCounter(t *testing.T) {
	p := startInProcess(t, patient)
	verifying := p.verifyRoutes()
	to := "lea@example.org"
	id, code := p.issue(t, to)
	for n := range 10 {
		route := verifying[n%len(verifying)]
		if reason := p.try(t, route, id, to, otherCode(code)); reason != "wrong_code" {
			t.Fatalf("guess %d, at %s, is answered %q", n+1, route, reason)
		}
	}
	for _, route := range verifying {
		if reason := p.try(t, route, id, to, code); reason != "throttled" {
			t.Errorf("ten guesses over all routes, and %s answers %q", route, reason)
		}
	}
	// Email and SMS are two recipients with a budget each, and each has one.
	id, code = p.issue(t, "+33612345678")
	for range 10 {
		p.try(t, verifying[0], id, "+33612345678", otherCode(code))
	}
	if reason := p.try(t, verifying[len(verifying)-1], id, "+33612345678", code); reason != "throttled" {
		t.Errorf("ten guesses for a number, and the next is answered %q", reason)
	}
}

// patient leaves the guess budget alone and takes away what would end a passcode before it is spent.
func patient(c *config.Config) {
	c.CodeTries, c.Lockout, c.LimitIdentifier = 20, 0, nil
	withoutInterval(c)
}

func withoutInterval(c *config.Config) { c.ResendInterval = 0 }

func (p *inProcess) verifyRoutes() (patterns []string) {
	for _, route := range routesOfThePublicListener {
		if route.verb == asksVerify {
			patterns = append(patterns, route.pattern)
		}
	}
	return patterns
}

// try sends a code to a route that takes one, and returns the reason it gives, empty for a right code.
func (p *inProcess) try(t *testing.T, pattern, id, to, code string) string {
	t.Helper()
	body := `{"code":"` + code + `"}`
	if !strings.Contains(pattern, "{id}") {
		body = `{"to":"` + to + `","code":"` + code + `","purpose":"sign_in"}`
	}
	method, path, _ := strings.Cut(strings.Replace(pattern, "{id}", id, 1), " ")
	var verdict struct{ Status, Reason string }
	w := p.call(t, method, path, body, &verdict)
	if w.Code != http.StatusOK || verdict.Reason == "" && verdict.Status != "verified" {
		t.Fatalf("%s: %d %s", pattern, w.Code, w.Body)
	}
	if retry := w.Header().Get("Retry-After"); (verdict.Reason == "throttled") != (retry != "") {
		t.Errorf("%s: %q with Retry-After %q", pattern, verdict.Reason, retry)
	}
	return verdict.Reason
}

// reportingProvider is a provider whose reports are taken; see subscribe.
const reportingProvider = "customer"

// wildcard is a part of a pattern that stands for one segment of a path.
var wildcard = regexp.MustCompile(`\{[a-z]+\}`)

// reach makes a request that a pattern takes. A pattern without a method is tried with POST.
func reach(pattern, id, body string, query url.Values) *http.Request {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		method, path = "POST", pattern
	}
	path = strings.NewReplacer("{provider}", reportingProvider, "{policy}/technicalprofiles/{id}", "MailCode/technicalprofiles/VerifyOtp",
		"{policy}/displaycontrols/{id}", "MailCode/displaycontrols/mailControl", "{action}", "VerifyCode").Replace(path)
	path = wildcard.ReplaceAllString(strings.ReplaceAll(path, "{$}", ""), id)
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// withCredentials is a request with all that the guard wants and the code in every place but the guard's own.
func (p *inProcess) withCredentials(t *testing.T, pattern string, g guard, id, to, code, body string) *http.Request {
	t.Helper()
	if g == byEntra {
		return p.entra(t, pattern, to, code)
	}
	r := reach(pattern, id, body, url.Values{"code": {code}, "to": {to}, "otp": {code}, "purpose": {"sign_in"}})
	key := p.key
	if g == byAdmin {
		key = p.adminKey
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("X-Otp", code)
	r.AddCookie(&http.Cookie{Name: "code", Value: code})
	return r
}

// entra is an event that carries a code of our own for the same recipient.
func (p *inProcess) entra(t *testing.T, pattern, to, code string) *http.Request {
	t.Helper()
	e := extension.Event{TenantID: demoTenant, Identifier: to, Code: code, RequestType: "signIn", CorrelationID: "c-" + to}
	r := reach(pattern, "otp-send", string(e.Encode(extension.BothCasings)), nil)
	r.Header.Set("Authorization", "Bearer "+p.token)
	r.Header.Set("X-Functions-Key", testFunctionKey)
	return r
}

// bodiesWith are the bodies of all routes that have one, each with the code where it fits, and none.
func bodiesWith(to, code string) []string {
	return []string{everyMember(to, code), `{"to":"` + to + `","code":"` + code + `","purpose":"sign_in"}`,
		`{"email":"` + to + `","code":"` + code + `"}`, `{"code":"` + code + `"}`, `{"to":"` + to + `","purpose":"sign_in","metadata":{"code":"` + code + `"}}`, `{}`, ""}
}

func everyMember(to, code string) string {
	return `{"to":"` + to + `","code":"` + code + `","purpose":"sign_in","otp":"` + code + `","oneTimeCode":"` + code + `"}`
}

package entra_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/front/entra"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

func event() extension.Event {
	return extension.Event{TenantID: tenantID, Identifier: "lea@example.org", Code: "40718265",
		CorrelationID: "e2c9b7b8-0000-4000-8000-0000000000ee", RequestType: "signIn"}
}

// ask sends an event of a tenant to the door, with a token of that tenant.
func ask(t *testing.T, h *entra.Handler, e extension.Event) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(t, e))
	return w
}

func request(t *testing.T, e extension.Event) *http.Request {
	t.Helper()
	r := httptest.NewRequest("POST", "/entra/otp-send", bytes.NewReader(e.Encode(extension.OneTimeCode)))
	r.Header.Set("Authorization", "Bearer "+mint(t, e.TenantID, extension.Grant{Audience: appID}))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func TestEveryReasonHasAnAnswer(t *testing.T) {
	for _, reason := range passcode.Reasons() {
		t.Run(string(reason), func(t *testing.T) {
			w := ask(t, newHandler(t, &stub{err: &passcode.Refusal{Reason: reason, Detail: "Why."}}), event())
			if w.Code < 400 || w.Code == 500 || !strings.Contains(w.Body.String(), `"code":"`+string(reason)+`"`) {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			if retry := w.Header().Get("Retry-After"); (w.Code == 429 || w.Code == 503) != (retry != "") {
				t.Errorf("%d with Retry-After %q", w.Code, retry)
			}
		})
	}
}

func TestPurposeOfEveryRequestType(t *testing.T) {
	for requestType, want := range map[string]passcode.Purpose{
		"signUp": passcode.SignUp, "SignIn": passcode.SignIn, "PASSWORDRESET": passcode.PasswordReset,
		"": passcode.Verify, "mergeAccounts": passcode.Verify,
	} {
		engine := &stub{relayed: verdict(outbox.Taken)}
		e := event()
		e.RequestType = requestType
		ask(t, newHandler(t, engine), e)
		if got := engine.last(t).Purpose; got != want {
			t.Errorf("%q became %s, want %s", requestType, got, want)
		}
	}
}

func TestTranslationOfNamesAndPlaces(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*extension.Event)
		check  func(passcode.Relay) bool
	}{
		"market when there is no locale": {func(e *extension.Event) { e.Client.Market = "de-de" }, func(r passcode.Relay) bool { return r.Locale == "de-de" }},
		"locale before market":           {func(e *extension.Event) { e.Client = extension.Client{Locale: "fr-ca", Market: "fr-fr"} }, func(r passcode.Relay) bool { return r.Locale == "fr-ca" }},
		"app display name":               {func(e *extension.Event) { e.Application.AppDisplayName = "Boutique" }, func(r passcode.Relay) bool { return r.Application.Name == "Boutique" }},
		"display name first": {func(e *extension.Event) {
			e.Application = extension.ServicePrincipal{DisplayName: "Shop", AppDisplayName: "Boutique"}
		}, func(r passcode.Relay) bool { return r.Application.Name == "Shop" }},
		"no line breaks":      {func(e *extension.Event) { e.Application.DisplayName = "Shop\r\nBcc: x\u2028\u202e" }, func(r passcode.Relay) bool { return r.Application.Name == "ShopBcc: x" }},
		"no endless name":     {func(e *extension.Event) { e.Application.DisplayName = strings.Repeat("é", 300) }, func(r passcode.Relay) bool { return r.Application.Name == strings.Repeat("é", 100) }},
		"IPv4 in IPv6":        {func(e *extension.Event) { e.Client.IP = "::ffff:203.0.113.9" }, func(r passcode.Relay) bool { return r.IP == "203.0.113.9" }},
		"port":                {func(e *extension.Event) { e.Client.IP = "[2001:DB8::9]:443" }, func(r passcode.Relay) bool { return r.IP == "2001:db8::9" }},
		"zone":                {func(e *extension.Event) { e.Client.IP = "fe80::1%eth0" }, func(r passcode.Relay) bool { return r.IP == "fe80::1" }},
		"not an address":      {func(e *extension.Event) { e.Client.IP = "unknown" }, func(r passcode.Relay) bool { return r.IP == "" }},
		"white space outside": {func(e *extension.Event) { e.Identifier, e.Code = " lea@example.org ", "40718265\n" }, func(r passcode.Relay) bool { return r.To == "lea@example.org" && r.Code == "40718265" }},
	} {
		t.Run(name, func(t *testing.T) {
			engine := &stub{relayed: verdict(outbox.Taken)}
			e := event()
			test.change(&e)
			ask(t, newHandler(t, engine), e)
			if got := engine.last(t); !test.check(got) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// Vault took a used code with a space in it for a new one; here the mistake would be to take a retry that is spelled
// differently for a new event, and to mail twice.
func TestAdvisory_CVE_2025_6014_SpellingMakesNoNewEvent(t *testing.T) {
	dedup := func(change func(*extension.Event)) string {
		engine := &stub{relayed: verdict(outbox.Taken)}
		e := event()
		change(&e)
		ask(t, newHandler(t, engine), e)
		r := engine.last(t)
		return strings.Join(append(r.Dedup, r.Code), "|")
	}
	want := dedup(func(*extension.Event) {})
	for name, change := range map[string]func(*extension.Event){
		"case of the address":     func(e *extension.Event) { e.Identifier = "Lea@Example.ORG" },
		"white space":             func(e *extension.Event) { e.Identifier, e.Code = "\u00a0lea@example.org\t", " 40718265 " },
		"full-width letters":      func(e *extension.Event) { e.Identifier = "ｌｅａ＠example.org" },
		"case of the correlation": func(e *extension.Event) { e.CorrelationID = " E2C9B7B8-0000-4000-8000-0000000000EE" },
	} {
		if got := dedup(change); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for name, change := range map[string]func(*extension.Event){
		"another address":     func(e *extension.Event) { e.Identifier = "leo@example.org" },
		"another code":        func(e *extension.Event) { e.Code = "40718266" },
		"another correlation": func(e *extension.Event) { e.CorrelationID = "e2c9b7b8-0000-4000-8000-0000000000ef" },
	} {
		if dedup(change) == want {
			t.Errorf("%s: taken for the same event", name)
		}
	}
	w := ask(t, newHandler(t, new(stub)), func() extension.Event { e := event(); e.Code = "４０７１８２６５"; return e }())
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("full-width digits: got %d", w.Code)
	}
}

// Casdoor looked a code up by receiver alone: one address in two tenants must be two events.
func TestAdvisory_Casdoor_SameAddressInTwoTenantsIsTwoEvents(t *testing.T) {
	engine := &stub{relayed: verdict(outbox.Taken)}
	h := newHandler(t, engine)
	for _, tenant := range []string{tenantID, otherID} {
		e := event()
		e.TenantID = tenant
		if w := ask(t, h, e); w.Code != http.StatusOK {
			t.Fatalf("got %d", w.Code)
		}
	}
	if slices.Equal(engine.relays[0].Dedup, engine.relays[1].Dedup) {
		t.Error("the tenants share a key")
	}
}

// Vikunja and Fleet took the client's address from headers anybody can write.
func TestAdvisory_CVE_2026_29794_HeadersDoNotMakeTheClientAddress(t *testing.T) {
	engine := &stub{relayed: verdict(outbox.Taken)}
	r := request(t, event())
	for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "True-Client-Ip", "Forwarded", "X-Azure-Clientip"} {
		r.Header.Set(name, "198.51.100.7")
	}
	newHandler(t, engine).ServeHTTP(httptest.NewRecorder(), r)
	if got := engine.last(t).IP; got != "" {
		t.Errorf("got %q though the event names no address", got)
	}
}

// MTN's API answered with the code that it had sent.
func TestAdvisory_HackerOne_777957_NoAnswerOrLogHoldsTheCode(t *testing.T) {
	outcomes := []*stub{{relayed: verdict(outbox.Taken)}, {relayed: verdict(outbox.NotSent)}, {relayed: verdict(outbox.Unknown)}, {err: errors.New("broken")}}
	for _, reason := range passcode.Reasons() {
		outcomes = append(outcomes, &stub{err: &passcode.Refusal{Reason: reason}})
	}
	for _, engine := range outcomes {
		var log bytes.Buffer
		h := newHandler(t, engine)
		h.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		w := ask(t, h, event())
		if log.Len() == 0 {
			t.Fatal("nothing was logged")
		}
		for _, secret := range []string{event().Code, event().Identifier} {
			if strings.Contains(w.Body.String(), secret) || strings.Contains(log.String(), secret) {
				t.Errorf("%s\n%s\nhold %q", w.Body, log.String(), secret)
			}
		}
	}
}

func TestEventsWithoutACorrelationAreKnownByTheirTime(t *testing.T) {
	engine := &stub{relayed: verdict(outbox.Taken)}
	h := newHandler(t, engine)
	e := event()
	e.CorrelationID = ""
	for _, later := range []time.Duration{0, 2 * time.Second, 10 * time.Minute} {
		h.Now = func() time.Time { return noon.Add(later) }
		ask(t, h, e)
	}
	first, retry, much := engine.relays[0].Dedup, engine.relays[1].Dedup, engine.relays[2].Dedup
	if !slices.Equal(first, retry) || slices.Equal(first, much) {
		t.Errorf("got %q, %q, %q", first, retry, much)
	}
}

// watcher is an engine that looks at its context after the caller hung up.
type watcher struct {
	hangUp context.CancelFunc
	err    error
	left   time.Duration
}

func (w *watcher) Relay(ctx context.Context, r passcode.Relay) (passcode.Relayed, error) {
	w.hangUp()
	w.err = ctx.Err()
	deadline, _ := ctx.Deadline()
	w.left = time.Until(deadline)
	return verdict(outbox.Taken), nil
}

func TestHangingUpDoesNotStopTheDelivery(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	engine := &watcher{hangUp: cancel}
	w := httptest.NewRecorder()
	newHandler(t, engine).ServeHTTP(w, request(t, event()).WithContext(ctx))
	if engine.err != nil || w.Code != http.StatusOK {
		t.Errorf("the engine's context: %v, answer %d", engine.err, w.Code)
	}
	if engine.left <= 0 || engine.left > time.Minute {
		t.Errorf("the engine's context ends in %v", engine.left)
	}
}

type refusing struct{ reason extension.Reason }

func (r refusing) Verify(context.Context, string) (extension.Identity, error) {
	return extension.Identity{}, &extension.Refused{Reason: r.reason, Detail: "the reason in full"}
}

func TestEveryTokenReasonIsObservedAndNotTold(t *testing.T) {
	for _, reason := range extension.Reasons() {
		h := newHandler(t, new(stub))
		h.Verifier = refusing{reason}
		var seen entra.Observation
		h.Observe = func(o entra.Observation) { seen = o }
		w := ask(t, h, event())
		want := http.StatusUnauthorized
		if reason == extension.NoKeys {
			want = http.StatusServiceUnavailable
		}
		if w.Code != want || seen.Status != want || seen.Refused != reason {
			t.Errorf("%s: got %d, observed %+v", reason, w.Code, seen)
		}
		if strings.Contains(w.Body.String(), "in full") || (want == 401) != (w.Header().Get("WWW-Authenticate") != "") {
			t.Errorf("%s: got %v %s", reason, w.Header(), w.Body)
		}
	}
}

func TestNoVerdictIsNotSuccess(t *testing.T) {
	if w := ask(t, newHandler(t, new(stub)), event()); w.Code != http.StatusInternalServerError {
		t.Errorf("got %d", w.Code)
	}
}

func TestObservationOfARetry(t *testing.T) {
	engine := &stub{relayed: verdict(outbox.Taken)}
	engine.relayed.Joined = true
	h := newHandler(t, engine)
	var seen entra.Observation
	h.Observe = func(o entra.Observation) { seen = o }
	ask(t, h, event())
	if want := (entra.Observation{Status: 200, Verdict: outbox.Taken, Joined: true}); seen != want {
		t.Errorf("got %+v, want %+v", seen, want)
	}
}

func TestApplicationCanBeMapped(t *testing.T) {
	engine := &stub{relayed: verdict(outbox.Taken)}
	h := newHandler(t, engine)
	h.Application = func(e extension.Event) passcode.Application {
		return passcode.Application{ID: "app_1", Name: e.Application.Name(), Domain: "shop.example"}
	}
	e := event()
	e.Application.DisplayName = "Boutique"
	ask(t, h, e)
	if got, want := engine.last(t).Application, (passcode.Application{ID: "app_1", Name: "Boutique", Domain: "shop.example"}); got != want {
		t.Errorf("got %+v", got)
	}
}

func FuzzAuthorization(f *testing.F) {
	for _, seed := range []string{"", "Bearer", "Bearer ", "bearer a.b.c", "Basic dTpw", "Bearer a b", "Bearer \x00", "Bearer eyJhbGciOiJub25lIn0.e30."} {
		f.Add(seed)
	}
	h := newHandler(f, new(stub))
	f.Fuzz(func(t *testing.T, header string) {
		r := httptest.NewRequest("POST", "/entra/otp-send", strings.NewReader("{}"))
		r.Header["Authorization"] = []string{header}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer ") {
			t.Fatalf("got %d %v", w.Code, w.Header())
		}
	})
}

func FuzzEvent(f *testing.F) {
	f.Add(event().Encode(extension.OneTimeCode))
	f.Add([]byte(`{"data":null}`))
	strange := event()
	strange.Application.AppID, strange.Application.DisplayName = "a\x00b\r\nc", strings.Repeat(string(rune(0x2028))+"x", 200)
	strange.Client.IP, strange.Client.Locale, strange.RequestType = "[fe80::1%eth0]:80", "en\x00", "sign\x00in"
	f.Add(strange.Encode(extension.BothCasings))
	engine := &stub{relayed: verdict(outbox.Taken)}
	h := newHandler(f, engine)
	token := mint(f, tenantID, extension.Grant{Audience: appID})
	f.Fuzz(func(t *testing.T, body []byte) {
		engine.relays = nil
		r := httptest.NewRequest("POST", "/entra/otp-send", bytes.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if (w.Code == http.StatusOK) != (len(engine.relays) == 1) || w.Code >= 500 {
			t.Fatalf("got %d, %d relays", w.Code, len(engine.relays))
		}
		for _, r := range engine.relays {
			// These go into rows, messages and logs.
			for _, text := range []string{r.Application.ID, r.Application.Name, r.Locale, r.IP, r.Code} {
				if len(text) > 400 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
					t.Errorf("the engine was asked with %q", text)
				}
			}
			if !slices.Contains(passcode.Purposes(), r.Purpose) || r.Tenant != "main" || r.IP != "" && !netip.MustParseAddr(r.IP).IsValid() {
				t.Errorf("the engine was asked %+v", r)
			}
		}
	})
}

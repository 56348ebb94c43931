package trial_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/front/trial"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/provider"
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// keys knows an admin key, one of another tenant, and an application's.
type keys struct{}

func (keys) Authenticate(_ context.Context, token string) (access.Caller, error) {
	c, ok := map[string]access.Caller{
		"admin":   {Admin: true, Tenant: "default", Key: "key_1"},
		"foreign": {Admin: true, Tenant: "other", Key: "key_2"},
		"app":     {Application: access.Application{ID: "app_1"}, Tenant: "default", Key: "key_3"},
	}[token]
	if !ok {
		return c, access.ErrNoAccess
	}
	return c, nil
}

// door is the door before an engine that answers what it is told to.
type door struct {
	handler  http.Handler
	contract routers.Router
	log      bytes.Buffer

	asked    []passcode.Relay
	outcome  outbox.Outcome
	err      error
	attempts []outbox.Attempt
	looked   int
}

func open(t *testing.T) *door {
	t.Helper()
	d := &door{outcome: outbox.Outcome{Verdict: outbox.Taken}}
	log := slog.New(slog.NewTextHandler(&d.log, nil))
	h := &trial.Handler{
		Relay: func(_ context.Context, r passcode.Relay) (passcode.Relayed, error) {
			d.asked = append(d.asked, r)
			return passcode.Relayed{Delivery: outbox.Delivery{ID: "dl_1"}, Outcome: d.outcome}, d.err
		},
		Attempts: func(_ context.Context, delivery string) ([]outbox.Attempt, error) {
			if delivery != "dl_1" {
				t.Errorf("the attempts of %s are asked for", delivery)
			}
			return d.attempts, nil
		},
		Channels: func(name string) ([]outbox.Channel, bool) { return []outbox.Channel{outbox.Email}, name == "mail" },
		Code:     func() (string, time.Duration, error) { return "482913", 10 * time.Minute, nil },
		Advise:   func(name string, a outbox.Attempt) string { return "advice for " + name + " on " + string(a.Class) },
		Findings: func(context.Context, string) []provider.Finding {
			d.looked++
			return []provider.Finding{{Subject: "login", Verdict: provider.Bad, Found: "No.", Do: "Look."}}
		},
		Access: keys{}, Tenant: "default", Log: log, Now: noon,
	}
	mux := http.NewServeMux()
	h.Mount(mux)
	d.handler = front.Entrance{Log: log, Level: slog.LevelDebug, Now: noon}.Handler(mux)
	document, err := openapi3.NewLoader().LoadFromData(trial.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d.contract, err = legacy.NewRouter(document); err != nil {
		t.Fatal(err)
	}
	return d
}

// ask tries a provider with a key, and holds request and answer to the contract.
func (d *door) ask(t *testing.T, key, name, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("POST", "/v1/providers/"+name+"/test", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	r.Body = io.NopCloser(strings.NewReader(body))
	d.check(t, r, w)
	return w
}

func (d *door) check(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	route, params, err := d.contract.FindRoute(r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
	allowed := openapi3filter.ValidateRequest(t.Context(), in)
	if w.Code == 200 && allowed != nil {
		t.Errorf("%s %s is taken, though the contract forbids it: %v", r.Method, r.URL, allowed)
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: w.Code, Header: w.Header(),
		Options: &openapi3filter.Options{IncludeResponseStatus: true}}
	if err := openapi3filter.ValidateResponse(t.Context(), out.SetBodyBytes(w.Body.Bytes())); err != nil {
		t.Errorf("%s %s: %d %s: %v", r.Method, r.URL, w.Code, w.Body, err)
	}
}

func (d *door) want(t *testing.T, status int, says, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := d.ask(t, "admin", "mail", body)
	if w.Code != status || !strings.Contains(w.Body.String(), says) {
		t.Errorf("%s: %d %s, want %d and %s", body, w.Code, w.Body, status, says)
	}
	return w
}

func TestAMessageTakesTheWayOfEveryMessage(t *testing.T) {
	d := open(t)
	d.attempts = []outbox.Attempt{{Took: 212 * time.Millisecond, Ref: "4F3B"}}
	w := d.want(t, 200, `"verdict":"accepted"`, `{"to":"lea@example.org","purpose":"mfa","locale":"fr","application":"shop","wait_ms":2000}`)
	want := `{"verdict":"accepted","provider":"mail","delivery":"dl_1","attempts":[{"took_ms":212,"ref":"4F3B"}],"advice":"The provider took the message. Whether it arrived, the inbox shows, and a delivery report where they are set up."}`
	if w.Body.String() != want || d.looked != 0 {
		t.Errorf("answered %s\nwant %s, and looked %d times", w.Body, want, d.looked)
	}
	d.want(t, 200, "", `{"to":"lea@example.org"}`)
	first, second := d.asked[0], d.asked[1]
	if first.Tenant != "default" || first.Provider != "mail" || first.To != "lea@example.org" || first.Code != "482913" || first.Purpose != passcode.MFA ||
		first.Locale != "fr" || first.Application.Name != "shop" || first.Lifetime != 10*time.Minute || !first.AnswerBy.Equal(noon().Add(2*time.Second)) || !first.KeepFallback {
		t.Errorf("asked for %+v", first)
	}
	if second.Purpose != passcode.Verify || !second.AnswerBy.Equal(noon().Add(15*time.Second)) || second.Application.Name != "" {
		t.Errorf("asked by default for %+v", second)
	}
	if strings.Join(first.Dedup, " ") == strings.Join(second.Dedup, " ") {
		t.Errorf("the second test repeats the first: %q", first.Dedup)
	}
	if log := d.log.String(); strings.Count(log, "provider tried") != 2 || strings.Contains(log, "lea@") || strings.Contains(log, "482913") {
		t.Errorf("the log has\n%s", log)
	}
}

func TestWhatWentWrongIsToldWithWhatToDo(t *testing.T) {
	d := open(t)
	d.outcome.Verdict = outbox.NotSent
	d.attempts = []outbox.Attempt{{Class: outbox.Transient, Took: time.Second}, {Class: outbox.Account, Code: "535", Detail: "AUTH: no", Took: 2 * time.Millisecond}}
	d.want(t, 200, `"attempts":[{"class":"transient","took_ms":1000},{"class":"config","code":"535","detail":"AUTH: no","took_ms":2}],`+
		`"advice":"advice for mail on config","findings":[{"subject":"login","verdict":"bad","found":"No.","do":"Look."}]`, `{"to":"lea@example.org"}`)
	d.attempts = nil
	d.want(t, 200, `"attempts":[],"advice":"Nobody began to send it in time`, `{"to":"lea@example.org"}`)
	d.outcome.Verdict = outbox.Unknown
	d.want(t, 200, `"advice":"The provider has not answered yet.`, `{"to":"lea@example.org"}`)
	if d.looked != 3 {
		t.Errorf("the account was looked at %d times, want 3", d.looked)
	}
}

func TestWhatIsRefused(t *testing.T) {
	for _, test := range []struct {
		body   string
		status int
		says   string
	}{
		{``, 400, "body_missing"}, {`{`, 400, "malformed_json"}, {`[]`, 400, "malformed_json"}, {`{"to":"a"} {}`, 400, "malformed_json"}, {"{\"to\":\"\xff\"}", 400, "malformed_json"},
		{`{}`, 422, `{"field":"to","detail":"is missing"}`},
		{`{"to":"","to":"a"}`, 422, `{"field":"to","detail":"is given twice"}`},
		{`{"to":null}`, 422, `{"field":"to","detail":"must be a string"}`},
		{`{"to":1,"code":"1","wait_ms":"1"}`, 422, `[{"field":"to","detail":"must be a string"},{"field":"code","detail":"is not a member of this request"},{"field":"wait_ms","detail":"must be a whole number"}]`},
		{`{"to":"a@example.org","wait_ms":1.5}`, 422, `"field":"wait_ms"`}, {`{"to":"a@example.org","wait_ms":-1}`, 422, `"field":"wait_ms"`},
		{`{"to":"a@example.org","wait_ms":30001}`, 422, `must be 0 to 30000`},
		{`{"to":"a@example.org","purpose":"login"}`, 422, `"field":"purpose"`},
		{`{"to":"a@example.org","application":"a\u0000b"}`, 422, `"field":"application"`},
		{`{"to":"a@example.org","locale":"` + strings.Repeat("x", 101) + `"}`, 422, `"field":"locale"`},
		{`{"to":"+33123456789"}`, 422, "is a recipient of sms, and the provider carries email"},
		{`{"to":"` + strings.Repeat("a", 17<<10) + `"}`, 413, "body_too_large"},
	} {
		d := open(t)
		d.want(t, test.status, test.says, test.body)
		if len(d.asked) != 0 {
			t.Errorf("%s: a message was asked for", test.body)
		}
	}
	d := open(t)
	r := httptest.NewRequest("POST", "/v1/providers/mail/test", strings.NewReader(`{"to":"a@example.org"}`))
	r.Header.Set("Authorization", "Bearer admin")
	w := httptest.NewRecorder()
	if d.handler.ServeHTTP(w, r); w.Code != 415 {
		t.Errorf("without a Content-Type: %d", w.Code)
	}
}

func TestWhoMayTry(t *testing.T) {
	d := open(t)
	for key, want := range map[string]int{"nobody": 401, "app": 403, "foreign": 404, "admin": 200} {
		if w := d.ask(t, key, "mail", `{"to":"lea@example.org"}`); w.Code != want {
			t.Errorf("with the key %s: %d %s, want %d", key, w.Code, w.Body, want)
		}
	}
	if w := d.ask(t, "admin", "nobody", `{"to":"lea@example.org"}`); w.Code != 404 || !strings.Contains(w.Body.String(), "unknown_provider") {
		t.Errorf("an unknown provider: %d %s", w.Code, w.Body)
	}
	if len(d.asked) != 1 {
		t.Errorf("%d messages were asked for, want 1", len(d.asked))
	}
}

func TestTheEnginesRefusals(t *testing.T) {
	for _, test := range []struct {
		err    error
		status int
		says   string
		retry  string
	}{
		{&passcode.Refusal{Reason: passcode.LimitReached, Limit: "identifier", RetryAt: noon().Add(90 * time.Second)}, 429, "The limit for this identifier is spent.", "90"},
		{&passcode.Refusal{Reason: passcode.LockedOut, RetryAt: noon()}, 429, "locked_out", "1"},
		{&passcode.Refusal{Reason: passcode.Suppressed}, 422, "recipient_suppressed", ""},
		{&passcode.Refusal{Reason: passcode.InvalidRecipient, Detail: "no such domain"}, 422, `"errors":[{"field":"to","detail":"no such domain"}]`, ""},
		{&passcode.Refusal{Reason: passcode.DestinationRefused}, 422, "destination_refused", ""},
		{&passcode.Refusal{Reason: passcode.NoRoute}, 503, "no_route", ""},
		{errors.New("s3cret"), 500, `"code":"internal"`, ""},
	} {
		d := open(t)
		d.err = test.err
		w := d.want(t, test.status, test.says, `{"to":"lea@example.org"}`)
		if got := w.Header().Get("Retry-After"); got != test.retry {
			t.Errorf("%v: Retry-After %q, want %q", test.err, got, test.retry)
		}
		if strings.Contains(w.Body.String(), "s3cret") {
			t.Errorf("an internal error is told: %s", w.Body)
		}
	}
}

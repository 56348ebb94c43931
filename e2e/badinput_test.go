package e2e_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/otpost/otpost/proof/rig"

	"github.com/google/uuid"

	"github.com/otpost/otpost/internal/extension"
)

// badRequest is a request that must change nothing. Empty members mean POST, the door's own path, application/json.
type badRequest struct {
	name               string
	method, path, kind string
	body               string
	// chunked leaves out Content-Length.
	chunked bool
	status  int
	code    string
	// field is the member at fault, where the answer must name one.
	field string
}

// knock sends a bad request and checks the problem and that it left one line in the access log and nothing else in the
// database.
func (b badRequest) knock(t *testing.T, p *rig.Server, db *rig.Database, before map[string]int, path, authorization string) {
	t.Helper()
	var body io.Reader = strings.NewReader(b.body)
	if b.chunked {
		body = io.MultiReader(body)
	}
	r, err := http.NewRequest(either(b.method, "POST"), "http://"+p.Public+either(b.path, path), body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", either(b.kind, "application/json"))
	r.Header.Set("Authorization", "Bearer "+authorization)
	id := uuid.NewString()
	r.Header.Set("X-Request-Id", id)
	got, err := (&rig.Client{HTTP: &http.Client{Timeout: rig.Patience}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	said := got.Problem(t, b.status)
	if said.Code != b.code || said.Detail == "" && said.Title == "" {
		t.Errorf("got %+v, want the code %s", said, b.code)
	}
	if b.field != "" && (len(said.Errors) != 1 || said.Errors[0].Field != b.field || said.Errors[0].Detail == "") {
		t.Errorf("got errors %+v, want one that names %s", said.Errors, b.field)
	}
	rig.Await(t, "the line of the request", func() bool { return len(p.Log.Lines(id, `"msg":"request"`)) > 0 })
	if lines := p.Log.Lines(id); len(lines) != 1 && (len(lines) != 2 || len(p.Log.Lines(id, "otp-send event answered")) != 1) {
		t.Errorf("logged %d times:\n%s", len(lines), strings.Join(lines, ""))
	}
	if after := db.Counts(t); !maps.Equal(before, after) {
		t.Errorf("rows went from %v to %v", before, after)
	}
}

func either(a, otherwise string) string {
	if a == "" {
		return otherwise
	}
	return a
}

func to(address string) string { return fmt.Sprintf(`{"to":%q}`, address) }

// badForREST are bad requests to POST /v1/passcodes and its neighbours.
func badForREST() []badRequest {
	const invalid, recipient = "invalid_request", "invalid_recipient"
	return []badRequest{
		{name: "no body", status: 400, code: "body_missing"},
		{name: "not JSON", body: "to=ada", status: 400, code: "malformed_json"},
		{name: "cut short", body: `{"to":"ada@example.test"`, status: 400, code: "malformed_json"},
		{name: "two objects", body: to("ada@example.test") + "{}", status: 400, code: "malformed_json"},
		{name: "not UTF-8", body: "{\"to\":\"ad\xff@example.test\"}", status: 400, code: "malformed_json"},
		{name: "an array", body: `["ada@example.test"]`, status: 422, code: invalid},
		{name: "wrong type", body: `{"to":5}`, status: 422, code: invalid, field: "to"},
		{name: "null", body: `{"to":null}`, status: 422, code: invalid, field: "to"},
		{name: "missing", body: `{}`, status: 422, code: invalid, field: "to"},
		{name: "given twice", body: `{"to":"ada@example.test","to":"eve@example.test"}`, status: 422, code: invalid, field: "to"},
		{name: "unknown member", body: `{"to":"ada@example.test","chanel":"email"}`, status: 422, code: invalid, field: "chanel"},
		{name: "wrong case", body: `{"To":"ada@example.test"}`, status: 422, code: invalid},
		{name: "unknown purpose", body: `{"to":"ada@example.test","purpose":"fun"}`, status: 422, code: invalid, field: "purpose"},
		{name: "wrong channel", body: `{"to":"ada@example.test","channel":"sms"}`, status: 422, code: invalid, field: "channel"},
		{name: "unknown policy", body: `{"to":"ada@example.test","policy":"lax"}`, status: 422, code: "unknown_policy", field: "policy"},
		{name: "no address", body: `{"to":"ada@example.test","ip":"localhost"}`, status: 422, code: invalid, field: "ip"},
		{name: "long wait", body: `{"to":"ada@example.test","wait_ms":86400000}`, status: 422, code: invalid, field: "wait_ms"},
		{name: "fraction", body: `{"to":"ada@example.test","wait_ms":0.5}`, status: 422, code: invalid, field: "wait_ms"},
		{name: "nested metadata", body: `{"to":"ada@example.test","metadata":{"a":{}}}`, status: 422, code: invalid, field: "metadata.a"},
		{name: "oversized", body: `{"to":"` + strings.Repeat("a", 70<<10) + `"}`, status: 413, code: "body_too_large"},
		{name: "oversized and chunked", body: `{"to":"` + strings.Repeat("a", 70<<10) + `"}`, chunked: true, status: 413, code: "body_too_large"},
		{name: "oversized by far", body: strings.Repeat(" ", 2<<20), status: 413, code: "body_too_large"},
		{name: "deeply nested", body: strings.Repeat("[", 30<<10), status: 400, code: "malformed_json"},

		{name: "not an address", body: to("ada"), status: 422, code: recipient, field: "to"},
		{name: "not a number", body: to("+33 6 12"), status: 422, code: recipient, field: "to"},
		{name: "two addresses", body: to("ada@example.test,eve@example.test"), status: 422, code: recipient, field: "to"},
		{name: "an IP address", body: to("ada@[127.0.0.1]"), status: 422, code: recipient, field: "to"},
		{name: "header injection", body: `{"to":"ada@example.test\r\nBcc: eve@example.test"}`, status: 422, code: invalid, field: "to"},
		{name: "NUL", body: `{"to":"ada@example.test\u0000"}`, status: 422, code: invalid, field: "to"},
		{name: "Cyrillic a", body: to("ad\u0430@example.test"), status: 422, code: recipient, field: "to"},
		{name: "Kelvin sign", body: to("\u212aim@example.test"), status: 422, code: recipient, field: "to"},
		{name: "full-width at sign", body: to("ada\uff20example.test"), status: 422, code: recipient, field: "to"},
		{name: "zero-width space", body: to("ada\u200b@example.test"), status: 422, code: recipient, field: "to"},
		{name: "right-to-left override", body: to("ada\u202e@example.test"), status: 422, code: recipient, field: "to"},

		{name: "wrong content type", kind: "text/plain", body: to("ada@example.test"), status: 415, code: "unsupported_media_type"},
		{name: "form", kind: "application/x-www-form-urlencoded", body: "to=ada@example.test", status: 415, code: "unsupported_media_type"},
		{name: "other charset", kind: "application/json; charset=utf-16", body: to("ada@example.test"), status: 415, code: "unsupported_media_type"},
		{name: "wrong method", method: "PUT", body: to("ada@example.test"), status: 405, code: "method_not_allowed"},
		{name: "unknown path", path: "/v2/passcodes", body: to("ada@example.test"), status: 404, code: "unknown_path"},
		{name: "unknown passcode", path: "/v1/passcodes/pc_1/verify", body: `{"code":"123456"}`, status: 404, code: "not_found"},
		{name: "hostile id", path: "/v1/passcodes/%27%20OR%201=1/verify", body: `{"code":"123456"}`, status: 404, code: "not_found"},
		{name: "code of a wrong type", path: "/v1/passcodes/pc_1/verify", body: `{"code":123456}`, status: 422, code: invalid, field: "code"},
		{name: "unknown person", path: "/v1/passcodes/verify", body: `{"to":"eve@example.test","code":"123456"}`, status: 404, code: "not_found"},
		{name: "resend of nothing", path: "/v1/passcodes/pc_1/resend", body: `{}`, status: 404, code: "not_found"},
		{name: "cancel of nothing", method: "DELETE", path: "/v1/passcodes/pc_1", status: 404, code: "not_found"},
	}
}

// badForEntra are bad events.
func badForEntra() []badRequest {
	good := rig.Event("ada@example.test", "40718265", "en-us")
	with := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	return []badRequest{
		{name: "no body", status: 400, code: "invalid_event"},
		{name: "not JSON", body: good[:200], status: 400, code: "invalid_event"},
		{name: "another event", body: with("emailOtpSend", "tokenIssuanceStart"), status: 400, code: "invalid_event"},
		{name: "no recipient", body: with(`"identifier"`, `"identity"`), status: 400, code: "invalid_event"},
		{name: "wrong type", body: with(`"40718265"`, `40718265`), status: 400, code: "invalid_event"},
		{name: "two codes", body: with(`"oneTimeCode"`, `"onetimecode": "11111111", "oneTimeCode"`), status: 400, code: "invalid_event"},
		{name: "deeply nested", body: with(`"OAUTH2.0"`, strings.Repeat("[", 50)+strings.Repeat("]", 50)), status: 400, code: "invalid_event"},
		{name: "another tenant", body: strings.ReplaceAll(good, rig.EntraTenant, uuid.NewString()), status: 403, code: "wrong_tenant"},
		{name: "code with a control character", body: with("40718265", `4071\n8265`), status: 422, code: "invalid_code"},
		{name: "code of another script", body: with("40718265", "\u0664\u0660\u0667\u0661"), status: 422, code: "invalid_code"},
		{name: "not an address", body: with("ada@example.test", "ada"), status: 422, code: "invalid_recipient"},
		{name: "header injection", body: with("ada@example.test", `ada@example.test\r\nBcc: eve@example.test`), status: 422, code: "invalid_recipient"},
		{name: "Cyrillic a", body: with("ada@example.test", "ad\u0430@example.test"), status: 422, code: "invalid_recipient"},
		{name: "oversized", body: with("OAUTH2.0", strings.Repeat("O", 70<<10)), status: 413, code: "body_too_large"},
		{name: "oversized and chunked", body: with("OAUTH2.0", strings.Repeat("O", 70<<10)), chunked: true, status: 413, code: "body_too_large"},
		{name: "wrong content type", kind: "text/json", body: good, status: 415, code: "unsupported_media_type"},
		{name: "wrong method", method: "PUT", body: good, status: 405, code: "method_not_allowed"},
	}
}

func TestBadRequestsChangeNothing(t *testing.T) {
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		who := rig.NewIssuer(t)
		set := db.Settings().With(who.Settings(), rig.Settings{"inbox": "on"})
		key, token := rig.CreateKey(t, set, "Shop"), who.Token(extension.Grant{})
		p := rig.Start(t, set)
		if got, err := rig.NewClient(t, p, key).Send("GET", "/v1/passcodes/pc_1", ""); err != nil || got.Status != 404 {
			t.Fatalf("the key does not work: %v, %v", got, err)
		}
		before := db.Counts(t)
		for _, b := range badForREST() {
			t.Run("REST/"+b.name, func(t *testing.T) { b.knock(t, p, db, before, "/v1/passcodes", key) })
		}
		for _, b := range badForEntra() {
			t.Run("Entra/"+b.name, func(t *testing.T) { b.knock(t, p, db, before, "/entra/otp-send", token) })
		}
		t.Run("REST/wrong key", func(t *testing.T) {
			b := badRequest{body: to("ada@example.test"), status: 401, code: "key_invalid"}
			b.knock(t, p, db, before, "/v1/passcodes", token)
		})
		t.Run("Entra/wrong token", func(t *testing.T) {
			b := badRequest{body: rig.Event("ada@example.test", "40718265", "en"), status: 401, code: "unauthorized"}
			b.knock(t, p, db, before, "/api/OnOtpSend", key)
		})
		for _, level := range []string{`"level":"ERROR"`, "panic"} {
			if lines := p.Log.Lines(level); len(lines) > 0 {
				t.Errorf("logged as otpost's own fault: %s", lines)
			}
		}
		p.Stop()
	})
}

func TestEntraEventsOfOtherShapesAreTaken(t *testing.T) {
	db, k, who := rig.NewSQLite(t), rig.StartSink(t, ""), rig.NewIssuer(t)
	k.Answer(-1)
	p := rig.Start(t, db.Settings().With(k.Settings(), who.Settings(), rig.Settings{"entra_budget": "10s"}))
	tests := []struct{ name, old, new string }{
		{"as documented", "", ""},
		{"the samples' casing", `"oneTimeCode"`, `"onetimecode"`},
		{"both casings", `"oneTimeCode"`, `"onetimecode": "40718265", "oneTimeCode"`},
		{"unknown members", `"data": {`, `"specversion": "1.0", "data": { "userSignUpInfo": null, "more": [{"deep": 1}],`},
		{"nulls", `"protocol": "OAUTH2.0"`, `"protocol": null, "user": null`},
		{"other casing of the type", "microsoft.graph.onOtpSendCalloutData", "#microsoft.graph.OnOtpSendCalloutData"},
		{"wrong type of what is not needed", `"protocol": "OAUTH2.0"`, `"protocol": {"name": 5}`},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := strings.Replace(rig.Event(rig.Address(i), "40718265", "en-us"), test.old, test.new, 1)
			got, err := p.Post(body, who.Token(extension.Grant{}))
			if err != nil || got.Status != 200 || string(got.Body) != rig.Continued {
				t.Fatalf("got %v, %v, want %s", got, err, rig.Continued)
			}
			if mails := k.To(t, rig.Address(i), 1); mails[0].Code != "40718265" {
				t.Errorf("got the code %q", mails[0].Code)
			}
		})
	}
	p.Stop()
}

func TestWrongSettingsAreExplained(t *testing.T) {
	tests := []struct {
		name string
		set  rig.Settings
		args []string
		want []string
	}{
		{"unknown variable", rig.Settings{"databse": "sqlite:x.db"}, nil, []string{"OTPOST_DATABSE", "did you mean OTPOST_DATABASE?"}},
		{"unknown flag", rig.Settings{}, []string{"--ops-lisen=:1"}, []string{"--ops-lisen", "--ops-listen"}},
		{"wrong value", rig.Settings{"code_length": "40"}, nil, []string{"code_length", "OTPOST_CODE_LENGTH", "12"}},
		{"wrong database", rig.Settings{"database": "mysql://root:hunter2@db"}, nil, []string{"database", "sqlite:", "postgres://"}},
		{"wrong together", rig.Settings{"lease": "5s", "attempt_timeout": "10s"}, nil, []string{"lease", "attempt_timeout"}},
		{"two at once", rig.Settings{"code_tries": "many", "resends": "-1"}, nil, []string{"code_tries", "resends"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, code := rig.Run(t, test.set, append([]string{"serve"}, test.args...)...)
			if code != 2 || stdout != "" {
				t.Errorf("got exit %d and output %q, want 2 and none", code, stdout)
			}
			for _, want := range test.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("got %q, want %q in it", stderr, want)
				}
			}
			if strings.Contains(stderr, "hunter2") {
				t.Errorf("a password is shown: %q", stderr)
			}
		})
	}
}

package rest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/front/rest"
)

// Whatever is taken is JSON, and means what encoding/json says it means; whatever is refused is refused with one of
// the answers of the contract.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"to":"a"}`, `{"to":"a","metadata":{"k":"v\u00e9\ud83d\ude00"},"wait_ms":1e3}`,
		`{"to":"\ud800"}`, `{"to":"a","to":"b"}`, `{"TO":"a"}`, ` { "to" : "a" } `, `{"to":"a"}{}`, `[[[[`, `{"to":"a","x":-0.1e+5}`,
		"{\"to\":\"\x00\"}", `{"to":"\/\b\f\n\r\t\"\\"}`, `{"":{}}`, `{"to":"a",}`, `nul`, "\ufeff{}", `{"to":"a","metadata":{"":1}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest("POST", "/v1/passcodes", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", "application/json")
		to, metadata, canonical, err := rest.DecodeIssue(httptest.NewRecorder(), r)
		if err != nil {
			var problem front.Problem
			if !errors.As(err, &problem) {
				t.Fatalf("refused with %T", err)
			}
			switch problem.Code {
			case "malformed_json":
				if json.Valid(body) && utf8.Valid(body) && !strings.Contains(string(body), `\u`) && !deep(body) {
					t.Errorf("%q is JSON: %s", body, problem.Detail)
				}
			case "invalid_request":
				if !json.Valid(body) || len(problem.Errors) == 0 {
					t.Errorf("%q is not JSON, or nothing is named: %v", body, problem.Errors)
				}
			case "body_missing", "body_too_large":
			default:
				t.Errorf("%q: %s", body, problem.Code)
			}
			return
		}
		var want struct {
			To       string            `json:"to"`
			Metadata map[string]string `json:"metadata"`
		}
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("%q was taken: %v", body, err)
		}
		if to != want.To || len(metadata)+len(want.Metadata) > 0 && !reflect.DeepEqual(metadata, want.Metadata) || len(canonical) == 0 {
			t.Errorf("%q: read %q %v, want %+v", body, to, metadata, want)
		}
	})
}

// deep tells nesting beyond what is skipped, counting brackets in strings too.
func deep(body []byte) bool {
	return strings.Count(string(body), "[")+strings.Count(string(body), "{") > 32
}

// FuzzVerify sends any body to the routes that take a code or a resend. The engine is asked once or not at all, for
// what encoding/json reads in the same bytes, and what is refused is refused as the client's fault.
func FuzzVerify(f *testing.F) {
	for _, seed := range []string{`{"code":"482913"}`, `{"to":"ada@example.com","code":"482913","purpose":"mfa"}`, `{"ip":"::ffff:203.0.113.9","wait_ms":1}`, ``,
		`{"code":482913}`, `{"code":null}`, `{"code":"1","code":"2"}`, `{"CODE":"1"}`, `{"code":["1"]}`, "{\"code\":\"1\"}\x00", `{"code":"\ud83d\ude00"}`,
		`{"code":"` + strings.Repeat("1", 65) + `"}`, `{"channel":"sms","ip":"fe80::1%eth0"}`, `{"code":"1"`, `[{"code":"1"}]`} {
		f.Add([]byte(seed), "application/json")
	}
	f.Add([]byte(`{"code":"1"}`), "text/plain")
	f.Add([]byte(`{"code":"1"}`), "application/json; charset=latin1")
	f.Add([]byte(`{"code":"1"}`), "APPLICATION/JSON;charset=\"UTF-8\"")
	engine := &stub{}
	door := newDoor(f, engine, keys{}, io.Discard)
	f.Fuzz(func(t *testing.T, body []byte, media string) {
		var said struct{ Code, To string }
		json.Unmarshal(body, &said)
		for path, verb := range map[string]string{"/v1/passcodes/pc_1/verify": "Verify {Tenant:t1 ID:pc_1 Scope: Purpose: To:}",
			"/v1/passcodes/verify": "Verify {Tenant:t1 ID: Scope: Purpose:", "/v1/passcodes/pc_1/resend": "Resend {Tenant:t1 ID:pc_1 "} {
			engine.asked, engine.plan = nil, []string{"pending"}
			if verb[0] == 'V' {
				engine.plan = []string{"wrong_code"}
			}
			r := httptest.NewRequest("POST", path, bytes.NewReader(body))
			r.Header.Set("Authorization", "Bearer key-1")
			r.Header["Content-Type"] = []string{media}
			w := httptest.NewRecorder()
			door.ServeHTTP(w, r)
			if taken := w.Code < 300; taken != (len(engine.asked) == 1) || len(engine.asked) > 1 || !taken && (w.Code < 400 || w.Code >= 500) {
				t.Fatalf("%s with %q: %d, and the engine was asked %q", path, body, w.Code, engine.asked)
			}
			for _, asked := range engine.asked {
				if !strings.HasPrefix(asked, verb) || verb[0] == 'V' && !strings.HasSuffix(asked, fmt.Sprintf(" code=%q", said.Code)) {
					t.Errorf("%s with %q: the engine was asked %s", path, body, asked)
				}
			}
			if len(said.Code) > 5 && w.Code >= 400 && strings.Contains(w.Body.String(), said.Code) && !strings.Contains(string(contractWords), said.Code) {
				t.Errorf("%s with %q: the refusal repeats the code: %s", path, body, w.Body)
			}
		}
	})
}

// contractWords are all the words that an answer may hold by itself.
var contractWords = rest.OpenAPI()

// FuzzIdempotencyKey writes anything into the header: it is passed on as it is written, or refused.
func FuzzIdempotencyKey(f *testing.F) {
	for _, seed := range []string{"", "k1", "\"k1\"", strings.Repeat("k", 255), strings.Repeat("k", 256), "a b", "\x00", "\u00e9", "a,b", "~!"} {
		f.Add(seed)
	}
	engine := &stub{}
	door := newDoor(f, engine, keys{}, io.Discard)
	f.Fuzz(func(t *testing.T, key string) {
		engine.asked = nil
		r := httptest.NewRequest("POST", "/v1/passcodes", strings.NewReader(`{"to":"ada@example.com"}`))
		r.Header.Set("Authorization", "Bearer key-1")
		r.Header.Set("Content-Type", "application/json")
		r.Header["Idempotency-Key"] = []string{key}
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		good := key != "" && len(key) <= 255 && !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
		if good != (w.Code == 201) || !good && (w.Code != 400 || len(engine.asked) != 0) {
			t.Errorf("%q: %d, asked %q", key, w.Code, engine.asked)
		}
		if good && !strings.Contains(engine.asked[0], fmt.Sprintf("key=%q ", key)) {
			t.Errorf("%q: asked %q", key, engine.asked)
		}
	})
}

package rest_test

import (
	"encoding/json"
	"errors"
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

package rest_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/front/rest"
)

// Zitadel CVE-2026-27946 and CVE-2026-54693 (GO-2026-4572, GO-2026-6141): a user could write the field that says that
// the address is proved. No member that an answer shows, or that a row has, can be written unless the contract says so.
func TestAdvisory_CVE_2026_27946_NoMemberOfARequestSetsTheState(t *testing.T) {
	shown := []string{"verified", "state", "tries", "sends", "scope", "tenant", "application", "identifier", "mailbox",
		"code_hash", "code_sealed", "newest", "sent_at", "answer_by", "attempts_left", "is_verified", "email_verified"}
	for _, c := range everyCall() {
		w := call(t, &stub{plan: []string{c.plan}}, c.method, c.path, c.body)
		shown = append(shown, membersOf(t, w)...)
	}
	if !slices.Contains(shown, "status") || !slices.Contains(shown, "expires_at") {
		t.Fatalf("the answers show %q", shown)
	}
	for _, c := range []struct{ method, path, request, base string }{
		{"POST", "/v1/passcodes", "IssueRequest", `"to":"ada@example.com"`},
		{"POST", "/v1/passcodes/pc_1/verify", "VerifyRequest", `"code":"1"`},
		{"POST", "/v1/passcodes/verify", "VerifyToRequest", `"to":"ada@example.com","code":"1"`},
		{"POST", "/v1/passcodes/pc_1/resend", "ResendRequest", `"ip":"203.0.113.9"`},
	} {
		writable := slices.Collect(maps.Keys(rest.Members()[c.request]))
		engine := &stub{}
		door := newDoor(t, engine, keys{}, io.Discard)
		for _, member := range shown {
			if slices.Contains(writable, member) {
				continue
			}
			for _, value := range []string{`true`, `"verified"`, `0`, `null`, `{"verified":true}`} {
				r := httptest.NewRequest(c.method, c.path, strings.NewReader(`{`+c.base+`,"`+member+`":`+value+`}`))
				r.Header.Set("Authorization", "Bearer key-1")
				r.Header.Set("Content-Type", "application/json")
				w := httptest.NewRecorder()
				door.ServeHTTP(w, r)
				if w.Code != 422 || len(engine.asked) != 0 {
					t.Errorf("%s with %s: %s is answered %d, and the engine was asked %q", c.path, member, value, w.Code, engine.asked)
				}
			}
		}
	}
	// What the caller may write freely stays its own: it is given back under metadata and nowhere else.
	engine := &stub{plan: []string{"pending"}}
	w := call(t, engine, "POST", "/v1/passcodes", `{"to":"ada@example.com","metadata":{"status":"verified","verified":"true"}}`)
	var answer struct{ Status string }
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Status != "pending" {
		t.Errorf("with metadata that speaks of a state: %s, %v", w.Body, err)
	}
	if len(engine.asked) != 1 || !strings.Contains(engine.asked[0], `metadata=["status=verified" "verified=true"]`) {
		t.Errorf("the engine was asked %q", engine.asked)
	}
}

// membersOf lists the members of an answer, inner ones too.
func membersOf(t *testing.T, w *httptest.ResponseRecorder) []string {
	t.Helper()
	var body any
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return membersIn(body)
}

func membersIn(value any) (names []string) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			names = append(append(names, name), membersIn(inner)...)
		}
	case []any:
		for _, inner := range value {
			names = append(names, membersIn(inner)...)
		}
	}
	return names
}

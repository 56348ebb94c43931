package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/passcode"
)

// TestAGeneratedCodeSeenOverREST takes a code that its caller hands over through a whole server: REST sees and verifies it by
// its id, and by a recipient it is not there.
func TestAGeneratedCodeSeenOverREST(t *testing.T) {
	p := startInProcess(t, nil)
	made, err := p.engine.Generate(t.Context(), passcode.Generation{Tenant: "default", Application: passcode.Application{ID: "app_b2c"},
		Scope: "", Purpose: passcode.Verify, Key: "lea@example.org",
		Policy: passcode.Policy{Alphabet: "0-9", Length: 6, Lifetime: time.Minute, Tries: 3, Resends: 2}})
	if err != nil {
		t.Fatal(err)
	}
	path := "/v1/passcodes/" + made.Challenge.ID
	var wrong, right struct {
		Verified bool
		Reason   string
	}
	if w := p.call(t, "POST", "/v1/passcodes/verify", `{"to":"lea@example.org","code":"`+made.Code+`"}`, nil); w.Code != 404 {
		t.Errorf("by its recipient: %d %s", w.Code, w.Body)
	}
	if w := p.call(t, "POST", "/v1/passcodes/verify", `{"to":"key:lea@example.org","code":"`+made.Code+`"}`, nil); w.Code != 422 {
		t.Errorf("by what it is found by: %d %s", w.Code, w.Body)
	}
	if w := p.call(t, "POST", path+"/resend", "", nil); w.Code != 409 || !strings.Contains(w.Body.String(), "handed over by its caller") {
		t.Errorf("sent again: %d %s", w.Code, w.Body)
	}
	if p.call(t, "POST", path+"/verify", `{"code":"`+otherCode(made.Code)+`"}`, &wrong); wrong.Reason != "wrong_code" {
		t.Errorf("a wrong code: %+v", wrong)
	}
	if p.call(t, "POST", path+"/verify", `{"code":"`+made.Code+`"}`, &right); !right.Verified {
		t.Errorf("the right code: %+v", right)
	}
	var shown struct {
		Status, Channel string
		ResendAt        *time.Time `json:"resend_at"`
		Delivery        *struct{}
		Timeline        []struct{ Event string }
	}
	w := p.call(t, "GET", path, "", &shown)
	var events []string
	for _, e := range shown.Timeline {
		events = append(events, e.Event)
	}
	slices.Sort(events) // what happens within a millisecond has no order
	if w.Code != 200 || shown.Status != "verified" || shown.Channel != "caller" || shown.ResendAt != nil || shown.Delivery != nil ||
		strings.Join(events, " ") != "asked limited tried verified" || strings.Contains(w.Body.String(), made.Code) {
		t.Errorf("its timeline: %d %s", w.Code, w.Body)
	}
}

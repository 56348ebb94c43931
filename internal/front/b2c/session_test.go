package b2c_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/front/b2c"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

func sealedDoor(t testing.TB) *b2c.Handler {
	t.Helper()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	return &b2c.Handler{Seal: ring, Policies: policies(t), Now: func() time.Time { return noon }, NewID: func() string { return "new" }}
}

// everyType is a bag with a value of each type of claim, and of one that has no name of its own.
func everyType(t testing.TB) claim.Bag {
	t.Helper()
	var b claim.Bag
	for kind, text := range map[claim.Type]string{
		claim.String: "a\"<\u00e9\n", claim.Boolean: "True", claim.Int: "-3", claim.Long: "9007199254740993", claim.DateTime: "2026-03-01T12:00:00.1234567Z",
		claim.Date: "2001-02-03", claim.PhoneNumber: "+33612345678", "userIdentity": "x",
	} {
		v, err := claim.Parse(kind, text)
		if err != nil {
			t.Fatal(err)
		}
		b.Set(string(kind), v)
	}
	b.Set("emails", claim.List("a,b", "", "c"))
	b.Set("none", claim.List())
	b.Set("Empty", claim.Text(""))
	return b
}

func full(t testing.TB) *execute.Session {
	return &execute.Session{ID: "first-session", Policy: "shop/Otp", Began: noon, Claims: everyType(t), Opened: []string{"signup"},
		Controls: map[string]*execute.Control{"a": {Claims: everyType(t), Sent: true}, "b": {Verified: true}},
		Retries:  map[string]int{"signup": 2}, Device: execute.Device{User: "ada", ID: "au_1"}}
}

// TestASessionComesBackWhole holds the token to every field that a session has, now and later.
func TestASessionComesBackWhole(t *testing.T) {
	h, s := sealedDoor(t), full(t)
	whole(t, reflect.ValueOf(s).Elem(), "Session")
	token, err := h.Token(s, "default", "shop", s.Policy)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(token, "first-session") || strings.ContainsAny(token, "+/=") {
		t.Errorf("the token is %s", token)
	}
	back, err := h.Session(token, "default", "shop", s.Policy)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "session", &s.Claims, &back.Claims)
	for id, c := range s.Controls {
		same(t, id, &c.Claims, &back.Controls[id].Claims)
		c.Claims, back.Controls[id].Claims = claim.Bag{}, claim.Bag{}
	}
	s.Claims, back.Claims = claim.Bag{}, claim.Bag{}
	if !reflect.DeepEqual(s, back) {
		t.Errorf("the session is %+v, want %+v", back, s)
	}
}

// whole fails for a field that the test's session leaves empty: it would not be seen whether a token keeps it.
func whole(t *testing.T, v reflect.Value, name string) {
	t.Helper()
	for i := range v.NumField() {
		f := v.Field(i)
		if f.IsZero() {
			t.Errorf("%s.%s is empty: fill it here, and keep it in the token", name, v.Type().Field(i).Name)
		}
	}
}

// same compares bags value for value, by their types too.
func same(t *testing.T, name string, want, got *claim.Bag) {
	t.Helper()
	if want.Len() != got.Len() {
		t.Errorf("%s: %d claims came back, want %d", name, got.Len(), want.Len())
	}
	for id, v := range want.All() {
		if back, ok := got.Get(id); !ok || !back.Equal(v) {
			t.Errorf("%s: %s came back as %s %q, want %s %q", name, id, back.Type(), back, v.Type(), v)
		}
	}
}

// TestAControlComesBackWhole is TestASessionComesBackWhole for what is kept of a control.
func TestAControlComesBackWhole(t *testing.T) {
	whole(t, reflect.ValueOf(execute.Control{Claims: everyType(t), Sent: true, Verified: true}), "Control")
	whole(t, reflect.ValueOf(execute.Device{User: "ada", ID: "au_1"}), "Device")
}

func TestAdvisory_CVE_2023_26481_ATokenOpensNowhereElse(t *testing.T) {
	h, s := sealedDoor(t), full(t)
	token, err := h.Token(s, "default", "shop", "shop/Otp")
	if err != nil {
		t.Fatal(err)
	}
	changed := []byte(token)
	changed[len(changed)/2] ^= 1
	for name, c := range map[string][4]string{
		"another tenant":      {token, "other", "shop", "shop/Otp"},
		"another application": {token, "default", "bank", "shop/Otp"},
		"another policy":      {token, "default", "shop", "Otp"},
		"parts moved":         {token, "default", "shop shop", "/Otp"},
		"changed":             {string(changed), "default", "shop", "shop/Otp"},
		"cut":                 {token[:len(token)-4], "default", "shop", "shop/Otp"},
		"with padding":        {token + "=", "default", "shop", "shop/Otp"},
		"with a line":         {token + "\n", "default", "shop", "shop/Otp"},
		"beyond any size":     {strings.Repeat("A", 16<<10+1), "default", "shop", "shop/Otp"},
	} {
		var p front.Problem
		if _, err := h.Session(c[0], c[1], c[2], c[3]); !errors.As(err, &p) || p.Status != 400 || p.Code != "invalid_session" {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := sealedDoor(t)
	if _, err := other.Session(token, "default", "shop", "shop/Otp"); err == nil {
		t.Error("it opens with another ring")
	}
	if _, err := h.Session(token, "default", "shop", "SHOP/otp"); err != nil {
		t.Errorf("a policy's name in another case: %v", err)
	}
}

// TestASessionEnds: what is left of it is a new one.
func TestASessionEnds(t *testing.T) {
	h, s := sealedDoor(t), full(t)
	token, err := h.Token(s, "default", "shop", "shop/Otp")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		id    string
	}{{0, "first-session"}, {24 * time.Hour, "first-session"}, {24*time.Hour + time.Second, "new"}, {-30 * time.Second, "first-session"}, {-time.Hour, "new"}} {
		h.Now = func() time.Time { return noon.Add(c.after) }
		back, err := h.Session(token, "default", "shop", "shop/Otp")
		if err != nil || back.ID != c.id || (back.Claims.Len() == 0) != (c.id == "new") || back.Policy != "shop/Otp" {
			t.Errorf("after %s: %+v, %v", c.after, back, err)
		}
	}
}

// TestModesOfSessions changes the setting under a journey that is on its way.
func TestModesOfSessions(t *testing.T) {
	h := sealedDoor(t)
	h.ByIdentifier = true
	s, _ := h.Session("", "default", "shop", "Otp")
	if s.ID != "" || s.Scope() != "b2c Otp " {
		t.Errorf("a session by identifier is %+v", s)
	}
	token, err := h.Token(s, "default", "shop", "Otp")
	if err != nil {
		t.Fatal(err)
	}
	h.ByIdentifier = false
	if s, err = h.Session(token, "default", "shop", "Otp"); err != nil || s.ID != "new" {
		t.Errorf("without an id, where sessions have one: %+v, %v", s, err)
	}
}

func TestATokenIsBounded(t *testing.T) {
	h, s := sealedDoor(t), full(t)
	s.Claims.Set("email", claim.Text(strings.Repeat("x", 16<<10)))
	var p front.Problem
	if _, err := h.Token(s, "default", "shop", "shop/Otp"); !errors.As(err, &p) || p.Code != "session_too_large" || strings.Contains(p.Detail, "xx") {
		t.Errorf("got %v", err)
	}
}

// TestManyUnknownMembers are answered with a few names and soon: a body is refused for less than it costs to write.
func TestManyUnknownMembers(t *testing.T) {
	d := newDoor(t)
	var body strings.Builder
	body.WriteString(`{"email":"a"`)
	for i := range 4000 {
		fmt.Fprintf(&body, `,"claim%d":1`, i)
	}
	body.WriteString("}")
	r := httptest.NewRequest("POST", "/b2c/Otp/technicalprofiles/GenerateOtp", strings.NewReader(body.String()))
	r.Header.Set("Authorization", "Bearer shop-key")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	d.mounted(t).ServeHTTP(w, r)
	if w.Code != 422 || strings.Count(w.Body.String(), `"field"`) != 16 {
		t.Errorf("%d with %d members named", w.Code, strings.Count(w.Body.String(), `"field"`))
	}
}

// FuzzToken presents any text as a token: only a token opens.
func FuzzToken(f *testing.F) {
	h := sealedDoor(f)
	token, err := h.Token(full(f), "default", "shop", "shop/Otp")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"TOKEN", "TOKENA", "A", "", "=", strings.Repeat("A", 100), "TOKEN TOKEN"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "TOKEN", token)
		s, err := h.Session(text, "default", "shop", "shop/Otp")
		if (err == nil) != (text == token || text == "") {
			t.Errorf("%q opens %+v, %v", text, s, err)
		}
	})
}

// FuzzBody posts any body: it is taken as claims of the policy or refused as a problem, and nothing of it comes back but
// names of members.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{`{"email":"a"}`, `{"tries":1,"emails":["a"]}`, `{"email":"a","email":"b"}`, `{`, `[]`, `{"a":{"b":[1]}}`, `email=a&emails=b&emails=c`,
		`{"otpost_session":"x"}`, `{"email":"\ud800"}`, "\xff"} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	d := newDoor(f)
	handler := d.mounted(f)
	d.runner.run = func(q execute.Request) (execute.Result, error) { return execute.Result{Claims: q.Claims}, nil }
	f.Fuzz(func(t *testing.T, body string, form bool) {
		d.runner.t, d.runner.asked = t, nil
		d.log.Reset()
		r := httptest.NewRequest("POST", "/b2c/Otp/technicalprofiles/GenerateOtp", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer shop-key")
		r.Header.Set("Content-Type", map[bool]string{false: "application/json", true: "application/x-www-form-urlencoded"}[form])
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		switch w.Code {
		case 200, 400, 413, 422:
		default:
			t.Errorf("%q is answered %d %s", body, w.Code, w.Body)
		}
		if (w.Code == 200) != (len(d.runner.asked) == 1) {
			t.Errorf("%q: %d, and the runner was asked %d times", body, w.Code, len(d.runner.asked))
		}
	})
}

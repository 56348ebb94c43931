package rest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/otpost/otpost/internal/front/rest"
	"github.com/otpost/otpost/internal/passcode"
)

func TestEveryReasonHasItsRow(t *testing.T) {
	codes := map[string]passcode.Reason{}
	for _, reason := range passcode.Reasons() {
		status, code, title, detail, ok := rest.Told(reason)
		if !ok {
			t.Errorf("%s has no row", reason)
			continue
		}
		if other, taken := codes[code]; taken {
			t.Errorf("%s and %s share the code %s", reason, other, code)
		}
		codes[code] = reason
		if status >= 400 && (title == "" || detail == "") {
			t.Errorf("%s is told without words", reason)
		}
		if code != string(reason) {
			t.Errorf("%s is told as %s", reason, code)
		}
	}
}

// walk sends every reason through the door: as the answer to a code where it is one, and as a refusal.
func TestEveryReasonThroughTheDoor(t *testing.T) {
	for _, reason := range passcode.Reasons() {
		status, code, _, _, _ := rest.Told(reason)
		var w *httptest.ResponseRecorder
		if status == 200 {
			w = call(t, &stub{plan: []string{string(reason) + " retry=1s"}}, "POST", "/v1/passcodes/pc_1/verify", `{"code":"1"}`)
		} else {
			w = call(t, &stub{plan: []string{"refuse " + string(reason) + " retry=1s"}}, "POST", "/v1/passcodes", `{"to":"a@b.example"}`)
		}
		var body struct {
			Reason, Code string
			Status       any
		}
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatal(err)
		}
		if w.Code != status || body.Reason+body.Code != code {
			t.Errorf("%s: %d %s", reason, w.Code, w.Body)
		}
		if wants := status == 429 || status == 503 || reason == passcode.Throttled; wants != (w.Header().Get("Retry-After") != "") {
			t.Errorf("%s: %d with Retry-After %q", reason, w.Code, w.Header().Get("Retry-After"))
		}
	}
}

// everyCall reaches each verb of the engine, with the plan for it.
func everyCall() []struct{ plan, method, path, body string } {
	return []struct{ plan, method, path, body string }{
		{"pending delivery=accepted", "POST", "/v1/passcodes", `{"to":"ada@example.com"}`},
		{"pending delivery=bounced", "GET", "/v1/passcodes/pc_1", ""},
		{"verified tries=1", "POST", "/v1/passcodes/pc_1/verify", `{"code":"` + liveCode + `"}`},
		{"wrong_code tries=1", "POST", "/v1/passcodes/verify", `{"to":"ada@example.com","code":"` + liveCode + `"}`},
		{"pending delivery=stale", "POST", "/v1/passcodes/pc_1/resend", ""},
		{"cancelled", "DELETE", "/v1/passcodes/pc_1", ""},
		{"pending", "POST", "/v1/users/ada/authenticators", `{"issuer":"Shop","label":"ada@example.com"}`},
		{"confirmed", "GET", "/v1/users/ada/authenticators", ""},
		{"verified", "POST", "/v1/users/ada/authenticators/au_1/confirm", `{"code":"` + liveCode + `"}`},
		{"wrong_code", "POST", "/v1/users/ada/authenticators/verify", `{"code":"` + liveCode + `"}`},
		{"revoked", "DELETE", "/v1/users/ada/authenticators/au_1", ""},
	}
}

// MTN, HackerOne 777957, and the same seen in the code of others: the code was in the API's own answer.
func TestAdvisory_HackerOne_777957_NoAnswerHoldsACode(t *testing.T) {
	for _, c := range everyCall() {
		var log bytes.Buffer
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Authorization", "Bearer key-1")
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		newDoor(t, &stub{plan: []string{c.plan}}, keys{}, &log).ServeHTTP(w, r)
		if w.Code >= 300 {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
		for where, text := range map[string]string{"answer": w.Body.String(), "headers": fmt.Sprint(w.Header()), "log": log.String()} {
			if strings.Contains(text, liveCode) || strings.Contains(text, "NDgyOTEz") { // as base64
				t.Errorf("%s %s: the %s holds the code: %s", c.method, c.path, where, text)
			}
		}
	}
}

// What was tried may be the right code with something wrong around it, so it is not repeated either.
func TestRefusalsDoNotRepeatWhatWasTried(t *testing.T) {
	for _, body := range []string{`{"code":482913}`, `{"code":["482913"]}`, `{"code":"482913\u0000"}`, `{"code":"482913"`,
		`{"code":"482913","purpose":"482913"}`, `482913`, `"482913"`, `{"code":"482913"} 482913`} {
		w := call(t, &stub{}, "POST", "/v1/passcodes/pc_1/verify", body)
		if w.Code < 400 || strings.Contains(w.Body.String(), liveCode) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

// Zitadel CVE-2026-55670 (GO-2026-5197) and Casdoor's lookup by receiver alone: what belongs to one tenant was
// reached from another.
func TestAdvisory_CVE_2026_55670_EveryCallCarriesTheCallersTenant(t *testing.T) {
	for key, tenant := range map[string]string{"key-1": "t1", "key-2": "t2"} {
		for _, c := range everyCall() {
			engine := &stub{plan: []string{c.plan}}
			r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			r.Header.Set("Authorization", "Bearer "+key)
			r.Header.Set("Content-Type", "application/json")
			newDoor(t, engine, keys{}, io.Discard).ServeHTTP(httptest.NewRecorder(), r)
			asked := strings.NewReplacer("tenant=", "Tenant:").Replace(strings.Join(engine.asked, "\n"))
			if !strings.Contains(asked, "Tenant:"+tenant+" ") {
				t.Errorf("%s %s with %s: the engine was asked %s", c.method, c.path, key, asked)
			}
		}
	}
}

// Looking must not consume: mail scanners and prefetchers send GET and HEAD.
func TestGetConsumesNothing(t *testing.T) {
	for _, method := range []string{"GET", "HEAD"} {
		for _, path := range []string{"/v1/passcodes/pc_1/verify?code=482913", "/v1/passcodes/verify?to=a@b.example&code=1", "/v1/passcodes/pc_1/resend"} {
			engine := &stub{plan: []string{"refuse not_found"}}
			w := call(t, engine, method, path, "")
			for _, asked := range engine.asked {
				if !strings.HasPrefix(asked, "Status") {
					t.Errorf("%s %s: the engine was asked %s", method, path, asked)
				}
			}
			if w.Code < 400 {
				t.Errorf("%s %s: %d", method, path, w.Code)
			}
		}
	}
}

func TestOversizedBodies(t *testing.T) {
	engine := &stub{}
	big := `{"to":"` + strings.Repeat("a", 64<<10) + `"}`
	if w := call(t, engine, "POST", "/v1/passcodes", big); w.Code != 413 || len(engine.asked) != 0 {
		t.Errorf("with a length: %d", w.Code)
	}
	r := httptest.NewRequest("POST", "/v1/passcodes", io.MultiReader(strings.NewReader(big)))
	r.Header.Set("Authorization", "Bearer key-1")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	newDoor(t, engine, keys{}, io.Discard).ServeHTTP(w, r)
	if w.Code != 413 || len(engine.asked) != 0 {
		t.Errorf("without a length: %d", w.Code)
	}
}

func TestBodyThatEndsTooSoon(t *testing.T) {
	r := httptest.NewRequest("POST", "/v1/passcodes", strings.NewReader(`{"to":"ada@`))
	r.ContentLength = 100
	r.Header.Set("Authorization", "Bearer key-1")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	newDoor(t, &stub{}, keys{}, io.Discard).ServeHTTP(w, r)
	if w.Code != 400 || !strings.Contains(w.Body.String(), "body_cut_short") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestInvalidUTF8(t *testing.T) {
	w := call(t, &stub{}, "POST", "/v1/passcodes", "{\"to\":\"ada\xff@example.com\"}")
	if w.Code != 400 || !strings.Contains(w.Body.String(), "UTF-8") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestBounds(t *testing.T) {
	pairs := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"k%d":"v"`, i)
		}
		return `{"to":"a@b.example","metadata":{` + strings.TrimPrefix(b.String(), ",") + `}}`
	}
	text := func(member string, n int) string {
		return `{"to":"a@b.example","` + member + `":"` + strings.Repeat("é", n) + `"}`
	}
	meta := func(name, value int) string {
		return `{"to":"a@b.example","metadata":{"` + strings.Repeat("n", name) + `":"` + strings.Repeat("v", value) + `"}}`
	}
	for name, c := range map[string]struct {
		body string
		ok   bool
	}{
		"16 pairs": {pairs(16), true}, "17 pairs": {pairs(17), false}, "1000 pairs": {pairs(1000), false},
		"longest policy": {text("policy", 64), true}, "too long policy": {text("policy", 65), false},
		"longest locale": {text("locale", 256), true}, "too long locale": {text("locale", 257), false},
		"longest pair": {meta(64, 256), true}, "long name": {meta(65, 1), false}, "long value": {meta(1, 257), false},
		"empty value": {meta(1, 0), true}, "empty name": {meta(0, 1), false},
		"no wait": {`{"to":"a","wait_ms":0}`, true}, "negative wait": {`{"to":"a","wait_ms":-1}`, false},
		"minus zero": {`{"to":"a","wait_ms":-0}`, true}, "endless wait": {`{"to":"a","wait_ms":1e999}`, false},
		"half": {`{"to":"a","wait_ms":0.5}`, false}, "leading zero": {`{"to":"a","wait_ms":01}`, false},
		"deep":       {`{"to":"a","x":` + strings.Repeat("[", 60000) + `}`, false},
		"zone":       {`{"to":"a","ip":"fe80::1%eth0"}`, false},
		"nobody":     {`{"to":"a","ip":"0.0.0.0"}`, false},
		"multicast":  {`{"to":"a","ip":"ff02::1"}`, false},
		"prefix":     {`{"to":"a","ip":"10.0.0.0/8"}`, false},
		"C1 control": {"{\"to\":\"a\u0085\"}", false},
	} {
		w := call(t, &stub{}, "POST", "/v1/passcodes", c.body)
		if (w.Code == 201) != c.ok || w.Code >= 500 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		var problem struct{ Errors []any }
		if json.Unmarshal(w.Body.Bytes(), &problem); len(problem.Errors) > 16 {
			t.Errorf("%s: %d errors", name, len(problem.Errors))
		}
	}
}

func TestOpenAPIIsCached(t *testing.T) {
	w := call(t, &stub{}, "GET", "/openapi.json", "")
	r := httptest.NewRequest("GET", "/openapi.json", nil)
	r.Header.Set("If-None-Match", w.Header().Get("Etag"))
	again := httptest.NewRecorder()
	newDoor(t, &stub{}, nil, io.Discard).ServeHTTP(again, r)
	if w.Code != 200 || again.Code != 304 || again.Body.Len() != 0 {
		t.Errorf("first %d, then %d with %d bytes", w.Code, again.Code, again.Body.Len())
	}
}

func TestReferencePageShowsEveryOperation(t *testing.T) {
	w := call(t, &stub{}, "GET", "/docs", "")
	root, err := html.Parse(w.Body)
	if err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	ids, links := map[string]bool{}, 0
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			switch {
			case n.Data == "section" && a.Key == "id":
				ids[a.Val] = true
			case n.Data == "script" || a.Key == "style":
				t.Errorf("%s %s=%s", n.Data, a.Key, a.Val)
			}
		}
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if id, ok := strings.CutPrefix(a.Val, "#"); ok && n.Data == "a" && id != "main" {
				links++
				if !ids[id] {
					t.Errorf("the link to %s leads nowhere", id)
				}
			}
		}
	}
	doc, _ := served(t)
	operations := 0
	for _, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			operations++
			if !ids[operation.OperationID] {
				t.Errorf("%s is not on the page", operation.OperationID)
			}
		}
	}
	if links != operations {
		t.Errorf("%d links in the contents, %d operations", links, operations)
	}
}

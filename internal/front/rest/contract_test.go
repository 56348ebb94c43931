package rest_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/front/rest"
)

// served is the contract as a client gets it.
func served(t *testing.T) (*openapi3.T, routers.Router) {
	t.Helper()
	w := httptest.NewRecorder()
	newDoor(t, &stub{}, keys{}, io.Discard).ServeHTTP(w, httptest.NewRequest("GET", "/openapi.json", nil))
	doc, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	if err != nil {
		t.Fatalf("load /openapi.json: %v", err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("/openapi.json: %v", err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatalf("/openapi.json is OpenAPI %s", doc.OpenAPI)
	}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return doc, router
}

// Every recorded answer is one that the contract describes, and every request that was taken is one it allows.
func TestConversationsKeepTheContract(t *testing.T) {
	_, router := served(t)
	checked := 0
	for path, xs := range conversations(t) {
		for _, x := range xs {
			r, answer := x.play(t)
			route, params, err := router.FindRoute(r)
			if err != nil {
				if answer.StatusCode != 404 && answer.StatusCode != 405 {
					t.Errorf("%s: %s: the contract has no such operation, the door answered %d", path, x.name, answer.StatusCode)
				}
				continue
			}
			checked++
			in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route,
				Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
			if answer.StatusCode < 300 {
				if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
					t.Errorf("%s: %s: taken, though the contract forbids it: %v", path, x.name, err)
				}
			}
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: answer.StatusCode,
				Header: answer.Header, Options: &openapi3filter.Options{IncludeResponseStatus: true}}
			if err := openapi3filter.ValidateResponse(t.Context(), out.SetBodyBytes(body)); err != nil {
				t.Errorf("%s: %s: %v", path, x.name, err)
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d exchanges were checked", checked)
	}
}

// The check above would be worth nothing if it let anything pass.
func TestTheContractForbids(t *testing.T) {
	_, router := served(t)
	for _, body := range []string{`{}`, `{"to":1}`, `{"to":"a","x":1}`, `{"to":"a","wait_ms":10001}`, `{"to":"a","channel":"totp"}`,
		`{"to":"a","channel":null}`, `{"to":"a","metadata":{"x":1}}`, `{"to":"a","wait_ms":1.5}`} {
		r := httptest.NewRequest("POST", "/v1/passcodes", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer key-1")
		w := httptest.NewRecorder()
		newDoor(t, &stub{}, keys{}, io.Discard).ServeHTTP(w, r.Clone(t.Context()))
		if w.Code != 422 {
			t.Errorf("%s: the door answers %d, want 422", body, w.Code)
		}
		r.Body = io.NopCloser(strings.NewReader(body))
		route, params, err := router.FindRoute(r)
		if err != nil {
			t.Fatal(err)
		}
		in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
		if openapi3filter.ValidateRequest(t.Context(), in) == nil {
			t.Errorf("%s: the contract allows it", body)
		}
	}
}

func TestContractNamesTheMembersThatAreRead(t *testing.T) {
	doc, _ := served(t)
	for name, members := range rest.Members() {
		schema := doc.Components.Schemas[name].Value
		if got, want := slices.Sorted(maps.Keys(schema.Properties)), slices.Sorted(maps.Keys(members)); !slices.Equal(got, want) {
			t.Errorf("%s has %v, the door reads %v", name, got, want)
		}
		for member, required := range members {
			if slices.Contains(schema.Required, member) != required {
				t.Errorf("%s: %s required: the door says %v", name, member, required)
			}
		}
	}
}

// patterns notes what is mounted.
type patterns []string

func (p *patterns) Handle(pattern string, _ http.Handler) { *p = append(*p, pattern) }

// Zitadel CVE-2025-64102 (GO-2025-4085): resources added later bypassed the limits on guessing. Here every mounted
// route is in the contract and the other way round, and every route that takes a code asks the engine to verify it.
func TestAdvisory_CVE_2025_64102_EveryRouteIsKnownAndEveryVerifyIsLimited(t *testing.T) {
	doc, _ := served(t)
	shell, err := front.NewShell(nil)
	if err != nil {
		t.Fatal(err)
	}
	var mounted patterns
	if err := (&rest.Handler{Engine: &stub{}, Access: keys{}, Shell: shell}).Mount(&mounted); err != nil {
		t.Fatal(err)
	}
	elsewhere := []string{"GET /v1/inbox", "GET /healthz", "GET /readyz"} // other doors', documented here
	var documented, takeCodes []string
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			documented = append(documented, method+" "+path)
			if operation.RequestBody == nil {
				continue
			}
			if _, ok := operation.RequestBody.Value.Content["application/json"].Schema.Value.Properties["code"]; ok {
				takeCodes = append(takeCodes, method+" "+path)
			}
		}
	}
	all := append(slices.Clone(mounted), elsewhere...)
	slices.Sort(all)
	slices.Sort(documented)
	if !slices.Equal(all, documented) {
		t.Errorf("mounted    %q\ndocumented %q", all, documented)
	}
	if len(takeCodes) != 4 {
		t.Errorf("routes that take a code: %q, want 4", takeCodes)
	}
	for _, route := range takeCodes {
		engine := &stub{plan: []string{"throttled retry=60s"}}
		method, path, _ := strings.Cut(route, " ")
		id, verb := "pc_1", "Verify"
		if strings.Contains(path, "{user}") {
			id, verb = "au_1", "Device"
		}
		path = strings.NewReplacer("{id}", id, "{user}", "ada").Replace(path)
		w := call(t, engine, method, path, `{"to":"ada@example.com","code":"1"}`)
		if w.Code == 422 {
			w = call(t, engine, method, path, `{"code":"1"}`)
		}
		if len(engine.asked) != 1 || !strings.HasPrefix(engine.asked[0], verb) || !strings.Contains(w.Body.String(), "throttled") {
			t.Errorf("%s: the engine was asked %q; answer %s", route, engine.asked, w.Body)
		}
	}
}

// call sends one request with a good key.
func call(t testing.TB, engine *stub, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, bytes.NewReader([]byte(body)))
	r.Header.Set("Authorization", "Bearer key-1")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	newDoor(t, engine, keys{}, io.Discard).ServeHTTP(w, r)
	return w
}

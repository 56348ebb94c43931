package admin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/front/admin"
	"github.com/otpost/otpost/internal/locale"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/registry"
)

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// shelf is a store in memory, with a history.
type shelf struct {
	registry.Store // Conversion is not asked for
	documents      []registry.Document
	past           []registry.Past
	revision       int64
	fails          error
}

func (s *shelf) Documents(context.Context, string) ([]registry.Document, int64, error) {
	return slices.Clone(s.documents), s.revision, nil
}

func (s *shelf) Revision(context.Context, string) (int64, error) { return s.revision, nil }

func (s *shelf) ChangeDocuments(_ context.Context, _ string, base int64, write, remove []registry.Document, by string, now time.Time) error {
	if s.fails != nil {
		return s.fails
	}
	for _, d := range slices.Concat(write, remove) {
		if i := slices.IndexFunc(s.documents, func(o registry.Document) bool { return o.Kind == d.Kind && o.Name == d.Name }); i >= 0 {
			s.past = slices.Insert(s.past, 0, registry.Past{Document: s.documents[i], ReplacedAt: now, ReplacedBy: by})
			s.documents = slices.Delete(s.documents, i, i+1)
		}
	}
	s.documents = append(s.documents, write...)
	s.revision++
	return nil
}

func (s *shelf) History(_ context.Context, _ string, kind registry.Kind, name string, n int) (found []registry.Past, _ error) {
	for _, p := range s.past {
		if p.Kind == kind && p.Name == name && len(found) < n {
			found = append(found, p)
		}
	}
	return found, nil
}

// keys knows an admin key and an application's.
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

// door is the door behind its entrance, and the contract that its answers are held to.
type door struct {
	*shelf
	kept     suppressed
	breakers map[string]time.Time
	handler  http.Handler
	contract routers.Router
	log      bytes.Buffer
	checked  int
}

func open(t *testing.T) *door {
	t.Helper()
	d := &door{shelf: &shelf{}}
	log := slog.New(slog.NewTextHandler(&d.log, nil))
	catalogues, err := locale.Open()
	if err != nil {
		t.Fatal(err)
	}
	r, err := registry.Open(t.Context(), registry.Settings{Store: d.shelf, Tenant: "default", Now: noon,
		Breakers: func(context.Context) (map[string]time.Time, error) { return d.breakers, d.fails },
		Rules:    registry.Rules{Policy: passcode.DefaultPolicy(), Composer: &compose.Composer{Catalogues: catalogues}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	mux := http.NewServeMux()
	(&admin.Handler{Registry: r, Suppressions: &d.kept, Access: keys{}, Log: log}).Mount(mux)
	d.handler = front.Entrance{Log: log, Level: slog.LevelDebug, Now: noon}.Handler(mux)
	document, err := openapi3.NewLoader().LoadFromData(admin.OpenAPI())
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

// ask sends a request with the admin key and more headers, name and value in turn, and holds request and answer to the
// contract.
func (d *door) ask(t *testing.T, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer admin")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
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
	if w.Code < 300 {
		if err := openapi3filter.ValidateRequest(t.Context(), in); err != nil {
			t.Errorf("%s %s is taken, though the contract forbids it: %v", r.Method, r.URL, err)
		}
	}
	out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: w.Code, Header: w.Header(),
		Options: &openapi3filter.Options{IncludeResponseStatus: true}}
	if err := openapi3filter.ValidateResponse(t.Context(), out.SetBodyBytes(w.Body.Bytes())); err != nil {
		t.Errorf("%s %s: %d: %v", r.Method, r.URL, w.Code, err)
	}
	d.checked++
}

// want asks and wants a status and a text in the answer.
func (d *door) want(t *testing.T, status int, says string, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	w := d.ask(t, method, path, body, headers...)
	if w.Code != status || !strings.Contains(w.Body.String(), says) {
		t.Errorf("%s %s: %d %s, want %d and %s", method, path, w.Code, w.Body, status, says)
	}
	return w
}

const mail = `{"kind":"smtp","settings":{"host":"mail.example.org","from":"codes@example.org","username":"u","password":{"ref":"env:MAIL","value":"hunter2"}}}`

func TestADocumentIsSetSeenAndDeleted(t *testing.T) {
	d := open(t)
	d.want(t, 200, `{"providers":[]}`, "GET", "/v1/providers", "")
	d.want(t, 404, `"code":"no_such_document"`, "GET", "/v1/providers/mail", "")
	made := d.want(t, 201, `{"changed":true,"document":{"name":"mail","kind":"smtp",`, "PUT", "/v1/providers/mail", mail)
	if made.Header().Get("Etag") != `"1"` || made.Header().Get("Location") != "/v1/providers/mail" {
		t.Errorf("made with %v", made.Header())
	}
	same := d.want(t, 200, `{"changed":false,`, "PUT", "/v1/providers/mail", mail)
	got := d.want(t, 200, `"password":{"ref":"env:MAIL"}`, "GET", "/v1/providers/mail", "")
	if same.Header().Get("Etag") != `"1"` || got.Header().Get("Etag") != `"1"` || d.revision != 1 {
		t.Errorf("the same again came to %v at revision %d", same.Header(), d.revision)
	}
	// What GET answers, PUT takes, and it changes nothing.
	d.want(t, 200, `{"changed":false,`, "PUT", "/v1/providers/mail", got.Body.String())
	d.want(t, 200, `"host":"mail.example.org"`, "GET", "/v1/providers", "")
	if w := d.ask(t, "GET", "/v1/providers/mail", "", "If-None-Match", `"1"`); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("what the caller has already: %d %s", w.Code, w.Body)
	}
	d.want(t, 204, "", "DELETE", "/v1/providers/mail", "")
	d.want(t, 404, `"code":"no_such_document"`, "DELETE", "/v1/providers/mail", "")
	for _, line := range []string{"action=create kind=provider name=mail by=\"key key_1\"", "action=delete kind=provider name=mail"} {
		if !strings.Contains(d.log.String(), line) {
			t.Errorf("the log has no %s:\n%s", line, d.log.String())
		}
	}
	if n := strings.Count(d.log.String(), "settings changed"); n != 2 || strings.Contains(d.log.String(), "hunter2") {
		t.Errorf("%d changes were logged, want 2 and no secret:\n%s", n, d.log.String())
	}
}

func TestConditions(t *testing.T) {
	d := open(t)
	d.want(t, 412, `"code":"version_mismatch"`, "PUT", "/v1/policies/strict", `{"length":8}`, "If-Match", "*")
	d.want(t, 201, "", "PUT", "/v1/policies/strict", `{"length":8}`, "If-None-Match", "*")
	d.want(t, 412, "", "PUT", "/v1/policies/strict", `{"length":9}`, "If-None-Match", "*")
	d.want(t, 412, "", "PUT", "/v1/policies/strict", `{"length":9}`, "If-Match", `"7"`)
	d.want(t, 412, "", "PUT", "/v1/policies/strict", `{"length":9}`, "If-Match", `W/"1"`)
	changed := d.want(t, 200, `"length":9`, "PUT", "/v1/policies/strict", `{"length":9}`, "If-Match", `"7", "1"`)
	if changed.Header().Get("Etag") != `"2"` {
		t.Errorf("changed with %v", changed.Header())
	}
	d.want(t, 412, "", "DELETE", "/v1/policies/strict", "", "If-Match", `"1"`)
	d.want(t, 204, "", "DELETE", "/v1/policies/strict", "", "If-Match", "*")
	d.want(t, 412, "", "DELETE", "/v1/policies/strict", "", "If-Match", "*")
	if d.revision != 3 {
		t.Errorf("there were %d changes, want 3", d.revision)
	}
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	d := open(t)
	for _, test := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"PUT", "/v1/policies/a", `{"length":99}`, 422, `"errors":[{"kind":"policy","name":"a","field":"length","detail":"99 is outside 4 to 12"}]`},
		{"PUT", "/v1/policies/a", `{"name":"b"}`, 422, `"field":"name"`},
		{"PUT", "/v1/policies/a", `{"name":1}`, 422, `want a string`},
		{"PUT", "/v1/policies/a", `[]`, 422, `want a JSON object`},
		{"PUT", "/v1/policies/a", `{"length":8,"length":9}`, 422, `comes twice`},
		{"PUT", "/v1/policies/a%20b", `{}`, 422, `the name must be`},
		{"PUT", "/v1/policies/a", `{"length":`, 400, `"code":"malformed_json"`},
		{"PUT", "/v1/policies/a", "{\"length\":\"\xff\"}", 400, `"code":"malformed_json"`},
		{"PUT", "/v1/policies/a", ``, 415, `"code":"unsupported_media_type"`},
		{"PUT", "/v1/policies/a", `{"alphabet":"` + strings.Repeat("a", 300<<10) + `"}`, 422, `at most`},
		{"PUT", "/v1/policies/a", `{"alphabet":"` + strings.Repeat("a", 2<<20) + `"}`, 413, `"code":"body_too_large"`},
		{"PUT", "/v1/providers/a", `{"kind":"smtp","settings":{"hots":"x"}}`, 422, `"field":"settings.hots","detail":"unknown setting; did you mean host?"`},
		{"PUT", "/v1/routes/a", `{"channel":"email","providers":[{"provider":"mail"}]}`, 422, `"field":"providers[0]"`},
		{"POST", "/v1/config", `{"policies":[{"name":"a","length":99},{"name":"b"}],"applications":[{"name":"shop","policy":"c"}]}`, 422,
			`{"kind":"application","name":"shop","field":"policy",`},
		{"POST", "/v1/config:plan", `{"polices":[]}`, 422, `"errors":[{"field":"polices","detail":"unknown kind; did you mean policies?"}]`},
		{"POST", "/v1/config?prune=police", `{}`, 400, `"code":"invalid_query"`},
		{"POST", "/v1/policies/a/restore", ``, 400, `"code":"invalid_query"`},
		{"POST", "/v1/policies/a/restore?version=0", ``, 400, `"code":"invalid_query"`},
		{"POST", "/v1/policies/a/restore?version=4", ``, 404, `"code":"no_such_document"`},
		{"GET", "/v1/policies/a/history", ``, 404, `"code":"no_such_document"`},
	} {
		d.want(t, test.status, test.says, test.method, test.path, test.body)
	}
	d.want(t, 400, `"code":"body_missing"`, "PUT", "/v1/policies/a", "", "Content-Type", "application/json")
	d.want(t, 415, "", "PUT", "/v1/policies/a", "{}", "Content-Type", "text/plain")
	d.want(t, 415, "", "PUT", "/v1/policies/a", "{}", "Content-Encoding", "gzip")
	if d.revision != 0 {
		t.Error("what was refused changed something")
	}
}

func TestManyAtOnce(t *testing.T) {
	d := open(t)
	const all = `{"providers":[{"name":"mail","kind":"smtp","settings":{"host":"mail.example.org","from":"codes@example.org","password":"hunter2","username":"u"}}],
		"routes":[{"name":"all","channel":"email","providers":[{"provider":"mail"}]}],"policies":[{"name":"old"}]}`
	planned := d.want(t, 200, `{"changed":true,"changes":[{"kind":"provider","name":"mail","action":"create",`, "POST", "/v1/config:plan", all)
	if d.revision != 0 {
		t.Fatal("a plan changed something")
	}
	applied := d.want(t, 200, "", "POST", "/v1/config", all)
	if applied.Body.String() != planned.Body.String() || strings.Contains(applied.Body.String(), "hunter2") {
		t.Errorf("planned %s\nand applied %s", planned.Body, applied.Body)
	}
	d.want(t, 200, `{"changed":false,"changes":[]}`, "POST", "/v1/config", all)
	exported := d.want(t, 200, `{"providers":[{"name":"mail",`, "GET", "/v1/config", "")
	if strings.Contains(exported.Body.String(), "hunter2") {
		t.Errorf("exported %s", exported.Body)
	}
	d.want(t, 200, `{"changed":false,"changes":[]}`, "POST", "/v1/config?prune=providers,routes,policies,applications,templates,guards", exported.Body.String())
	d.want(t, 200, `{"changed":true,"changes":[{"kind":"policy","name":"old","action":"delete","fields":[]}]}`, "POST", "/v1/config?prune=policies", `{"policies":[]}`)
	d.want(t, 422, `unknown provider`, "POST", "/v1/config?prune=providers", `{}`)
	if len(d.documents) != 2 {
		t.Errorf("%+v is left", d.documents)
	}
}

func TestHistoryAndRestore(t *testing.T) {
	d := open(t)
	d.want(t, 201, "", "PUT", "/v1/providers/mail", mail)
	d.want(t, 200, `{"history":[]}`, "GET", "/v1/providers/mail/history", "")
	d.want(t, 200, "", "PUT", "/v1/providers/mail", strings.Replace(mail, "codes@", "hello@", 1))
	w := d.want(t, 200, `"version":1,"updated_at":"2026-11-21T12:00:00.000Z","replaced_at":"2026-11-21T12:00:00.000Z","replaced_by":"key key_1"`, "GET", "/v1/providers/mail/history", "")
	if strings.Contains(w.Body.String(), "hunter2") || !strings.Contains(w.Body.String(), "codes@example.org") {
		t.Errorf("the history is %s", w.Body)
	}
	back := d.want(t, 200, `"from":"codes@example.org"`, "POST", "/v1/providers/mail/restore?version=1", "")
	if back.Header().Get("Etag") != `"3"` {
		t.Errorf("restored with %v", back.Header())
	}
	d.want(t, 204, "", "DELETE", "/v1/providers/mail", "")
	d.want(t, 201, `"changed":true`, "POST", "/v1/providers/mail/restore?version=2", "")
	var p registry.Provider
	if err := d.documents[0].Decode(&p); err != nil || !strings.Contains(string(p.Settings["password"]), "hunter2") {
		t.Errorf("the secret did not come back: %s, %v", p.Settings["password"], err)
	}
}

func TestProviderKinds(t *testing.T) {
	d := open(t)
	w := d.want(t, 200, `"name":"smtp"`, "GET", "/v1/provider-kinds", "")
	var got struct {
		Kinds []struct {
			Name   string
			Fields []struct {
				Name   string
				Secret bool
			}
			Schema struct{ Properties map[string]json.RawMessage }
		} `json:"provider_kinds"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, kind := range got.Kinds {
		var settings struct {
			Properties map[string]struct{ WriteOnly bool }
		}
		if err := json.Unmarshal(kind.Schema.Properties["settings"], &settings); err != nil || len(settings.Properties) != len(kind.Fields) {
			t.Errorf("%s has %d fields and the schema %v, %v", kind.Name, len(kind.Fields), settings, err)
		}
		for _, f := range kind.Fields {
			if settings.Properties[f.Name].WriteOnly != f.Secret {
				t.Errorf("%s of %s: secret %v", f.Name, kind.Name, f.Secret)
			}
		}
	}
}

func TestProviderStates(t *testing.T) {
	d := open(t)
	d.want(t, 200, `{"provider_states":[]}`, "GET", "/v1/provider-states", "")
	d.want(t, 201, "", "PUT", "/v1/providers/mail", mail)
	d.want(t, 201, "", "PUT", "/v1/providers/second", strings.Replace(mail, `{"kind"`, `{"rate":{"messages":5,"per":"1m"},"kind"`, 1))
	d.breakers = map[string]time.Time{"mail": noon().Add(20 * time.Second)}
	d.want(t, 200, `{"provider_states":[{"name":"mail","kind":"smtp","given":false,"disabled":false,"state":"left_alone","left_alone_until":"2026-11-21T12:00:20Z"},`+
		`{"name":"second","kind":"smtp","given":false,"disabled":false,"state":"ready","rate":{"messages":5,"per":"1m"}}]}`, "GET", "/v1/provider-states", "")
	d.fails = errors.New("disk full")
	d.want(t, 500, `"code":"internal"`, "GET", "/v1/provider-states", "")
}

func TestOnlyAdminKeysOfTheTenantComeIn(t *testing.T) {
	d := open(t)
	d.want(t, 201, "", "PUT", "/v1/providers/mail", mail)
	for token, want := range map[string]string{"app": `"code":"admin_key_required"`, "foreign": `"code":"no_such_document"`, "none": `"code":"key_invalid"`} {
		for _, path := range []string{"/v1/providers", "/v1/providers/mail", "/v1/config", "/v1/provider-kinds", "/v1/provider-states", "/v1/suppressions"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			d.handler.ServeHTTP(w, r)
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s of %s: %d %s", path, token, w.Code, w.Body)
			}
		}
	}
}

func TestFaultsOfTheStore(t *testing.T) {
	d := open(t)
	d.fails = registry.ErrChanged
	w := d.want(t, 409, `"code":"settings_busy"`, "PUT", "/v1/policies/a", `{}`)
	if w.Header().Get("Retry-After") == "" {
		t.Errorf("busy with %v", w.Header())
	}
	d.fails = errors.New("disk full")
	if w := d.want(t, 500, `"code":"internal"`, "PUT", "/v1/policies/a", `{}`); strings.Contains(w.Body.String(), "disk") {
		t.Errorf("a fault is told as %s", w.Body)
	}
}

func TestEveryRouteIsInTheContract(t *testing.T) {
	var mounted, documented []string
	(&admin.Handler{Access: keys{}}).Mount(routes(func(pattern string) { mounted = append(mounted, pattern) }))
	document, err := openapi3.NewLoader().LoadFromData(admin.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range document.Paths.Map() {
		for method := range item.Operations() {
			documented = append(documented, method+" "+path)
		}
	}
	slices.Sort(mounted)
	slices.Sort(documented)
	if !slices.Equal(mounted, documented) {
		t.Errorf("mounted    %q\ndocumented %q", mounted, documented)
	}
}

type routes func(pattern string)

func (r routes) Handle(pattern string, _ http.Handler) { r(pattern) }

package inbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/legacy"
	"golang.org/x/net/html"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/front/inbox"
)

// box holds messages in memory.
type box struct {
	kept []inbox.Kept
	err  error
	// asked is the last call's recipient and limit.
	to    string
	limit int
}

func (b *box) Messages(_ context.Context, to string, limit int) (found []inbox.Kept, err error) {
	b.to, b.limit = to, limit
	for _, k := range b.kept {
		if (to == "" || strings.EqualFold(k.To, to)) && len(found) < limit {
			found = append(found, k)
		}
	}
	return found, b.err
}

func (b *box) Message(_ context.Context, id string) (inbox.Kept, bool, error) {
	for _, k := range b.kept {
		if k.ID == id {
			return k, true, b.err
		}
	}
	return inbox.Kept{}, false, b.err
}

func two() *box {
	at := time.Date(2026, 11, 21, 12, 0, 0, 123e6, time.FixedZone("", 3600))
	return &box{kept: []inbox.Kept{
		{ID: "m2", To: "ada@example.com", From: "Shop <shop@shop.example>", Subject: "482913 is your code",
			Text: "482913 is your code.\nIt works for 10 minutes.", HTML: "<p>482913</p>", ReceivedAt: at, Passcode: "pc_1"},
		{ID: "m1", To: "+12025550143", Text: "771204 is your code.", ReceivedAt: at.Add(-time.Minute)},
	}}
}

func newDoor(t testing.TB, h *inbox.Handler) http.Handler {
	t.Helper()
	shell, err := front.NewShell(nil, front.Link{Text: "Inbox", Path: "/inbox"})
	if err != nil {
		t.Fatal(err)
	}
	h.Shell = shell
	mux := http.NewServeMux()
	if err := h.Mount(mux); err != nil {
		t.Fatal(err)
	}
	return front.Entrance{Shell: shell}.Handler(mux)
}

func get(door http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	door.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

func TestAPI(t *testing.T) {
	w := get(newDoor(t, &inbox.Handler{Messages: two()}), "/v1/inbox?to=ADA@example.com")
	const want = `{"messages":[{"id":"m2","to":"ada@example.com","from":"Shop \u003cshop@shop.example\u003e",` +
		`"subject":"482913 is your code","text":"482913 is your code.\nIt works for 10 minutes.",` +
		`"html":"\u003cp\u003e482913\u003c/p\u003e","received_at":"2026-11-21T11:00:00.123Z","passcode_id":"pc_1"}]}`
	if w.Code != 200 || w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %d %s\nwant %s", w.Code, w.Body, want)
	}
	if w := get(newDoor(t, &inbox.Handler{Messages: &box{}}), "/v1/inbox"); w.Body.String() != `{"messages":[]}` {
		t.Errorf("an empty inbox is %s", w.Body)
	}
}

func TestAPIQuery(t *testing.T) {
	for query, want := range map[string]struct {
		status int
		to     string
		limit  int
	}{
		"":                                {200, "", 50},
		"?limit=7":                        {200, "", 7},
		"?limit=200&to=%2B12025550143":    {200, "+12025550143", 200},
		"?limit=0":                        {400, "", 0},
		"?limit=201":                      {400, "", 0},
		"?limit=ten":                      {400, "", 0},
		"?to=a%00b":                       {400, "", 0},
		"?to=%ff":                         {400, "", 0},
		"?to=" + strings.Repeat("a", 400): {400, "", 0},
	} {
		b := two()
		w := get(newDoor(t, &inbox.Handler{Messages: b}), "/v1/inbox"+query)
		if w.Code != want.status || b.to != want.to || b.limit != want.limit {
			t.Errorf("%s: %d, asked for %q, %d; want %v", query, w.Code, b.to, b.limit, want)
		}
	}
}

// The contract is the one of the JSON API, which documents this path too.
func TestAPIKeepsItsContract(t *testing.T) {
	contract, err := os.ReadFile("../rest/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		t.Fatal(err)
	}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v1/inbox", "/v1/inbox?limit=1", "/v1/inbox?limit=x"} {
		r := httptest.NewRequest("GET", path, nil)
		route, params, err := router.FindRoute(r)
		if err != nil {
			t.Fatal(err)
		}
		w := get(newDoor(t, &inbox.Handler{Messages: two()}), path)
		in := &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route},
			Status:                 w.Code, Header: w.Header(), Options: &openapi3filter.Options{IncludeResponseStatus: true}}
		in.SetBodyBytes(w.Body.Bytes())
		if err := openapi3filter.ValidateResponse(t.Context(), in); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

type shut struct{}

func (shut) Authenticate(context.Context, string) (access.Caller, error) {
	return access.Caller{}, access.ErrNoAccess
}

func TestAPIBehindAGate(t *testing.T) {
	b := two()
	if w := get(newDoor(t, &inbox.Handler{Messages: b, Access: shut{}}), "/v1/inbox"); w.Code != 401 || b.limit != 0 {
		t.Errorf("got %d", w.Code)
	}
}

func TestTroubleIsToldWithoutItsCause(t *testing.T) {
	var log bytes.Buffer
	door := newDoor(t, &inbox.Handler{Messages: &box{err: errors.New("disk I/O error")}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for _, path := range []string{"/v1/inbox", "/inbox", "/inbox/m1", "/inbox/m1/html"} {
		log.Reset()
		if w := get(door, path); w.Code != 500 || strings.Contains(w.Body.String(), "disk") || !strings.Contains(log.String(), "disk") {
			t.Errorf("%s: %d %s; log %s", path, w.Code, w.Body, log.String())
		}
	}
}

// page is a parsed page.
type page struct {
	t    *testing.T
	root *html.Node
}

func parse(t *testing.T, body string) page {
	t.Helper()
	root, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return page{t, root}
}

// all returns the elements of one kind.
func (p page) all(tag string) (found []*html.Node) {
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag {
			found = append(found, n)
		}
	}
	return found
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestListPage(t *testing.T) {
	w := get(newDoor(t, &inbox.Handler{Messages: two()}), "/inbox")
	p := parse(t, w.Body.String())
	var subjects []string
	for _, li := range p.all("li") {
		link := li.FirstChild
		subjects = append(subjects, attr(link, "href")+" "+text(link.FirstChild.NextSibling))
	}
	if got, want := strings.Join(subjects, "; "), "/inbox/m2 482913 is your code; /inbox/m1 771204 is your code."; got != want {
		t.Errorf("the list is %s, want %s", got, want)
	}
	for _, input := range p.all("input") {
		labelled := false
		for _, label := range p.all("label") {
			labelled = labelled || attr(label, "for") == attr(input, "id")
		}
		if !labelled {
			t.Errorf("input %s has no label", attr(input, "name"))
		}
	}
	if len(p.all("h1")) != 1 || len(p.all("main")) != 1 {
		t.Error("want one h1 in one main")
	}
}

func TestListPageFilters(t *testing.T) {
	w := get(newDoor(t, &inbox.Handler{Messages: two()}), "/inbox?to=%20%2B12025550143")
	p := parse(t, w.Body.String())
	if n := len(p.all("li")); n != 1 {
		t.Errorf("%d messages, want 1", n)
	}
	if got := attr(p.all("input")[0], "value"); got != "+12025550143" {
		t.Errorf("the filter shows %q", got)
	}
	if w := get(newDoor(t, &inbox.Handler{Messages: two()}), "/inbox?to=%00"); w.Code != 400 || !strings.Contains(w.Body.String(), "printable") {
		t.Errorf("a filter that cannot be: %d", w.Code)
	}
}

func TestEmptyListSaysHowToFillIt(t *testing.T) {
	w := get(newDoor(t, &inbox.Handler{Messages: &box{}, Example: `curl -d '{"to":"ada@example.com"}'`}), "/inbox")
	p := parse(t, w.Body.String())
	if pre := p.all("pre"); len(pre) != 1 || text(pre[0]) != `curl -d '{"to":"ada@example.com"}'` {
		t.Errorf("no example in\n%s", w.Body)
	}
}

// WCAG 2.2, 2.2.2: what moves by itself can be stopped.
func TestRefreshingCanBePaused(t *testing.T) {
	door := newDoor(t, &inbox.Handler{Messages: two()})
	going := get(door, "/inbox?to=ada%40example.com").Body.String()
	if !strings.Contains(going, `http-equiv="refresh"`) {
		t.Error("the list does not refresh")
	}
	stop := ""
	for _, a := range parse(t, going).all("a") {
		if text(a) == "Pause" {
			stop = attr(a, "href")
		}
	}
	stopped := get(door, stop).Body.String()
	if strings.Contains(stopped, "refresh") || strings.Contains(stopped, "<script") || len(parse(t, stopped).all("li")) != 1 {
		t.Errorf("%s is\n%s", stop, stopped)
	}
}

func TestMessagePage(t *testing.T) {
	door := newDoor(t, &inbox.Handler{Messages: two()})
	p := parse(t, get(door, "/inbox/m2").Body.String())
	frames := p.all("iframe")
	if len(frames) != 1 || attr(frames[0], "src") != "/inbox/m2/html" || attr(frames[0], "title") == "" {
		t.Fatalf("want one titled frame")
	}
	if pre := p.all("pre"); len(pre) != 1 || text(pre[0]) != "482913 is your code.\nIt works for 10 minutes." {
		t.Error("the text part is not there as it was written")
	}
	if p := parse(t, get(door, "/inbox/m1").Body.String()); len(p.all("iframe")) != 0 {
		t.Error("a message without HTML has a frame")
	}
	for _, path := range []string{"/inbox/none", "/inbox/a%00b", "/inbox/none/html", "/inbox/" + strings.Repeat("x", 200)} {
		if w := get(door, path); w.Code != 404 || !strings.Contains(w.Body.String(), "No such message") {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// Zitadel CVE-2024-41953 (GO-2024-3015), Vikunja CVE-2026-35600 (GO-2026-5111): what users wrote went unescaped into
// what others look at.
func TestAdvisory_CVE_2024_41953_HostileMessagesAreInert(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)></pre></title><svg onload=alert(3)>`
	const part = `<script>top.location='https://evil.example'</script><form action="https://evil.example"><img src="https://evil.example/p">`
	b := &box{kept: []inbox.Kept{{ID: `m"><b`, To: evil, From: evil, Subject: evil, Text: evil, HTML: part, Passcode: evil}}}
	door := newDoor(t, &inbox.Handler{Messages: b, Example: evil})
	id := url.PathEscape(b.kept[0].ID)
	for _, path := range []string{"/inbox", "/inbox?to=" + url.QueryEscape(evil), "/inbox/" + id} {
		w := get(door, path)
		p := parse(t, w.Body.String())
		if w.Code != 200 || len(p.all("svg"))+len(p.all("b")) != 0 {
			t.Errorf("%s: %d, hostile markup became elements:\n%s", path, w.Code, w.Body)
		}
		for n := range p.root.Descendants() {
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s: %s has %s", path, n.Data, a.Key)
				}
			}
		}
		for _, script := range p.all("script") {
			if !strings.HasPrefix(attr(script, "src"), "/assets/") {
				t.Errorf("%s: a script of its own", path)
			}
		}
		for _, frame := range p.all("iframe") {
			hasSandbox := false
			for _, a := range frame.Attr {
				hasSandbox = hasSandbox || a.Key == "sandbox" && a.Val == ""
			}
			if !hasSandbox || !strings.EqualFold(attr(frame, "src"), "/inbox/"+id+"/html") {
				t.Errorf("%s: frame %v", path, frame.Attr)
			}
		}
	}
	w := get(door, "/inbox/"+id+"/html")
	policy := w.Header().Get("Content-Security-Policy")
	for _, rule := range []string{"sandbox;", "default-src 'none'", "form-action 'none'", "frame-ancestors 'self'"} {
		if !strings.Contains(policy, rule) {
			t.Errorf("policy %q lacks %s", policy, rule)
		}
	}
	if strings.Contains(policy, "allow-") || strings.Contains(policy, "script-src") || w.Body.String() != part {
		t.Errorf("policy %q, body %s", policy, w.Body)
	}
	var parsed struct{ Messages []map[string]any }
	if err := json.Unmarshal(get(door, "/v1/inbox").Body.Bytes(), &parsed); err != nil || parsed.Messages[0]["subject"] != evil {
		t.Errorf("JSON lost the subject: %v %v", err, parsed)
	}
}

package front_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"

	"github.com/otpost/otpost/internal/front"
)

type greeting struct{ Name string }

func pageFiles(main string) fstest.MapFS {
	return fstest.MapFS{"page.html": {Data: []byte(`{{define "main"}}` + main + `{{end}}`)}}
}

func newShell(t testing.TB) *front.Shell {
	t.Helper()
	shell, err := front.NewShell(nil, front.Link{Text: "Inbox", Path: "/inbox"}, front.Link{Text: "Reference", Path: "/docs"})
	if err != nil {
		t.Fatal(err)
	}
	return shell
}

func draw(t *testing.T, f front.Frame, main string, g greeting) *httptest.ResponseRecorder {
	t.Helper()
	page, err := front.NewPage[greeting](newShell(t), pageFiles(main), "page.html")
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	page.Write(w, httptest.NewRequest("GET", "/", nil), 200, f, g)
	return w
}

// walk visits every element of a page.
func walk(t *testing.T, page string, visit func(tag string, attr map[string]string)) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		visit(n.Data, attr)
	}
}

func TestPageStructure(t *testing.T) {
	w := draw(t, front.Frame{Title: "Hello", Current: "/inbox", Live: 5}, `<h1>{{.Page.Name}}</h1>`, greeting{"You"})
	count := map[string]int{}
	walk(t, w.Body.String(), func(tag string, attr map[string]string) {
		count[tag]++
		if attr["style"] != "" {
			t.Errorf("%s has an inline style", tag)
		}
		for key := range attr {
			if strings.HasPrefix(key, "on") {
				t.Errorf("%s has an inline handler %s", tag, key)
			}
		}
		if tag == "script" && !strings.HasPrefix(attr["src"], "/assets/live.") {
			t.Errorf("script %v", attr)
		}
		if tag == "a" && attr["href"] == "/inbox" && attr["aria-current"] != "page" {
			t.Error("the current link is not marked")
		}
		if tag == "img" {
			if _, ok := attr["alt"]; !ok {
				t.Error("a picture without alt")
			}
		}
	})
	for _, once := range []string{"html", "title", "main", "header", "footer", "nav", "h1"} {
		if count[once] != 1 {
			t.Errorf("%d %s elements, want 1", count[once], once)
		}
	}
	if count["style"] != 0 {
		t.Error("the page has an inline style sheet")
	}
	policy := w.Header().Get("Content-Security-Policy")
	if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy is %s", policy)
	}
}

func TestScriptsAreAllowedOnlyWhereThereAreSome(t *testing.T) {
	for live, want := range map[int]bool{0: false, 5: true} {
		w := draw(t, front.Frame{Title: "x", Live: live}, "x", greeting{})
		if got := strings.Contains(w.Header().Get("Content-Security-Policy"), "script-src"); got != want {
			t.Errorf("live %d: scripts allowed %v", live, got)
		}
		if got := strings.Contains(w.Body.String(), "<script"); got != want {
			t.Errorf("live %d: has a script %v", live, got)
		}
	}
}

func TestPageDirection(t *testing.T) {
	for language, want := range map[string]string{"": `lang="en" dir="ltr"`, "de-CH": `lang="de-CH" dir="ltr"`,
		"ar": `lang="ar" dir="rtl"`, "he-IL": `lang="he-IL" dir="rtl"`} {
		if body := draw(t, front.Frame{Title: "x", Language: language}, "x", greeting{}).Body.String(); !strings.Contains(body, want) {
			t.Errorf("%q: want %s in\n%s", language, want, body)
		}
	}
}

func TestPageEscapes(t *testing.T) {
	w := draw(t, front.Frame{Title: "</title><script>"}, `<p title="{{.Page.Name}}">{{.Page.Name}}</p>`, greeting{`"><img onerror=x>`})
	walk(t, w.Body.String(), func(tag string, attr map[string]string) {
		if tag == "script" || tag == "img" && attr["onerror"] != "" {
			t.Errorf("%s %v got into the page", tag, attr)
		}
	})
}

func TestAPageThatNamesWhatIsNotThereIsRefusedAtStart(t *testing.T) {
	for name, main := range map[string]string{
		"member": `{{.Page.Nmae}}`, "asset": `{{asset "gone.css"}}`, "syntax": `{{if}}`,
	} {
		if _, err := front.NewPage[greeting](newShell(t), pageFiles(main), "page.html"); err == nil {
			t.Errorf("%s: a broken page was taken", name)
		}
	}
}

func TestAssetsAreKeptAndNamedByContent(t *testing.T) {
	mux := http.NewServeMux()
	shell := newShell(t)
	shell.Mount(mux)
	page := draw(t, front.Frame{Title: "x", Live: 1}, "x", greeting{}).Body.String()
	found := 0
	walk(t, page, func(tag string, attr map[string]string) {
		for _, url := range []string{attr["src"], attr["href"]} {
			if !strings.HasPrefix(url, "/assets/") {
				continue
			}
			found++
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, httptest.NewRequest("GET", url, nil))
			body, _ := io.ReadAll(w.Body)
			if w.Code != 200 || len(body) == 0 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
				t.Errorf("%s: %d, %d bytes, %v", url, w.Code, len(body), w.Header())
			}
		}
	})
	if found < 4 {
		t.Errorf("the page names %d assets, want style, script and two pictures", found)
	}
	for _, path := range []string{"/assets/otpost.css", "/assets/..%2fpage.go", "/assets/otpost.000000000000.css"} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != 404 {
			t.Errorf("%s: %d, want 404", path, w.Code)
		}
	}
}

func TestUnknownAssetKindIsRefused(t *testing.T) {
	if _, err := front.NewAssets("/x/", fstest.MapFS{"a.exe": {}}); err == nil {
		t.Error("an asset without a media type was taken")
	}
}

// Zitadel CVE-2025-64101 (GO-2025-4084) and its relatives built links from headers that the client writes.
func TestAdvisory_CVE_2025_64101_PagesDoNotRepeatTheHost(t *testing.T) {
	mux := http.NewServeMux()
	shell := newShell(t)
	if err := (front.Landing{Shell: shell, Links: shell.Nav}).Mount(mux); err != nil {
		t.Fatal(err)
	}
	handler := front.Entrance{Shell: shell}.Handler(mux)
	for _, path := range []string{"/", "/nowhere"} {
		var bodies []string
		for _, host := range []string{"otpost.example", "evil.example"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Host = host
			r.Header.Set("X-Request-Id", "same")
			r.Header.Set("Accept", "text/html")
			r.Header.Set("X-Forwarded-Host", host)
			r.Header.Set("X-Forwarded-Proto", "javascript")
			r.Header.Set("Forwarded", "host="+host)
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			bodies = append(bodies, w.Body.String())
		}
		if bodies[0] != bodies[1] || strings.Contains(bodies[1], "evil") {
			t.Errorf("%s: the page depends on the host:\n%s", path, bodies[1])
		}
	}
}

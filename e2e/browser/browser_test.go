//go:build unix

package browser_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otpost/otpost/e2e/browser"
)

// serve serves one page under a strict content policy.
func serve(t *testing.T, page string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self'")
		io.WriteString(w, strings.ReplaceAll(page, "QUERY", r.URL.RawQuery+" "+r.Header.Get("Accept-Language")))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// running counts the processes that name a folder on their command line.
func running(t *testing.T, folder string) (n int) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(lines) == 0 {
		t.Skip("no /proc to see processes in")
	}
	for _, path := range lines {
		text, _ := os.ReadFile(path) // a process may have ended since
		if strings.Contains(string(text), folder) {
			n++
		}
	}
	return n
}

// TestNothingOutlivesTheTest starts a browser within a test of its own, and looks for its processes and files afterwards.
func TestNothingOutlivesTheTest(t *testing.T) {
	// Not t.TempDir: the browser makes sockets in it, whose paths may not be long.
	folder, err := os.MkdirTemp("", "o")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	t.Setenv("TMPDIR", folder)
	t.Run("within", func(t *testing.T) {
		b := browser.Start(t)
		b.Open(serve(t, "<title>x</title>"))
		if running(t, os.TempDir()) == 0 {
			t.Error("no process of the browser is seen, so none would be missed")
		}
	})
	if n := running(t, os.TempDir()); n != 0 {
		t.Errorf("%d processes of the browser are left", n)
	}
	if left, err := filepath.Glob(os.TempDir() + "/otpost-browser-*"); err != nil || len(left) != 0 {
		t.Errorf("left behind: %q %v", left, err)
	}
}

// TestABrowserIsDriven does with a page what tests do with otpost's.
func TestABrowserIsDriven(t *testing.T) {
	b := browser.Start(t)
	address := serve(t, `<!doctype html><html lang="en"><title>x</title><p id="said">QUERY</p>
		<form><label for="a">Name</label> <input id="a" name="a" autofocus> <button name="do" value="go">Go</button></form>`)
	b.Language("he")
	b.Open(address)
	if f := b.Focused(); f.Name() != "Name" || f.Role() != "textbox" || f.Attribute("id") != "a" {
		t.Errorf("the focus is at %q, a %q", f.Name(), f.Role())
	}
	b.Press("lea" + browser.Tab)
	if f := b.Focused(); f.Text() != "Go" || b.Find("#a").Value() != "lea" {
		t.Errorf("the focus went to %q, the field has %q", f.Text(), b.Find("#a").Value())
	}
	b.Leave(func() { b.Press(browser.Enter) })
	if got := b.Find("#said").Text(); got != "a=lea&do=go he" {
		t.Errorf("sent: %q", got)
	}
	if entries := b.Console(); len(entries) != 0 {
		t.Errorf("the console has %+v", entries)
	}
	b.Open(serve(t, `<!doctype html><title>x</title><script>document.title = "ran"</script>`))
	if entries := b.Console(); len(entries) != 1 || entries[0].Source != "security" {
		t.Errorf("a script that the policy forbids: %+v", entries)
	}
}

//go:build unix

// Package browser drives a real browser, headless Chromium, through chromedriver for the length of one test.
//
// It speaks the W3C's WebDriver protocol (https://www.w3.org/TR/webdriver2/), and Chromium's own where that has no word for
// what is asked: the colours a person prefers, the size of a screen, what stands in the console.
package browser

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// Browser is one window of a browser that knows nobody: no cookie, no cache, no history. It is used by one goroutine.
type Browser struct {
	t testing.TB
	// base is the address of the driver, and of the session once there is one.
	base string
	// pid is the browser's process.
	pid  int
	http *http.Client
}

// Start opens a browser in English, 1280 by 800 pixels, that ends with the test. It skips the test where the browser or its
// driver is not installed.
func Start(t testing.TB) *Browser {
	t.Helper()
	chromium, driver := find(t, "chromium", "chromium"), find(t, "chromedriver", "chromium-driver")
	transport := &http.Transport{}
	b := &Browser{t: t, http: &http.Client{Transport: transport, Timeout: rig.Patience}}
	t.Cleanup(transport.CloseIdleConnections)
	folder, err := os.MkdirTemp("", "otpost-browser-")
	if err != nil {
		t.Fatal(err)
	}
	// What the browser leaves behind to watch for crashes ends by itself, and until then keeps files here.
	t.Cleanup(func() {
		b.Await("the browser's folder to be free", func() bool { return os.RemoveAll(folder) == nil && !named(folder) })
	})
	b.base = "http://127.0.0.1:" + b.startDriver(driver, folder)
	b.startBrowser(chromium, folder)
	return b
}

func find(t testing.TB, program, debian string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("no page is looked at: %s is missing. Install the Debian package %s, or run scripts/test-needs.sh", program, debian)
	}
	return path
}

// listening is what the driver prints of the free port that it took.
var listening = regexp.MustCompile(`started successfully on port (\d+)`)

// startDriver runs the driver until the test ends, and returns its port.
func (b *Browser) startDriver(path, folder string) string {
	b.t.Helper()
	cmd := exec.Command(path, "--port=0")
	cmd.Dir = folder
	// The browser inherits this: what it keeps outside of its profile goes with the folder too.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "TMPDIR=" + folder, "XDG_CONFIG_HOME=" + folder, "XDG_CACHE_HOME=" + folder,
		"LANGUAGE=en", "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = ofItsOwn()
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	said := &transcript{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait() // it was killed
		if b.t.Failed() {
			b.t.Logf("chromedriver says:\n%s", said)
		}
	})
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		io.WriteString(said, line)
		if m := listening.FindStringSubmatch(line); m != nil {
			go io.Copy(said, lines)
			return m[1]
		}
		if err != nil {
			b.t.Fatalf("chromedriver did not start: %v", err)
		}
	}
}

// switches are those of a browser that asks nobody for updates, and reaches no machine but this one.
func switches(folder string) []string {
	return []string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-crash-reporter", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--lang=en-US", "--window-size=1280,800", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
		"--user-data-dir=" + filepath.Join(folder, "profile"),
		"--remote-debugging-pipe"} // the browser ends itself once nobody is at the pipe's other end
}

func (b *Browser) startBrowser(path, folder string) {
	b.t.Helper()
	var session struct {
		ID           string `json:"sessionId"`
		Capabilities struct {
			Process int `json:"goog:processID"`
		} `json:"capabilities"`
	}
	b.call("POST", "/session", object{"capabilities": object{"alwaysMatch": object{
		"browserName":        "chrome",
		"goog:chromeOptions": object{"binary": path, "args": switches(folder)},
		"goog:loggingPrefs":  object{"browser": "ALL"},
	}}}, &session)
	b.base += "/session/" + session.ID
	b.pid = session.Capabilities.Process
	b.t.Cleanup(b.end)
}

// end closes the browser and returns when its process is gone, by force where it has to be.
func (b *Browser) end() {
	if r, err := http.NewRequest("DELETE", b.base, nil); err == nil {
		if answer, err := b.http.Do(r); err == nil {
			answer.Body.Close()
		}
	}
	if b.pid <= 0 {
		b.t.Error("the driver did not say which process the browser is")
		return
	}
	begun := time.Now()
	b.Await("the browser to end", func() bool {
		if time.Since(begun) > rig.Patience/4 {
			syscall.Kill(b.pid, syscall.SIGKILL)
		}
		return syscall.Kill(b.pid, 0) != nil
	})
}

// named reports whether a process has the folder on its command line, where the system tells.
func named(folder string) bool {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline") // none where there is no /proc
	for _, path := range lines {
		text, _ := os.ReadFile(path) // a process may have ended since
		if strings.Contains(string(text), folder) {
			return true
		}
	}
	return false
}

// Await looks until done is true, and fails the test when that takes too long.
func (b *Browser) Await(what string, done func() bool) {
	b.t.Helper()
	rig.Await(b.t, what, done)
}

// transcript keeps what a program says, up to a bound.
type transcript struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *transcript) Write(p []byte) (int, error) {
	const most = 64 << 10
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text.Len() < most {
		s.text.Write(p)
	}
	return len(p), nil
}

func (s *transcript) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

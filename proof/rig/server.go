package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Settings are settings by name, as in otpost.yaml.
type Settings map[string]string

// With returns the settings with others over them.
func (s Settings) With(others ...Settings) Settings {
	merged := maps.Clone(s)
	for _, other := range others {
		maps.Copy(merged, other)
	}
	return merged
}

// environ is the environment of a process that has these settings and nothing else of otpost's.
func (s Settings) environ(folder string) []string {
	environ := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "TZ=UTC", "GORACE=exitcode=66"}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		variable := name
		if name == strings.ToLower(name) {
			variable = "OTPOST_" + strings.ToUpper(name)
		}
		environ = append(environ, variable+"="+s[name])
	}
	return environ
}

// Command is an otpost that is about to run in an empty folder.
func Command(t testing.TB, s Settings, args ...string) *exec.Cmd {
	t.Helper()
	path, err := program()
	if err := errors.Join(err, sources()); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = s.environ(cmd.Dir)
	return cmd
}

// Run runs otpost to its end.
func Run(t testing.TB, s Settings, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := Command(t, s, args...)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	defer context.AfterFunc(ctx, func() { cmd.Process.Kill() })()
	_ = cmd.Wait() // the exit code is the caller's to judge
	return out.String(), complaint.String(), cmd.ProcessState.ExitCode()
}

// CreateKey makes an API key for an application and returns it.
func CreateKey(t testing.TB, s Settings, application string) string {
	t.Helper()
	stdout, stderr, code := Run(t, s, "key", "create", "--application", application, "--output", "json")
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(stdout), &made); code != 0 || err != nil || made.Key == "" {
		t.Fatalf("key create: exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	return made.Key
}

// Server is a running otpost serve.
type Server struct {
	t testing.TB
	// Public and ops are host:port of the two listeners.
	Public, ops string
	Log         *LogBook
	cmd         *exec.Cmd
	exited      <-chan struct{}
}

var (
	publicAddress = regexp.MustCompile(`(?:public=|"public":")([0-9.:]+)[" ]`)
	opsAddress    = regexp.MustCompile(`(?:operations=|"operations":")([0-9.:]+)[" ]`)
)

// Start runs otpost serve until the test ends and waits until it is ready. Ports are free ones, the log is at debug
// level, unless settings say otherwise.
func Start(t testing.TB, s Settings) *Server {
	t.Helper()
	own := Settings{"listen": "127.0.0.1:0", "ops_listen": "127.0.0.1:0", "log_level": "debug", "log_format": "json"}
	p := launch(t, own.With(s))
	Await(t, "the server to be ready", func() bool {
		select {
		case <-p.exited:
			t.Fatalf("the server ended at its start: %v\n%s", p.cmd.ProcessState, p.Log)
		default:
		}
		p.Public, p.ops = p.Log.find(publicAddress), p.Log.find(opsAddress)
		return p.Public != "" && p.ops != ""
	})
	return p
}

// launch starts otpost serve.
func launch(t testing.TB, s Settings) *Server {
	t.Helper()
	p := &Server{t: t, cmd: Command(t, s, "serve")}
	p.Log, p.exited = Begin(t, p.cmd)
	t.Cleanup(p.end)
	return p
}

// Begin starts a process and returns what it writes and a channel that is closed when it has ended; its ProcessState
// says how. To end it is the caller's business.
func Begin(t testing.TB, cmd *exec.Cmd) (log *LogBook, exited <-chan struct{}) {
	t.Helper()
	log = &LogBook{}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt from the keyboard is for the test
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	return log, ended
}

// end makes sure that the process is gone, and reports what the race detector found in it.
func (p *Server) end() {
	p.cmd.Process.Kill()
	<-p.exited
	if strings.Contains(p.Log.String(), "DATA RACE") {
		p.t.Errorf("the server has a data race:\n%s", p.Log)
	}
	if p.t.Failed() {
		text := p.Log.String()
		p.t.Logf("the server's log ends:\n%s", text[max(0, len(text)-4000):])
	}
}

// Kill ends the server as a power cut would: SIGKILL, nothing is finished.
func (p *Server) Kill() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		p.t.Fatal(err)
	}
	<-p.exited
}

// Term asks the server to stop.
func (p *Server) Term() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
}

// Stop asks the server to stop and wants it to end well.
func (p *Server) Stop() {
	p.t.Helper()
	p.Term()
	p.Stopped()
}

// Stopped waits for the end and wants exit code 0.
func (p *Server) Stopped() {
	p.t.Helper()
	AwaitClosed(p.t, "the server to stop", p.exited)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Fatalf("the server stopped with exit code %d, want 0:\n%s", code, p.Log)
	}
}

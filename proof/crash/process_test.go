package crash_test

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// process is an otpost that was told where to die.
type process struct {
	t     testing.TB
	order string
	cmd   *exec.Cmd
	said  *rig.LogBook
	dead  <-chan struct{}
}

// quick spares each process the second that the race detector otherwise rests at its end.
var quick = rig.Settings{"GORACE": "exitcode=66 atexit_sleep_ms=0"}

// launch starts otpost with the order to die at a point, at the nth pass.
func launch(t testing.TB, s rig.Settings, at point, pass int, args ...string) *process {
	t.Helper()
	order := fmt.Sprintf("%s:%d", at.name, pass)
	s = s.With(quick)
	p := &process{t: t, order: order, cmd: rig.Command(t, s.With(rig.Settings{"faultpoint": order}), args...)}
	p.said, p.dead = rig.Begin(t, p.cmd)
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.dead
	})
	return p
}

// serve launches a server on free ports.
func serve(t testing.TB, s rig.Settings, at point, pass int) *process {
	t.Helper()
	own := rig.Settings{"listen": "127.0.0.1:0", "ops_listen": "127.0.0.1:0", "log_level": "info"}
	return launch(t, own.With(s), at, pass, "serve")
}

var publicAddress = regexp.MustCompile(`public=([0-9.:]+) `)

// listening waits until the process can be called, and returns nil when it died before.
func (p *process) listening() (at *rig.Server) {
	p.t.Helper()
	rig.Await(p.t, "the server to listen or to die", func() bool {
		if match := publicAddress.FindStringSubmatch(p.said.String()); match != nil {
			at = &rig.Server{Public: match[1]}
		}
		return at != nil || p.isDead()
	})
	return at
}

func (p *process) isDead() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

// died waits for the death within limit and wants it where it was ordered, by the process's own hand.
func (p *process) died(limit time.Duration) {
	p.t.Helper()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-p.dead:
	case <-late.C:
		p.t.Fatalf("%s was not reached within %v:\n%s", p.order, limit, p.said)
	}
	said := p.said.String()
	name, _, _ := strings.Cut(p.order, ":")
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL || !strings.Contains(said, "faultpoint "+name+" reached\n") {
		p.t.Fatalf("ordered to die at %s, it ended with %v:\n%s", p.order, p.cmd.ProcessState, said)
	}
	if strings.Contains(said, "DATA RACE") {
		p.t.Errorf("%s: the server has a data race:\n%s", p.order, said)
	}
}

func (p *process) says(word string) bool { return strings.Contains(p.said.String(), word) }

// terminate asks the process to stop in good order.
func (p *process) terminate() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !p.isDead() {
		p.t.Error(err)
	}
}

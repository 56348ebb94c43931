// Package host starts and stops what a load needs beside itself: otpost, PostgreSQL and the trivial handler, each as a
// process of its own, and reads from /proc what they cost. It runs on Linux only.
package host

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is a running program whose output goes to a file.
type process struct {
	cmd    *exec.Cmd
	log    string
	exited chan struct{}
	// err is what Wait returned, to be read once exited is closed.
	err error
}

func start(cmd *exec.Cmd, log string) (*process, error) {
	output, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	cmd.Stderr = output
	if cmd.Stdout == nil {
		cmd.Stdout = output
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true // an interrupt from the keyboard is for the bench, which stops the others in order
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	p := &process{cmd: cmd, log: log, exited: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// stop sends a signal, and kills the process if it has not ended when patience is over.
func (p *process) stop(signal os.Signal, patience time.Duration) error {
	p.cmd.Process.Signal(signal)
	return p.await(patience)
}

// await waits for the process to end by itself, and kills it if it has not when patience is over.
func (p *process) await(patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.exited:
		if p.err != nil {
			return p.failure(p.err)
		}
		return nil
	case <-timer.C:
		p.cmd.Process.Kill()
		<-p.exited
		return p.failure(fmt.Errorf("still running %v after it was told to stop; killed", patience))
	}
}

// failure says what went wrong and quotes the end of the log.
func (p *process) failure(err error) error {
	return fmt.Errorf("%s: %w%s", p.cmd.Path, err, tail(p.log))
}

// errExited says that a process ended while it was waited for.
var errExited = errors.New("ended before it was ready")

// ready calls probe every few milliseconds until it returns nil, and fails when the process ends or time is up.
func (p *process) ready(limit time.Duration, probe func() error) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		err := probe()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.exited:
			return p.failure(errors.Join(errExited, p.err))
		case <-deadline.C:
			return p.failure(fmt.Errorf("not ready after %v: %w", limit, err))
		}
	}
}

// tail quotes the last lines of a log.
func tail(log string) string {
	text, err := os.ReadFile(log)
	if err != nil || len(text) == 0 {
		return ""
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return "\n" + string(bytes.Join(lines[max(0, len(lines)-12):], []byte("\n")))
}

// freeAddr is an address of 127.0.0.1 that nobody listened on a moment ago.
func freeAddr() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

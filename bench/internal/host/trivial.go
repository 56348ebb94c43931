package host

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// Trivial is a running trivial handler.
type Trivial struct {
	Addr    string
	process *process
	stdin   io.Closer
}

// StartTrivial runs a command that serves the trivial handler as trivial.Serve does. Its log goes to a file.
func StartTrivial(cmd *exec.Cmd, log string) (*Trivial, error) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start trivial handler: %w", err)
	}
	stdout, output := io.Pipe()
	cmd.Stdout = output
	p, err := start(cmd, log)
	if err != nil {
		return nil, fmt.Errorf("start trivial handler: %w", err)
	}
	go func() {
		<-p.exited
		output.CloseWithError(errExited)
	}()
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		stdin.Close()
		return nil, p.failure(fmt.Errorf("start trivial handler: %w", err))
	}
	go io.Copy(io.Discard, stdout)
	return &Trivial{strings.TrimSpace(addr), p, stdin}, nil
}

// Stop ends the handler and waits until it has ended.
func (t *Trivial) Stop() error {
	t.stdin.Close()
	return t.process.await(10 * time.Second)
}

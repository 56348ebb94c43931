package pgtest

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Kill ends a server as a power cut would: all of its processes at once, and none of them finishes anything. Its
// machine is still there, so connections to it are reset.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	for _, pid := range s.stop(t) {
		// A process that has ended by itself in the meantime is as dead as it should be.
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-s.exited
}

// stop halts all processes of a server and returns them. The first is halted first: it starts no others then, and does
// not mourn those that die.
func (s *Server) stop(t testing.TB) []int {
	t.Helper()
	first := s.command.Process.Pid
	if err := syscall.Kill(first, syscall.SIGSTOP); err != nil {
		t.Fatalf("halt PostgreSQL: %v", err)
	}
	pids := []int{first}
	// Each process of the server is a session of its own, so they have no group to which a signal could go.
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", first, first))
	if err != nil {
		t.Fatalf("list the processes of PostgreSQL: %v", err)
	}
	for field := range strings.FieldsSeq(string(children)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatalf("list the processes of PostgreSQL: %v", err)
		}
		if err := syscall.Kill(pid, syscall.SIGSTOP); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// Freeze halts a server with all of its processes: it is there and says nothing, as a machine that hangs does. It is
// thawed by the function returned, and by Kill for good.
func (s *Server) Freeze(t testing.TB) (thaw func()) {
	t.Helper()
	pids := s.stop(t)
	thaw = func() {
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGCONT) // who has died needs no thaw
		}
	}
	t.Cleanup(thaw) // what is frozen cannot be ended
	return thaw
}

// Suspend halts the one process of a server that has this backend_type in pg_stat_activity. With the "walsender" of a
// primary halted nothing more reaches its standby; with the "walreceiver" of a standby halted, what the primary sends
// lies ready and is not acknowledged.
func (s *Server) Suspend(t testing.TB, backend string) (resume func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var pid int
	if err := conn.QueryRow(ctx, `SELECT pid FROM pg_stat_activity WHERE backend_type = $1`, backend).Scan(&pid); err != nil {
		t.Fatalf("find the %s: %v", backend, err)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatalf("halt the %s: %v", backend, err)
	}
	resume = func() { _ = syscall.Kill(pid, syscall.SIGCONT) } // who has died needs no resuming
	t.Cleanup(resume)
	return resume
}

// ReadOnly makes a primary refuse writes from now on, as a planned change of the primary begins. Connections stay.
func (s *Server) ReadOnly(t testing.TB) {
	t.Helper()
	s.exec(t, `ALTER SYSTEM SET default_transaction_read_only = on`)
	s.exec(t, `SELECT pg_reload_conf()`)
}

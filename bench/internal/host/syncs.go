package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// ErrNoStrace says that strace is not installed.
var ErrNoStrace = errors.New("count fsyncs: no strace in PATH; install Debian's package strace")

// CountSyncs calls act and returns how often the server asked for its files to be on disk meanwhile (fsync, fdatasync).
// strace watches it, which makes it slower: what act does is not to be measured otherwise.
func (o *Otpost) CountSyncs(ctx context.Context, act func() error) (n int64, err error) {
	path, err := exec.LookPath("strace")
	if err != nil {
		return 0, ErrNoStrace
	}
	summary := filepath.Join(o.settings.Dir, fmt.Sprintf("strace-%d.txt", o.settings.Node))
	cmd := exec.CommandContext(ctx, path, "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", summary, "-p", strconv.Itoa(o.process.pid()))
	watcher, err := start(cmd, summary+".log")
	if err != nil {
		return 0, fmt.Errorf("count fsyncs: %w", err)
	}
	// strace says "Process 42 attached" once it sees what the server does.
	err = watcher.ready(startLimit, func() error {
		said, err := os.ReadFile(watcher.log)
		if err == nil && !strings.Contains(string(said), "attached") {
			err = errors.New("strace is not attached yet")
		}
		return err
	})
	if err == nil {
		err = act()
	}
	// strace detaches at SIGINT and ends by the same signal, having written its summary.
	if stopErr := watcher.stop(syscall.SIGINT, stopLimit); stopErr != nil && !endedBy(stopErr, syscall.SIGINT) {
		err = errors.Join(err, stopErr)
	}
	if err != nil {
		return 0, fmt.Errorf("count fsyncs: %w", err)
	}
	text, err := os.ReadFile(summary)
	if err != nil {
		return 0, fmt.Errorf("count fsyncs: %w", err)
	}
	return parseSyncs(string(text)), nil
}

func endedBy(err error, signal syscall.Signal) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && (status.Signaled() && status.Signal() == signal || status.ExitStatus() == 128+int(signal))
}

// parseSyncs adds up the calls of strace's summary, whose columns are the share of time, seconds, microseconds a call,
// calls, errors if there were any, and the name.
func parseSyncs(summary string) (n int64) {
	for line := range strings.Lines(summary) {
		fields := strings.Fields(line)
		if len(fields) < 5 || fields[len(fields)-1] != "fsync" && fields[len(fields)-1] != "fdatasync" {
			continue
		}
		calls, err := strconv.ParseInt(fields[3], 10, 64)
		if err == nil {
			n += calls
		}
	}
	return n
}

// Syncs is how often PostgreSQL forced its log to the disk since it started (pg_stat_wal). What a checkpoint forces
// besides is not in it.
func (p *Postgres) Syncs(ctx context.Context) (n int64, err error) {
	conn, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return 0, fmt.Errorf("count fsyncs: %w", err)
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, "SELECT wal_sync FROM pg_stat_wal").Scan(&n); err != nil {
		return 0, fmt.Errorf("count fsyncs: %w", err)
	}
	return n, nil
}

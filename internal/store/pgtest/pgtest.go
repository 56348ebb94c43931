// Package pgtest starts a real PostgreSQL server for a test, from the binaries of the machine, in a temporary folder
// and as an unprivileged user.
package pgtest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Server is a running PostgreSQL.
type Server struct {
	// URL reaches the server's database "postgres" as its superuser.
	URL     string
	command *exec.Cmd
	made    atomic.Int64
}

// Start starts a server that ends with the test. A machine without PostgreSQL fails the test: what runs on one database
// only is not proved.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "otpost-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	as, err := unprivileged(dir)
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "otpost", "-A", "trust", "-E", "UTF8",
		"--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = as, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	// Two tests can be given the same free port, so a server that finds its port taken tries another.
	for range 5 {
		if s := start(t, bin, data, as, settings); s != nil {
			return s
		}
	}
	t.Fatal("PostgreSQL did not start on any of five ports")
	return nil
}

func start(t testing.TB, bin, data string, as *syscall.SysProcAttr, settings []string) *Server {
	port := freePort(t)
	args := []string{"-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-c", "unix_socket_directories=",
		"-c", "max_connections=200", "-c", "fsync=off"}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	var log strings.Builder
	command := exec.Command(filepath.Join(bin, "postgres"), args...)
	command.SysProcAttr, command.Dir, command.Stdout, command.Stderr = as, data, &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() { command.Wait(); close(exited) }()
	s := &Server{URL: fmt.Sprintf("postgres://otpost@127.0.0.1:%d/postgres", port), command: command}
	t.Cleanup(func() {
		command.Process.Signal(syscall.SIGQUIT)
		<-exited
	})
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL)
		if err == nil {
			conn.Close(ctx)
			return s
		}
		select {
		case <-exited:
			t.Logf("PostgreSQL on port %d ended: %s", port, log.String())
			return nil
		case <-ctx.Done():
			t.Fatalf("PostgreSQL is not ready: %v", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Database makes an empty database and returns its URL.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	name := fmt.Sprintf("test_%d", s.made.Add(1))
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(s.URL, "postgres") + name
}

// binaries finds the folder of initdb and postgres: Debian keeps them out of PATH, one folder a version.
func binaries() (string, error) {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	if path, err := exec.LookPath("postgres"); err == nil {
		folders = append(folders, filepath.Dir(path))
	}
	for i := len(folders) - 1; i >= 0; i-- {
		if _, err := os.Stat(filepath.Join(folders[i], "initdb")); err == nil {
			return folders[i], nil
		}
	}
	return "", fmt.Errorf("PostgreSQL's initdb and postgres are not on this machine; on Debian: apt-get install postgresql")
}

// unprivileged gives dir to a user PostgreSQL agrees to run as: it refuses root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, fmt.Errorf("no unprivileged user to run PostgreSQL as: neither postgres nor nobody exists")
}

func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

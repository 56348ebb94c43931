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
	URL string
	// Host is the server's address as a URL names it, host:port.
	Host    string
	command *exec.Cmd
	exited  chan struct{}
	made    atomic.Int64
}

// place is where servers keep their data, and how they are run.
type place struct {
	bin, dir string
	as       *syscall.SysProcAttr
}

// Start starts a server that ends with the test. A machine without PostgreSQL fails the test: what runs on one database
// only is not proved.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	p := open(t)
	return p.start(t, p.initdb(t), settings)
}

// open makes a folder for servers, which goes with the test.
func open(t testing.TB) place {
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
	return place{bin: bin, dir: dir, as: as}
}

// initdb makes the data of a new server.
func (p place) initdb(t testing.TB) (data string) {
	t.Helper()
	data = filepath.Join(p.dir, "data")
	p.run(t, "initdb", "-D", data, "-U", "otpost", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	return data
}

// run runs one of PostgreSQL's programs to its end.
func (p place) run(t testing.TB, program string, args ...string) {
	t.Helper()
	command := exec.Command(filepath.Join(p.bin, program), args...)
	command.SysProcAttr, command.Dir = p.as, p.dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
}

// start runs a server on this data until the test ends.
func (p place) start(t testing.TB, data string, settings []string) *Server {
	t.Helper()
	// Two tests can be given the same free port, so a server that finds its port taken tries another.
	for range 5 {
		if s := p.try(t, data, settings); s != nil {
			return s
		}
	}
	t.Fatal("PostgreSQL did not start on any of five ports")
	return nil
}

func (p place) try(t testing.TB, data string, settings []string) *Server {
	t.Helper()
	port := strconv.Itoa(freePort(t))
	args := []string{"-D", data, "-h", "127.0.0.1", "-p", port, "-c", "unix_socket_directories=",
		"-c", "max_connections=200", "-c", "fsync=off"}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	var log strings.Builder
	command := exec.Command(filepath.Join(p.bin, "postgres"), args...)
	command.SysProcAttr, command.Dir, command.Stdout, command.Stderr = p.as, data, &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s := &Server{Host: "127.0.0.1:" + port, command: command, exited: make(chan struct{})}
	s.URL = "postgres://otpost@" + s.Host + "/postgres"
	go func() { command.Wait(); close(s.exited) }()
	t.Cleanup(func() {
		command.Process.Signal(syscall.SIGQUIT)
		<-s.exited
	})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.URL)
		if err == nil {
			conn.Close(ctx)
			return s
		}
		select {
		case <-s.exited:
			t.Logf("PostgreSQL on port %s ended: %s", port, log.String())
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
		// What is on the path may be a link to one program of a folder that has them all.
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
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

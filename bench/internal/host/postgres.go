package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// ErrNoPostgres says that no PostgreSQL server is installed.
var ErrNoPostgres = errors.New("find PostgreSQL: no initdb and postgres in /usr/lib/postgresql/*/bin, /usr/local/bin " +
	"or PATH; install Debian's package postgresql")

// Postgres is a running PostgreSQL server of the bench's own, with the durability it has by default.
type Postgres struct {
	dir     string
	addr    string
	process *process
}

// StartPostgres makes a new cluster in a temporary folder under dir and starts it on a free port of 127.0.0.1. The
// server refuses to run as root, so for root it runs as the user postgres, or nobody.
func StartPostgres(ctx context.Context, dir string) (*Postgres, error) {
	bin, err := postgresBinaries()
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp(dir, "otpost-bench-postgres-")
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	p := &Postgres{dir: home}
	if err := p.start(ctx, bin, as); err != nil {
		return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), os.RemoveAll(home))
	}
	return p, nil
}

func (p *Postgres) start(ctx context.Context, bin string, as *syscall.SysProcAttr) error {
	if as != nil {
		if err := os.Chown(p.dir, int(as.Credential.Uid), int(as.Credential.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(p.dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust",
		"-E", "UTF8", "--locale=C", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = p.dir, as
	if output, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, output)
	}
	// Between the choice of a port and its use another program can take it.
	var err error
	for range portTries {
		if err = p.listen(ctx, bin, as); !portTaken(err) {
			break
		}
	}
	return err
}

// portTries is how many ports are tried.
const portTries = 5

// listen runs the server on a port that is free now.
func (p *Postgres) listen(ctx context.Context, bin string, as *syscall.SysProcAttr) (err error) {
	if p.addr, err = freeAddr(); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", filepath.Join(p.dir, "data"), "-k", p.dir, "-h", "127.0.0.1", "-p", port)
	cmd.Dir, cmd.SysProcAttr = p.dir, as
	if p.process, err = start(cmd, filepath.Join(p.dir, "postgres.log")); err != nil {
		return err
	}
	err = p.process.ready(startLimit, func() error { return p.execute(ctx, "SELECT 1") })
	if err != nil {
		p.process.cmd.Process.Kill()
		<-p.process.exited
	}
	return err
}

// portTaken says that the server ended since another program has its port.
func portTaken(err error) bool {
	return err != nil && strings.Contains(err.Error(), "Address already in use")
}

// execute runs one statement on a connection of its own.
func (p *Postgres) execute(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}

func (p *Postgres) url(database string) string {
	return "postgres://postgres@" + p.addr + "/" + database + "?sslmode=disable"
}

// Create makes an empty database and returns its URL.
func (p *Postgres) Create(ctx context.Context, name string) (string, error) {
	if err := p.execute(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	return p.url(name), nil
}

// Usage is what the server's processes have used since they started.
func (p *Postgres) Usage() (Usage, error) { return usageOfFamily(p.process.pid()) }

// Stop ends the server (a fast shutdown, SIGINT) and removes the cluster.
func (p *Postgres) Stop() error {
	return errors.Join(p.process.stop(syscall.SIGINT, stopLimit), os.RemoveAll(p.dir))
}

// postgresBinaries is the folder of initdb and postgres: Debian's newest, else one on the usual paths.
func postgresBinaries() (string, error) {
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	version := func(folder string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder))) // a folder that is no version comes last
		return n
	}
	slices.SortFunc(folders, func(a, b string) int { return version(b) - version(a) })
	folders = append(folders, "/usr/local/bin")
	if path, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(path))
	}
	for _, folder := range folders {
		_, initdbErr := os.Stat(filepath.Join(folder, "initdb"))
		_, postgresErr := os.Stat(filepath.Join(folder, "postgres"))
		if initdbErr == nil && postgresErr == nil {
			return folder, nil
		}
	}
	return "", ErrNoPostgres
}

// unprivileged is how to start a process that root may not be; nil for anybody else.
func unprivileged() (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("start PostgreSQL: user %s: %w", name, err)
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, errors.New("start PostgreSQL: it does not run as root, and there is no user postgres or nobody")
}

package rig

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/otpost/otpost/internal/store/pgtest"
)

// NewAuditedPostgres is a database on a PostgreSQL of its own, which logs each statement with its arguments, and keeps
// what was written to its log of changes and what was deleted.
func NewAuditedPostgres(t testing.TB) *Database {
	t.Helper()
	server := pgtest.Start(t, "logging_collector=on", "log_filename=audit.log", "log_statement=all",
		"log_parameter_max_length=-1", "log_parameter_max_length_on_error=-1", "wal_keep_size=1GB", "autovacuum=off")
	db := &Database{folder: t.TempDir(), url: server.Database(t)}
	db.open(t, "pgx", db.url)
	return db
}

// Files calls look with each file in which the database keeps anything: SQLite's, or PostgreSQL's folder with its log of
// changes (pg_wal) and its log of statements. The key ring is not among them.
func (db *Database) Files(t testing.TB, look func(path string, text []byte)) {
	t.Helper()
	read := func(path string) {
		text, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) { // PostgreSQL removes files while it runs
			t.Fatal(err)
		}
		look(path, text)
	}
	if db.Kind() == "sqlite" {
		files, err := filepath.Glob(db.File() + "*")
		if err != nil || len(files) == 0 {
			t.Fatalf("no files of the database: %v", err)
		}
		for _, path := range files {
			read(path)
		}
		return
	}
	folder := db.Texts(t, `SHOW data_directory`)[0]
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			read(path)
		}
		if os.IsNotExist(err) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Pid is the id of the server's process.
func (p *Server) Pid() int { return p.cmd.Process.Pid }

// Abort ends the server by SIGQUIT: Go's runtime prints the stacks of all goroutines to the log and exits.
func (p *Server) Abort() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		p.t.Fatal(err)
	}
	AwaitClosed(p.t, "the server to abort", p.exited)
}

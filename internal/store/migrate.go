package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"syscall"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/otpost/otpost/internal/faultpoint"
)

// migrations are numbered, forward only, and never edited once released. Each must work with the previous release's
// program, so that nodes can roll.
//
//go:embed migrations/*.sql
var migrations embed.FS

func (db *sqliteDB) migrate(ctx context.Context) (int, error) {
	if have, want, err := db.version(ctx); err == nil && have == want {
		return 0, nil // nothing to take turns for
	}
	// SQLite has no lock that outlives a transaction, so the processes take turns at a file.
	file, err := os.OpenFile(db.path+".migrate", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return 0, fmt.Errorf("migrate: lock: %w", err)
	}
	pool, err := sql.Open("sqlite", sqliteURI(db.path))
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	defer pool.Close()
	return up(ctx, goose.DialectSQLite3, pool)
}

func (db *sqliteDB) version(ctx context.Context) (have, want int64, err error) {
	const made = `SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'`
	err = db.read(ctx, func(t *tx) error { have, err = schemaVersion(t, made); return err })
	return have, newest(), err
}

func (db *postgresDB) migrate(ctx context.Context) (int, error) {
	// The pool has taken out of the address what only it understands, such as pool_max_conns.
	pool := stdlib.OpenDB(*db.pool.Config().ConnConfig)
	defer pool.Close()
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	return up(ctx, goose.DialectPostgres, pool, goose.WithSessionLocker(locker))
}

func (db *postgresDB) version(ctx context.Context) (have, want int64, err error) {
	const made = `SELECT COUNT(to_regclass('goose_db_version'))`
	err = db.read(ctx, func(t *tx) error { have, err = schemaVersion(t, made); return err })
	return have, newest(), err
}

func up(ctx context.Context, dialect goose.Dialect, pool *sql.DB, options ...goose.ProviderOption) (int, error) {
	steps, err := steps(dialect)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	options = append(options, goose.WithGoMigrations(steps...), goose.WithDisableGlobalRegistry(true))
	provider, err := goose.NewProvider(dialect, pool, nil, options...)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	faultpoint.Here("migrate.after_version")
	return len(results), nil
}

// sqliteOnly is what a migration says to SQLite alone; PostgreSQL reads it as a comment.
var sqliteOnly = regexp.MustCompile(`/\*sqlite (.*?)\*/`)

// steps are the embedded files, each one transaction.
func steps(dialect goose.Dialect) (steps []*goose.Migration, err error) {
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		raw, err := migrations.ReadFile(name)
		if err != nil {
			return nil, err
		}
		number, err := goose.NumericComponent(name)
		if err != nil {
			return nil, err
		}
		text := string(raw)
		if dialect == goose.DialectSQLite3 {
			text = sqliteOnly.ReplaceAllString(text, "$1")
		}
		steps = append(steps, goose.NewGoMigration(number, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
			faultpoint.Here("migrate.before_step")
			_, err := tx.ExecContext(ctx, text)
			faultpoint.Here("migrate.before_version")
			return err
		}}, nil))
	}
	return steps, nil
}

// schemaVersion reads goose's table, which is missing before the first migration: made counts it.
func schemaVersion(t *tx, made string) (version int64, err error) {
	var tables int64
	if _, err := t.one(made, nil, &tables); err != nil || tables == 0 {
		return 0, err
	}
	_, err = t.one(`SELECT MAX(version_id) FROM goose_db_version WHERE is_applied`, nil, &version)
	return version, err
}

// newest is the highest number among the embedded migrations.
func newest() (version int64) {
	entries, _ := fs.ReadDir(migrations, "migrations")
	for _, entry := range entries {
		if n, err := goose.NumericComponent(entry.Name()); err == nil {
			version = max(version, n)
		}
	}
	return version
}

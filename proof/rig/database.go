package rig

import (
	"database/sql"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/otpost/otpost/internal/store/pgtest"
)

// Database is an empty database and the folder of what belongs to it.
type Database struct {
	// url is the value of OTPOST_DATABASE.
	url    string
	folder string
	SQL    *sql.DB
}

// OnBoth runs a test on SQLite and on PostgreSQL, side by side with others.
func OnBoth(t *testing.T, test func(*testing.T, *Database)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, NewSQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, NewPostgres(t))
	})
}

func NewSQLite(t testing.TB) *Database {
	t.Helper()
	db := &Database{folder: t.TempDir()}
	db.url = "sqlite:" + db.File()
	db.open(t, "sqlite", "file:"+db.File()+"?_pragma=busy_timeout(10000)")
	return db
}

// File is the path of a SQLite database.
func (db *Database) File() string { return filepath.Join(db.folder, "otpost.db") }

// postgres is one PostgreSQL for all tests; each makes a database of its own.
var postgres = sync.OnceValue(func() *pgtest.Server { return pgtest.Start(&life) })

func NewPostgres(t testing.TB) *Database {
	t.Helper()
	return PostgresAt(t, postgres().Database(t)+"?connect_timeout=60") // a busy machine may be slower than the default allows
}

// PostgresAt is the PostgreSQL database at an address.
func PostgresAt(t testing.TB, url string) *Database {
	t.Helper()
	db := &Database{folder: t.TempDir(), url: url}
	db.open(t, "pgx", db.url)
	return db
}

func (db *Database) open(t testing.TB, driver, source string) {
	t.Helper()
	handle, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { handle.Close() })
	db.SQL = handle
}

// Settings name the database and its key ring to a server.
func (db *Database) Settings() Settings {
	return Settings{"database": db.url, "keys": filepath.Join(db.folder, "otpost.keys")}
}

// Number reads one number.
func (db *Database) Number(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.SQL.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// Texts reads one column.
func (db *Database) Texts(t testing.TB, query string, args ...any) (texts []string) {
	t.Helper()
	rows, err := db.SQL.Query(query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		texts = append(texts, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return texts
}

// tables are the tables whose rows a request can change.
func tables() []string {
	return []string{"applications", "keys", "challenges", "deliveries", "attempts", "limits", "idempotency", "inbox", "authenticators"}
}

// Counts are the rows of each table.
func (db *Database) Counts(t testing.TB) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, table := range tables() {
		counts[table] = db.Number(t, "SELECT COUNT(*) FROM "+table)
	}
	return counts
}

// Kind is "sqlite" or "postgres".
func (db *Database) Kind() string {
	kind, _, _ := strings.Cut(db.url, ":")
	return kind
}

package e2e_test

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

// database is an empty database and the folder of what belongs to it.
type database struct {
	// url is the value of OTPOST_DATABASE.
	url    string
	folder string
	sql    *sql.DB
}

// onBoth runs a test on SQLite and on PostgreSQL, side by side with others.
func onBoth(t *testing.T, test func(*testing.T, *database)) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, newSQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newPostgres(t))
	})
}

func newSQLite(t testing.TB) *database {
	t.Helper()
	db := &database{folder: t.TempDir()}
	db.url = "sqlite:" + db.file()
	db.open(t, "sqlite", "file:"+db.file()+"?_pragma=busy_timeout(10000)")
	return db
}

// file is the path of a SQLite database.
func (db *database) file() string { return filepath.Join(db.folder, "otpost.db") }

// postgres is one PostgreSQL for all tests; each makes a database of its own.
var postgres = sync.OnceValue(func() *pgtest.Server { return pgtest.Start(&life) })

func newPostgres(t testing.TB) *database {
	t.Helper()
	db := &database{folder: t.TempDir(), url: postgres().Database(t)}
	db.open(t, "pgx", db.url)
	return db
}

func (db *database) open(t testing.TB, driver, source string) {
	t.Helper()
	handle, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { handle.Close() })
	db.sql = handle
}

// settings name the database and its key ring to a server.
func (db *database) settings() settings {
	return settings{"database": db.url, "keys": filepath.Join(db.folder, "otpost.keys")}
}

// number reads one number.
func (db *database) number(t testing.TB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.sql.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// texts reads one column.
func (db *database) texts(t testing.TB, query string, args ...any) (texts []string) {
	t.Helper()
	rows, err := db.sql.Query(query, args...)
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
	return []string{"applications", "keys", "challenges", "deliveries", "attempts", "limits", "idempotency", "inbox"}
}

// counts are the rows of each table.
func (db *database) counts(t testing.TB) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, table := range tables() {
		counts[table] = db.number(t, "SELECT COUNT(*) FROM "+table)
	}
	return counts
}

// kind is "sqlite" or "postgres".
func (db *database) kind() string {
	kind, _, _ := strings.Cut(db.url, ":")
	return kind
}

package crash_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// TestAMigrationCanBeRunAgain kills a migration of an empty database at each of its steps, and wants the next one to
// end where one that was never disturbed does.
func TestAMigrationCanBeRunAgain(t *testing.T) {
	rig.OnBoth(t, func(t *testing.T, undisturbed *rig.Database) {
		steps := migrate(t, undisturbed.Settings())
		want := schema(t, undisturbed)
		if len(want) < 20 {
			t.Fatalf("the schema is only %q", want)
		}
		kills := 0
		for _, at := range pointsOf(undisturbed.Kind(), migrating) {
			last := steps
			if at.name == "migrate.after_version" { // of all steps together
				last = 1
			}
			for pass := 1; pass <= last; pass++ {
				db := rig.NewSQLite(t)
				if undisturbed.Kind() == "postgres" {
					db = rig.NewPostgres(t)
				}
				launch(t, db.Settings(), at, pass, "migrate").died(rig.Patience)
				gone(t, db)
				kills++
				migrate(t, db.Settings())
				if got := schema(t, db); !slices.Equal(got, want) {
					t.Errorf("after %s, pass %d, the schema is\n%s\nwant\n%s", at.name, pass, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
		}
		rig.Figure(t, "crash.migrations."+undisturbed.Kind(), kills, "migrations killed on the way and run again, to the same schema, on "+undisturbed.Kind())
	})
}

// migrate runs a migration and returns the version it reached.
func migrate(t *testing.T, s rig.Settings) int {
	t.Helper()
	stdout, stderr, code := rig.Run(t, s.With(quick), "migrate", "--output", "json")
	var done struct{ From, To int }
	if err := json.Unmarshal([]byte(stdout), &done); code != 0 || err != nil || done.To < 1 {
		t.Fatalf("migrate: exit %d, %v\n%s%s", code, err, stdout, stderr)
	}
	return done.To
}

// schema is everything that a migration makes, in words that can be compared.
func schema(t *testing.T, db *rig.Database) (parts []string) {
	t.Helper()
	queries := []string{
		`SELECT type || ' ' || name || ' ' || COALESCE(sql, '') FROM sqlite_master`,
	}
	if db.Kind() == "postgres" {
		queries = []string{
			`SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns WHERE table_schema = 'public'`,
			`SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'`,
			`SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace`,
		}
	}
	queries = append(queries, `SELECT 'version ' || version_id FROM goose_db_version`)
	for _, query := range queries {
		parts = append(parts, db.Texts(t, query)...)
	}
	slices.Sort(parts)
	return parts
}

// gone waits until the database has done with a dead process.
func gone(t *testing.T, db *rig.Database) {
	t.Helper()
	if db.Kind() != "postgres" {
		return
	}
	// The test's own connections have no name; nor has the one of a migration, which holds its lock.
	const backends = `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'otpost'`
	const locks = `SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
	rig.Await(t, "PostgreSQL to notice the death", func() bool { return db.Number(t, backends) == 0 && db.Number(t, locks) == 0 })
}

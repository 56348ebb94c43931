package growth_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/store"
	"github.com/otpost/otpost/proof/rig"
)

// large are the tables that grow with the passcodes.
var large = []string{"challenges", "challenge_notes", "deliveries", "attempts", "receipts", "suppressions", "limits", "idempotency", "inbox", "authenticators"}

// filling is how many rows of each kind lie in a database whose plans are looked at.
const filling = 2000

// TestNoStatementReadsAWholeTable drives every verb of the program over a filled database. PostgreSQL counts the rows
// that it read without an index; SQLite explains each statement that PostgreSQL was sent.
func TestNoStatementReadsAWholeTable(t *testing.T) {
	t.Parallel()
	s := newScene(t, rig.NewPostgres(t))
	like := takeSample(t, s.db, s.own, s.mail)
	fill(t, s.db, like, func(f *filler) {
		f.passcodes(filling, "pending", "live.test", f.now)
		f.backlog(filling, f.now, f.now.Add(time.Hour), f.now.Add(2*time.Hour))
		f.analyse()
	})
	s.forget()
	s.start()
	for i := range 10 {
		s.verbs(i)
	}
	s.stop()
	s.sweep()
	for _, table := range large {
		if n := s.readWithoutIndex(table); n >= filling {
			t.Errorf("PostgreSQL read %d rows of %s without an index, and it has %d", n, table, filling)
		}
	}
	s.explainOnSQLite()
}

// TestPlansOfAnEmptyDatabaseDoNotLast makes the program's plans while its tables are empty, as a sweeper leaves them
// after a quiet day, and fills the tables before PostgreSQL has looked at them again.
func TestPlansOfAnEmptyDatabaseDoNotLast(t *testing.T) {
	t.Parallel()
	s := newScene(t, rig.NewPostgres(t))
	like := takeSample(t, s.db, s.own, s.mail)
	for _, statement := range []string{"DELETE FROM challenges", "DELETE FROM deliveries", "DELETE FROM attempts",
		"DELETE FROM limits", "VACUUM ANALYZE"} {
		if _, err := s.db.SQL.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	s.start()
	for i := range 10 {
		s.verbs(i) // a plan is kept from the sixth time on
	}
	fill(t, s.db, like.newest(t, s.db), func(f *filler) { f.passcodes(filling, "pending", "live.test", f.now) })
	s.forget()
	for i := 10; i < 20; i++ {
		s.verbs(i)
	}
	s.stop()
	for _, table := range large {
		if n := s.readWithoutIndex(table); n >= filling {
			t.Errorf("PostgreSQL read %d rows of %s without an index, and it has %d", n, table, filling)
		}
	}
}

// scene is the program over PostgreSQL, with everything that makes it use all its statements.
type scene struct {
	t      *testing.T
	db     *rig.Database
	mail   *rig.Sink
	issuer *rig.Issuer
	heard  *listener
	// own are settings that lead to PostgreSQL, through those that lead there by way of the listener.
	own, through rig.Settings
	server       *rig.Server
	client       *rig.Client
	key          string
}

func newScene(t *testing.T, db *rig.Database) *scene {
	t.Helper()
	s := &scene{t: t, db: db, mail: rig.StartSink(t, ""), issuer: rig.NewIssuer(t)}
	s.mail.Answer(-1)
	s.own = db.Settings().With(s.mail.Settings(), s.issuer.Settings(), rig.Settings{"resend_interval": "0s", "entra_budget": "10s"})
	s.heard, s.through = listenTo(t, s.own)
	s.key = rig.CreateKey(t, s.own, "Shop")
	return s
}

func (s *scene) start() {
	s.server = rig.Start(s.t, s.through)
	s.client = rig.NewClient(s.t, s.server, s.key)
}

func (s *scene) stop() { s.server.Stop() }

// verbs asks for everything that can be asked for, for people that nobody has asked for yet.
func (s *scene) verbs(n int) {
	s.t.Helper()
	to := rig.Address(4 * n)
	made := s.client.Issue(to, "")
	first := s.mail.To(s.t, to, 1)[0].Code
	s.client.Verify(made.ID, rig.Other(first, 0))
	rig.Call[rig.Passcode](s.client, "POST", "/v1/passcodes/"+made.ID+"/resend", "{}", 200)
	rig.Call[rig.Passcode](s.client, "GET", "/v1/passcodes/"+made.ID, "", 200)
	rig.Call[struct{}](s.client, "POST", "/v1/passcodes/verify", fmt.Sprintf(`{"to":%q,"code":%q}`, to, first), 200)
	cancelled := s.client.Issue(rig.Address(4*n+1), "")
	if got, err := s.client.Send("DELETE", "/v1/passcodes/"+cancelled.ID, ""); err != nil || got.Status >= 300 {
		s.t.Fatalf("cancel: %v %v", got, err)
	}
	s.client.Issue(rig.Address(4*n+1), "") // in the place of the cancelled one
	s.authenticators(rig.Address(4 * n))
	event := rig.Event(rig.Address(4*n+2), "482913", "en-us")
	for range 2 {
		if got, err := s.server.Post(event, s.issuer.Token(extension.Grant{})); err != nil || got.Status != 200 {
			s.t.Fatalf("event: %v %v", got, err)
		}
	}
}

// authenticators does with a device all that can be done without its app.
func (s *scene) authenticators(user string) {
	s.t.Helper()
	path := "/v1/users/" + user + "/authenticators"
	made := rig.Call[struct{ ID string }](s.client, "POST", path, `{"issuer":"Shop","label":"lea"}`, 201)
	rig.Call[struct{}](s.client, "GET", path, "", 200)
	rig.Call[struct{}](s.client, "POST", path+"/"+made.ID+"/confirm", `{"code":"none"}`, 200)
	if got, err := s.client.Send("DELETE", path+"/"+made.ID, ""); err != nil || got.Status != 200 {
		s.t.Fatalf("revoke: %v %v", got, err)
	}
}

// sweep does what the program's sweeper does, through the listener.
func (s *scene) sweep() {
	s.t.Helper()
	db, err := store.Open(s.t.Context(), s.through["database"], nil, store.Options{SuppressBounced: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	s.report(db)
	for range 10 {
		if _, err := db.Sweep(s.t.Context(), time.Now(), time.Hour); err != nil {
			s.t.Fatal(err)
		}
	}
}

// report has a provider tell what became of messages: by our id, by its own, and of messages that nobody knows.
func (s *scene) report(db *store.DB) {
	s.t.Helper()
	rows, err := s.db.SQL.Query(`SELECT delivery, provider, ref FROM attempts WHERE ref <> '' LIMIT 20`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	now := time.Now()
	n := 0
	for rows.Next() {
		var id, provider, ref string
		if err := rows.Scan(&id, &provider, &ref); err != nil {
			s.t.Fatal(err)
		}
		n++
		receipts := []outbox.Receipt{{Event: "by id " + id, Delivery: id, Report: outbox.ReportDelivered},
			{Event: "by ref " + id, Ref: ref, Report: outbox.ReportBounced, Class: outbox.InvalidRecipient},
			{Event: "unknown " + id, Ref: "unknown " + id, Report: outbox.ReportDelivered}}
		if _, err := db.Receive(s.t.Context(), provider, receipts, now); err != nil {
			s.t.Fatal(err)
		}
		if _, err := db.Suppressions(s.t.Context(), "default", outbox.Email, "", 10, now); err != nil {
			s.t.Fatal(err)
		}
		if _, _, err := db.Suppression(s.t.Context(), "default", outbox.Email, "lea@example.org", now); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil || n < 10 {
		s.t.Fatalf("reported on %d messages, %v", n, err)
	}
}

// forget sets PostgreSQL's counts to 0.
func (s *scene) forget() {
	s.t.Helper()
	if _, err := s.db.SQL.Exec(`SELECT pg_stat_reset()`); err != nil {
		s.t.Fatal(err)
	}
}

// readWithoutIndex is PostgreSQL's count, which is whole once the connections that counted are closed.
func (s *scene) readWithoutIndex(table string) int {
	s.t.Helper()
	rig.Await(s.t, "the program's connections to be closed", func() bool {
		return s.db.Number(s.t, `SELECT COUNT(*) FROM pg_stat_activity WHERE application_name = 'otpost' AND datname = current_database()`) == 0
	})
	return s.db.Number(s.t, `SELECT seq_tup_read FROM pg_stat_user_tables WHERE relname = $1`, table)
}

var (
	locking     = regexp.MustCompile(`(?i)\s+FOR UPDATE( SKIP LOCKED)?\s*$`)
	spaces      = regexp.MustCompile(`\s+`)
	placeholder = regexp.MustCompile(`\$(\d+)`)
)

// explainOnSQLite looks at SQLite's plan for each statement on a large table that was heard.
func (s *scene) explainOnSQLite() {
	s.t.Helper()
	db := rig.NewSQLite(s.t)
	if _, stderr, code := rig.Run(s.t, db.Settings(), "migrate"); code != 0 {
		s.t.Fatal(stderr)
	}
	explained := 0
	for _, statement := range s.heard.heard() {
		text := spaces.ReplaceAllString(locking.ReplaceAllString(statement, ""), " ")
		if !slices.ContainsFunc(large, func(table string) bool { return strings.Contains(text, table) }) ||
			strings.Contains(text, "pg_") || strings.HasPrefix(text, "WITH ") { // SQLite has simpler ones in the place of these
			continue
		}
		explained++
		if scan := wholeTable(plan(s.t, db, text)); scan != "" {
			s.t.Errorf("SQLite reads a whole table: %s\n%s", scan, text)
		}
	}
	rig.Figure(s.t, "growth.plans", explained, "statements on tables that grow which use an index on both databases")
	if explained < 20 {
		s.t.Errorf("only %d statements were heard", explained)
	}
}

// plan is SQLite's plan for a statement, one step a line.
func plan(t *testing.T, db *rig.Database, statement string) (steps []string) {
	t.Helper()
	var args []any
	for range placeholder.FindAllString(statement, -1) {
		args = append(args, nil)
	}
	rows, err := db.SQL.Query("EXPLAIN QUERY PLAN "+statement, args...)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}

// waiting are the indexes that hold only what waits, and are read from their beginning.
var waiting = regexp.MustCompile(`INDEX (deliveries_due|deliveries_events)$`)

// wholeTable is the first step that reads a whole table, "" if none does.
func wholeTable(steps []string) string {
	for _, step := range steps {
		for _, table := range large {
			if strings.HasPrefix(step, "SCAN "+table) && !waiting.MatchString(step) {
				return step
			}
		}
	}
	return ""
}

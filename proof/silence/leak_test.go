package silence_test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
	"github.com/otpost/otpost/proof/rig"
)

// MTN, HackerOne 777957, and others whose answers, logs or tables held live codes.
func TestAdvisory_HackerOne_777957_NoCodeIsLeftBehind(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); leaveNothing(t, rig.NewSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); leaveNothing(t, rig.NewAuditedPostgres(t)) })
}

// leak is a run of everything that handles a code.
type leak struct {
	*ledger
	t    *testing.T
	db   *rig.Database
	set  rig.Settings
	key  string
	sink *rig.Sink
	who  *rig.Issuer

	p *rig.Server
	c *rig.Client
	// policyClient keeps what a policy answers, but for the code that it hands over; unheard keeps nothing.
	policyClient, unheard *rig.Client
}

func leaveNothing(t *testing.T, db *rig.Database) {
	l := &leak{ledger: newLedger(), t: t, db: db, sink: rig.StartSink(t, ""), who: rig.NewIssuer(t)}
	l.sink.Answer(-1)
	l.sink.RefuseWith(refuseRecipient)
	l.sink.RejectWith(l.repeat())
	l.set = db.Settings().With(l.sink.Settings(), startHook(t, l.ledger).settings(), l.who.Settings(), rig.LongCodes, rig.Policies(t),
		rig.Settings{"lease": "2s", "attempt_timeout": "1500ms", "pprof": "true", "limit_application": "off",
			"limit_address": "off", "limit_network": "off"})
	l.key = rig.CreateKey(t, l.set, "Shop")

	l.start(rig.Settings{"log_format": "json"})
	l.everything("json")
	l.policies("json")
	l.commands()
	l.outputs()
	l.killed()

	l.start(rig.Settings{"log_format": "text", "fresh_code_on_resend": "true"})
	l.everything("text")
	l.policies("text")
	l.aborted()

	l.start(rig.Settings{"log_format": "text"})
	l.stopped()
	l.staged()
	l.swept()

	l.plausible()
	l.search(t, db)
	l.plants()
}

// start starts the server on the same database.
func (l *leak) start(more rig.Settings) {
	l.t.Helper()
	l.p = rig.Start(l.t, l.set.With(more))
	l.c = rig.NewClient(l.t, l.p, l.key)
	l.c.HTTP.Transport = &recorder{l.ledger, "answers of the API", l.c.HTTP.Transport, nil}
	l.unheard, l.policyClient = rig.NewClient(l.t, l.p, l.key), rig.NewClient(l.t, l.p, l.key)
	l.policyClient.HTTP.Transport = &recorder{l.ledger, "answers of policies", l.policyClient.HTTP.Transport, withoutCode}
}

// ended keeps what a server that has ended leaves.
func (l *leak) ended() {
	l.t.Helper()
	l.keep("the log", l.p.Log.Bytes())
	l.database(l.t, l.db)
}

// inFlight issues passcodes to a mail server that does not answer.
func (l *leak) inFlight(run string) {
	l.t.Helper()
	l.sink.Hold()
	n := rig.Size(3, 2*rig.Workers)
	for i := range n {
		l.c.Issue(fmt.Sprintf("person.%s%d@example.test", run, i), "")
	}
	rig.Await(l.t, "messages on their way", func() bool { return l.sink.Waiting() >= min(n, rig.Workers) })
}

// killed ends the server as a power cut would, while messages are on their way.
func (l *leak) killed() {
	l.t.Helper()
	l.inFlight("killed")
	l.p.Kill()
	l.ended()
	l.sink.Answer(-1)
}

// aborted makes the server print all its stacks, while messages are on their way.
func (l *leak) aborted() {
	l.t.Helper()
	l.inFlight("aborted")
	l.p.Abort()
	if n := strings.Count(l.p.Log.String(), "goroutine "); n < 10 || !strings.Contains(l.p.Log.String(), "SIGQUIT") {
		l.t.Errorf("the server printed %d stacks: it did not crash", n)
	}
	l.ended()
	l.sink.Answer(-1)
}

// stopped ends the server in good order, once the messages of the two that were cut off have arrived.
func (l *leak) stopped() {
	l.t.Helper()
	rig.Await(l.t, "the messages of the dead", func() bool {
		return l.db.Number(l.t, `SELECT COUNT(*) FROM deliveries WHERE ended_at = 0 AND recipient LIKE 'person.%'`) == 0
	})
	l.inFlight("stopped")
	l.p.Term()
	l.sink.Answer(-1)
	l.p.Stopped()
	l.ended()
}

// swept forgets everything, as if two days had gone by.
func (l *leak) swept() {
	l.t.Helper()
	ring, _, err := seal.Open(l.set["keys"])
	if err != nil {
		l.t.Fatal(err)
	}
	db, err := store.Open(l.t.Context(), l.set["database"], ring, store.Options{})
	if err != nil {
		l.t.Fatal(err)
	}
	defer db.Close()
	n, err := db.Sweep(context.Background(), time.Now().Add(49*time.Hour), time.Hour)
	if err != nil || n < len(l.codes)/2 {
		l.t.Errorf("swept %d rows of %d codes: %v", n, len(l.codes), err)
	}
	l.database(l.t, l.db)
}

// plausible wants the codes to be what the search can find, and the places to be those that were meant.
func (l *leak) plausible() {
	l.t.Helper()
	form := regexp.MustCompile(`^[0-9A-Za-z]{12,16}$`)
	for code := range l.codes {
		if !form.MatchString(code) {
			l.t.Errorf("the code %q is none", code)
		}
	}
	if want := rig.Size(60, 600); len(l.codes) < want {
		l.t.Errorf("only %d codes, want %d: the flows did not run", len(l.codes), want)
	}
	if l.db.Kind() == "sqlite" {
		return
	}
	// PostgreSQL logs arguments, and what it writes is in its log of changes.
	seen := map[string]bool{}
	l.db.Files(l.t, func(path string, text []byte) {
		for _, part := range []string{"/pg_wal/", "/audit.log"} {
			if strings.Contains(path, part) && strings.Contains(string(text), "person.stopped0@example.test") {
				seen[part] = true
			}
		}
	})
	if len(seen) != 2 {
		l.t.Errorf("a recipient is found in %v only, want pg_wal and the log of statements", seen)
	}
}

// plants puts a code where the program did not, and looks again.
func (l *leak) plants() {
	l.t.Helper()
	var code string
	for code = range l.codes {
		break
	}
	search := rig.NewSearch([]string{code})
	if _, err := l.db.SQL.Exec(`UPDATE applications SET name = $1`, code); err != nil {
		l.t.Fatal(err)
	}
	found := map[string]bool{}
	l.db.Files(l.t, func(path string, text []byte) {
		if search.In(text) != nil {
			found[path] = true
		}
	})
	if want := map[string]int{"sqlite": 1, "postgres": 2}[l.db.Kind()]; len(found) < want {
		l.t.Errorf("a code in a row is found in the files %v only", found)
	}
}

// outputs keeps what the server shows besides its answers.
func (l *leak) outputs() {
	l.t.Helper()
	paths := []string{"/metrics", "/healthz", "/readyz", "/debug/pprof/", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1",
		"/debug/pprof/allocs?debug=1", "/debug/pprof/threadcreate?debug=1", "/debug/pprof/trace?seconds=0.1"}
	for _, path := range paths {
		l.answer("the operations listener, "+path, l.p.Shown(l.t, path))
	}
	for _, name := range []string{"environ", "cmdline"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", l.p.Pid(), name))
		if err != nil {
			l.t.Fatal(err)
		}
		l.keep("/proc/PID/"+name, text)
	}
	l.database(l.t, l.db)
}

// token is Entra's.
func (l *leak) token() string { return l.who.Token(extension.Grant{}) }

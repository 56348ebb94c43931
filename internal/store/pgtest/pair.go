package pgtest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Pair is a primary and a standby that follows it synchronously: what the primary has answered is on the disks of both.
type Pair struct {
	Primary, Standby *Server
}

// patience is how long a step of a server may take.
const patience = 60 * time.Second

// StartPair starts a primary that writes through to its disk, copies it, and starts the copy as a streaming standby.
// Once that streams, no commit is answered before the standby has it on its disk. Both end with the test.
func StartPair(t testing.TB) *Pair {
	t.Helper()
	p := open(t)
	durable := []string{"fsync=on", "synchronous_commit=on"}
	pair := &Pair{Primary: p.start(t, p.initdb(t), durable)}
	host, port, _ := strings.Cut(pair.Primary.Host, ":")
	source := "host=" + host + " port=" + port + " user=otpost application_name=standby"
	copied := p.dir + "/standby"
	p.run(t, "pg_basebackup", "-d", source, "-D", copied, "-X", "stream", "-R", "--checkpoint=fast", "--no-sync")
	pair.Standby = p.start(t, copied, durable)
	pair.Primary.Await(t, "the standby to stream", `SELECT EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming')`)
	// The setting is written after the copy was made, so a promoted standby waits for nobody.
	pair.Primary.exec(t, `ALTER SYSTEM SET synchronous_standby_names = 'standby'`)
	pair.Primary.exec(t, `SELECT pg_reload_conf()`)
	pair.Primary.Await(t, "the standby to be synchronous", `SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')`)
	return pair
}

// Database makes an empty database and returns its URL, which names both servers and means the one that can be written.
func (p *Pair) Database(t testing.TB) string {
	t.Helper()
	url := strings.Replace(p.Primary.Database(t), p.Primary.Host, p.Primary.Host+","+p.Standby.Host, 1)
	return url + "?target_session_attrs=read-write"
}

// Promote makes a standby a primary and returns when it can be written.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	s.exec(t, `SELECT pg_promote(false)`)
	s.Await(t, "the standby to be a primary", `SELECT NOT pg_is_in_recovery()`)
}

// exec runs one statement as superuser.
func (s *Server) exec(t testing.TB, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL)
	if err == nil {
		_, err = conn.Exec(ctx, sql)
		conn.Close(ctx)
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// Await asks the server until the answer to a question, which is SQL for one truth value, is yes.
func (s *Server) Await(t testing.TB, what, question string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var yes bool
		if err := conn.QueryRow(ctx, question).Scan(&yes); err != nil {
			t.Fatalf("waiting for %s: %v", what, err)
		}
		if yes {
			return
		}
		<-tick.C
	}
}

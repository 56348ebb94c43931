package pgtest_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/otpost/otpost/internal/store/pgtest"
)

// TestAPromotedStandbyHasAllThatWasAnswered kills a primary right after an answer, and looks for it on the standby.
func TestAPromotedStandbyHasAllThatWasAnswered(t *testing.T) {
	pair := pgtest.StartPair(t)
	url := pair.Database(t)
	write := func(sql string) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	write(`CREATE TABLE facts (n INTEGER)`)
	write(`INSERT INTO facts SELECT generate_series(1, 1000)`)
	pair.Primary.Kill(t)
	if _, err := pgx.Connect(t.Context(), url); err == nil {
		t.Error("a standby that is not promoted was taken for a server that can be written")
	}
	pair.Standby.Promote(t)
	write(`INSERT INTO facts VALUES (1001)`)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var n int
	if err := conn.QueryRow(t.Context(), `SELECT COUNT(*) FROM facts`).Scan(&n); err != nil || n != 1001 {
		t.Errorf("the standby has %d of 1001 rows, %v", n, err)
	}
}

// TestNoCommitIsAnsweredWithoutTheStandby holds the standby's word back and looks at a commit wait for it.
func TestNoCommitIsAnsweredWithoutTheStandby(t *testing.T) {
	pair := pgtest.StartPair(t)
	conn, err := pgx.Connect(t.Context(), pair.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	resume := pair.Standby.Suspend(t, "walreceiver")
	answered := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), `CREATE TABLE facts (n INTEGER)`)
		answered <- err
	}()
	pair.Primary.Await(t, "the commit to wait", `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep')`)
	select {
	case err := <-answered:
		t.Fatalf("the commit was answered without the standby: %v", err)
	default:
	}
	resume()
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

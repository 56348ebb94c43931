package limit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

const (
	createRow = "CREATE TABLE bench (id TEXT PRIMARY KEY, body TEXT NOT NULL)"
	insertRow = "INSERT INTO bench (id, body) VALUES ($1, $2)"
)

// newRow is a row like a passcode's: a random identifier, which has to be found again, and a few hundred bytes.
func newRow() (id, body string) { return rand.Text(), strings.Repeat("0123456789abcdef", 20) }

// SQLite measures durable rows a second (WAL, synchronous=FULL) with one row a commit, and with a writer that puts up
// to group waiting callers into one commit.
func SQLite(ctx context.Context, dir string, group int, d time.Duration) ([]Limit, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "limit.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, createRow); err != nil {
		return nil, fmt.Errorf("measure SQLite: %w", err)
	}
	insert, err := db.PrepareContext(ctx, insertRow)
	if err != nil {
		return nil, fmt.Errorf("measure SQLite: %w", err)
	}
	defer insert.Close()
	single, err := measure(ctx, "SQLite, one row a commit", 1, d, func(int) error {
		return insertOne(ctx, insert)
	})
	if err != nil {
		return nil, err
	}
	grouped, err := groupCommit(ctx, db, insert, group, d)
	return []Limit{single, grouped}, err
}

// groupCommit has as many callers as fit into one group; each waits for the commit that holds its row.
func groupCommit(ctx context.Context, db *sql.DB, insert *sql.Stmt, group int, d time.Duration) (Limit, error) {
	waiting := make(chan chan error, group)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		batch := make([]chan error, 0, group)
		for first := range waiting {
			batch = append(batch[:0], first)
			for more := true; more && len(batch) < group; {
				select {
				case caller, ok := <-waiting:
					if more = ok; ok {
						batch = append(batch, caller)
					}
				default:
					more = false
				}
			}
			err := commit(ctx, db, insert, len(batch))
			for _, caller := range batch {
				caller <- err
			}
		}
	}()
	name := fmt.Sprintf("SQLite, up to %d rows a commit, %d callers", group, group)
	replies := make([]chan error, group)
	for i := range replies {
		replies[i] = make(chan error, 1)
	}
	result, err := measure(ctx, name, group, d, func(caller int) error {
		waiting <- replies[caller]
		return <-replies[caller]
	})
	close(waiting)
	<-stopped
	return result, err
}

func insertOne(ctx context.Context, insert *sql.Stmt) error {
	id, body := newRow()
	_, err := insert.ExecContext(ctx, id, body)
	return err
}

func commit(ctx context.Context, db *sql.DB, insert *sql.Stmt, rows int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	row := tx.StmtContext(ctx, insert)
	for range rows {
		if err := insertOne(ctx, row); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"modernc.org/sqlite"
)

// sqliteDB is one SQLite file: one writer, which puts all who wait into one commit, and a few readers.
//
// The driver's connections are used directly. database/sql would add a pool, of which one writer has no need, and a
// third to the cost of a statement.
type sqliteDB struct {
	path    string
	writes  chan *write
	stopped chan struct{} // closed when the writer has ended
	log     *checkpointer
	readers chan *sqliteConn
	closing sync.RWMutex // held for reading while a write is handed over
	closed  bool
	owner   *os.File
}

const (
	// sqliteGroup bounds how many transactions share a commit, and so how long the first of them waits.
	sqliteGroup   = 256
	sqliteReaders = 4
)

var errClosed = errors.New("store: the database is closed")

// openSQLite opens the file at path, which is made with mode 0600 when there is none.
func openSQLite(path string, o Options) (*sqliteDB, error) {
	if path == "" || path == ":memory:" {
		return nil, errors.New("open database: sqlite: needs the path of a file, as in sqlite:otpost.db")
	}
	if dir := filepath.Dir(path); dir != "." {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	file.Close()
	db := &sqliteDB{path: path, writes: make(chan *write, sqliteGroup), stopped: make(chan struct{}),
		readers: make(chan *sqliteConn, sqliteReaders)}
	// The writer comes first: it makes the file a WAL one, which readers cannot.
	writer, err := newSQLiteConn(path, "synchronous(FULL)", "wal_autocheckpoint(0)", "cache_size(-16000)")
	if err != nil {
		return nil, err
	}
	copier, err := newSQLiteConn(path, "synchronous(FULL)", "wal_autocheckpoint(0)")
	if err != nil {
		return nil, err
	}
	db.log = &checkpointer{conn: copier, look: make(chan struct{}, 1), stopped: make(chan struct{})}
	go db.log.run()
	for range sqliteReaders {
		reader, err := newSQLiteConn(path, "query_only(1)", "cache_size(-4000)")
		if err != nil {
			return nil, err
		}
		db.readers <- reader
	}
	go (&groupWriter{conn: writer, log: db.log, observe: o.ObserveGroup}).run(db.writes, db.stopped)
	return db, nil
}

func (db *sqliteDB) transact(ctx context.Context, body func(*tx) error) error {
	w := &write{body: body, done: make(chan error, 1)}
	db.closing.RLock()
	if db.closed {
		db.closing.RUnlock()
		return errClosed
	}
	select {
	case db.writes <- w:
		db.closing.RUnlock()
	case <-ctx.Done():
		db.closing.RUnlock()
		return ctx.Err()
	}
	// Once handed over it will be carried out, so the answer is worth waiting for whatever ctx says.
	return <-w.done
}

// whole is nothing else here: an answer costs nothing.
func (db *sqliteDB) whole(ctx context.Context, body func(*tx) error) error {
	return db.transact(ctx, body)
}

func (db *sqliteDB) read(ctx context.Context, body func(*tx) error) error {
	return db.look(ctx, func(t *tx) error {
		if _, err := t.execute(ctx, "BEGIN", nil); err != nil {
			return err
		}
		defer t.execute(ctx, "COMMIT", nil)
		return body(t)
	})
}

func (db *sqliteDB) look(ctx context.Context, body func(*tx) error) error {
	select {
	case conn, open := <-db.readers:
		if !open {
			return errClosed
		}
		defer func() { db.readers <- conn }()
		return body(&tx{ctx: ctx, querier: conn})
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (db *sqliteDB) far() bool { return false }

func (db *sqliteDB) ping(ctx context.Context) error {
	return db.look(ctx, func(t *tx) error {
		var one int
		_, err := t.one(`SELECT 1`, nil, &one)
		return err
	})
}

// own takes an exclusive lock beside the file, for as long as the process lives.
func (db *sqliteDB) own() (alone bool, err error) {
	file, err := os.OpenFile(db.path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, fmt.Errorf("lock database: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return false, fmt.Errorf("lock database: another otpost serves %s; a SQLite file has one server at a time, use PostgreSQL for more", db.path)
	}
	db.owner = file
	return true, nil
}

func (db *sqliteDB) close() error {
	db.closing.Lock()
	defer db.closing.Unlock()
	if db.closed {
		return nil
	}
	db.closed = true
	close(db.writes)
	<-db.stopped
	<-db.log.stopped
	for range sqliteReaders {
		(<-db.readers).Close()
	}
	close(db.readers)
	if db.owner != nil {
		db.owner.Close()
	}
	return nil
}

func sqliteURI(path string, pragmas ...string) string {
	query := url.Values{"_pragma": append([]string{"busy_timeout(10000)", "journal_mode(WAL)", "foreign_keys(1)"}, pragmas...),
		"_txlock": {"immediate"}}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String()
}

// sqliteConn is one connection with its prepared statements. One goroutine uses it at a time.
type sqliteConn struct {
	driver.Conn
	statements map[string]driver.Stmt
	args       []driver.NamedValue // room for the arguments of one statement
}

func newSQLiteConn(path string, pragmas ...string) (*sqliteConn, error) {
	conn, err := (&sqlite.Driver{}).Open(sqliteURI(path, pragmas...))
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return &sqliteConn{Conn: conn, statements: map[string]driver.Stmt{}}, nil
}

func (c *sqliteConn) run(sql string) error {
	_, err := c.execute(context.Background(), sql, nil)
	return err
}

func (c *sqliteConn) lock() string { return "" }

func (c *sqliteConn) near() bool { return true }

func (c *sqliteConn) whole() bool { return false }

// execute and query take no ctx to the driver, which would start a goroutine for each statement to watch it.
func (c *sqliteConn) execute(_ context.Context, sql string, args []any) (int64, error) {
	statement, err := c.prepare(sql)
	if err != nil {
		return 0, err
	}
	result, err := statement.(driver.StmtExecContext).ExecContext(context.Background(), c.named(args))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c *sqliteConn) later(ctx context.Context, sql string, args []any) error {
	_, err := c.execute(ctx, sql, args)
	return err
}

func (c *sqliteConn) query(_ context.Context, sql string, args []any, each func(scan func(...any) error) error) (err error) {
	statement, err := c.prepare(sql)
	if err != nil {
		return err
	}
	rows, err := statement.(driver.StmtQueryContext).QueryContext(context.Background(), c.named(args))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	values := make([]driver.Value, len(rows.Columns()))
	for {
		switch err := rows.Next(values); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := each(func(dest ...any) error { return scanSQLite(values, dest) }); err != nil {
			return err
		}
	}
}

func (c *sqliteConn) prepare(sql string) (driver.Stmt, error) {
	if statement, ok := c.statements[sql]; ok {
		return statement, nil
	}
	statement, err := c.Conn.Prepare(sql)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", sql, err)
	}
	c.statements[sql] = statement
	return statement, nil
}

// named is args as the driver wants them, until the next call: it copies what it binds.
func (c *sqliteConn) named(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, arg := range args {
		switch v := arg.(type) {
		case int:
			arg = int64(v)
		case []byte:
			if v == nil {
				arg = nil
			}
		}
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return c.args
}

func scanSQLite(values []driver.Value, dest []any) error {
	if len(values) != len(dest) {
		return fmt.Errorf("scan %d columns into %d places", len(values), len(dest))
	}
	for i, value := range values {
		switch to := dest[i].(type) {
		case *int64:
			*to, _ = value.(int64)
		case *int:
			n, _ := value.(int64)
			*to = int(n)
		case *string:
			*to, _ = value.(string)
		case *[]byte:
			b, _ := value.([]byte)
			*to = b
		default:
			return fmt.Errorf("scan column %d: no way into %T", i, to)
		}
	}
	return nil
}

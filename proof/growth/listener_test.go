package growth_test

import (
	"io"
	"maps"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/otpost/otpost/proof/rig"
)

// listener stands between otpost and PostgreSQL, passes everything on, and keeps the text of every statement: so the
// plans that are looked at are those of the statements that the program sends, not of copies of them.
type listener struct {
	listener net.Listener
	server   string

	mu         sync.Mutex
	statements map[string]bool
}

// listenTo puts a listener before the PostgreSQL of settings, and returns settings that lead through it.
func listenTo(t *testing.T, settings rig.Settings) (*listener, rig.Settings) {
	t.Helper()
	address, err := url.Parse(settings["database"])
	if err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	l := &listener{listener: socket, server: address.Host, statements: map[string]bool{}}
	go l.serve()
	address.Host, address.RawQuery = socket.Addr().String(), "sslmode=disable"
	return l, settings.With(rig.Settings{"database": address.String()})
}

func (l *listener) serve() {
	for {
		client, err := l.listener.Accept()
		if err != nil {
			return // the test is over
		}
		server, err := net.Dial("tcp", l.server)
		if err != nil {
			client.Close()
			return
		}
		go func() {
			io.Copy(client, server)
			client.Close()
		}()
		go func() {
			l.overhear(io.TeeReader(client, server))
			server.Close()
		}()
	}
}

// overhear reads what a client says until it hangs up.
func (l *listener) overhear(client io.Reader) {
	said := pgproto3.NewBackend(client, io.Discard)
	if _, err := said.ReceiveStartupMessage(); err != nil {
		return
	}
	for {
		message, err := said.Receive()
		if err != nil {
			return
		}
		if parse, ok := message.(*pgproto3.Parse); ok {
			l.mu.Lock()
			l.statements[parse.Query] = true
			l.mu.Unlock()
		}
	}
}

// heard are the statements until now.
func (l *listener) heard() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.statements))
}

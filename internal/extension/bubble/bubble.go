// Package bubble serves real HTTP inside a testing/synctest bubble, so that tests of deadlines take no time.
package bubble

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
)

// network is one listener whose connections are pipes: a goroutine that waits for one does not hold up the bubble's
// clock, as it would with a socket.
type network struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// Serve starts a server and returns the client that reaches it, whatever host the URL names. The end of the test waits
// until the last handler is done: the bubble's clock stands still once the test has returned.
func Serve(t testing.TB, h http.Handler) *http.Client {
	t.Helper()
	n := &network{accept: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(n)
	transport := &http.Transport{DialContext: n.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &http.Client{Transport: transport}
}

func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case n.accept <- theirs:
		return ours, nil
	case <-n.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.accept:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

func (n *network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

package faults_test

import (
	"bufio"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// door is where a misbehaving server listens, and its count of open connections.
type door struct {
	t     testing.TB
	serve func(*line)
	addr  string
	stop  chan struct{}

	mu       sync.Mutex
	listener net.Listener
	inside   map[*line]bool
}

// openDoor listens on a free port until the test ends.
func openDoor(t testing.TB, serve func(*line)) *door {
	t.Helper()
	d := &door{t: t, serve: serve, addr: "127.0.0.1:0", stop: make(chan struct{}), inside: map[*line]bool{}}
	d.open()
	t.Cleanup(func() {
		close(d.stop)
		d.shut()
		d.hangUp()
	})
	return d
}

// open listens, on the same port as before.
func (d *door) open() {
	d.t.Helper()
	l := rig.Listen(d.t, d.addr)
	d.mu.Lock()
	d.listener, d.addr = l, l.Addr().String()
	d.mu.Unlock()
	go d.accept(l)
}

// shut makes new connections be refused.
func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.listener.Close()
}

// goodbye ends what the server says on every connection, as one that closes what is idle.
func (d *door) goodbye() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.inside {
		c.leaving.Store(true)
		c.tcp.CloseWrite()
	}
}

// hangUp closes every connection.
func (d *door) hangUp() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.inside {
		c.tcp.Close()
	}
}

// connections is how many are open.
func (d *door) connections() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.inside)
}

func (d *door) accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		tcp := c.(*net.TCPConn)
		l := &line{Conn: tcp, tcp: tcp, r: bufio.NewReaderSize(tcp, 64<<10), stop: d.stop}
		d.mu.Lock()
		d.inside[l] = true
		d.mu.Unlock()
		go d.attend(l)
	}
}

// attend serves one connection. One that is closed in good order stays open until the other side closes it too: if that
// never happens, otpost has leaked it.
func (d *door) attend(c *line) {
	d.serve(c)
	if c.hard {
		c.tcp.SetLinger(0)
	} else if c.tcp.CloseWrite() == nil {
		io.Copy(io.Discard, c.tcp)
	}
	c.tcp.Close()
	d.mu.Lock()
	delete(d.inside, c)
	d.mu.Unlock()
}

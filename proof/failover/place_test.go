package failover_test

import (
	"io"
	"log"
	"net/http/httptest"
	"strconv"
	"syscall"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// closedPort is an address on which nobody listens.
func (h *house) closedPort() string { return "http://" + rig.FreeAddress(h.t) }

// untrusted is a server whose certificate is its own authority.
func (h *house) untrusted() string {
	server := httptest.NewTLSServer(nil)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that break off the handshake are what it is for
	h.t.Cleanup(server.Close)
	return server.URL
}

// blackhole is an address at which a connection is never completed: its listener takes nobody, and its queue is full.
func (h *house) blackhole() string { return "http://" + blackhole(h.t) }

func blackhole(t testing.TB) string {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatalf("blackhole: %v", err)
		}
	}
	open := func() int {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		must(err)
		t.Cleanup(func() { syscall.Close(fd) })
		return fd
	}
	loopback := [4]byte{127, 0, 0, 1}
	listener := open()
	must(syscall.Bind(listener, &syscall.SockaddrInet4{Addr: loopback}))
	must(syscall.Listen(listener, 0))
	bound, err := syscall.Getsockname(listener)
	must(err)
	at := bound.(*syscall.SockaddrInet4)
	for range 8 { // more than the queue of a listener without one has
		fd := open()
		must(syscall.SetNonblock(fd, true))
		if err := syscall.Connect(fd, &syscall.SockaddrInet4{Port: at.Port, Addr: loopback}); err != syscall.EINPROGRESS {
			must(err)
		}
	}
	return "127.0.0.1:" + strconv.Itoa(at.Port)
}

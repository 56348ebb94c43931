package rig

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
	"testing"
)

// FreeAddress is an address of this machine on which nobody listens. Its port is none of those that systems give to
// connections and to listeners that want any, so it stays free while nobody listens on it.
func FreeAddress(t testing.TB) string {
	t.Helper()
	const first, beyond = 20_000, 32_000
	for range 1000 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(first+rand.IntN(beyond-first)))
		// Not by listening: a program that another test is starting then would hold what listened open until it runs.
		conn, err := net.Dial("tcp", addr)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return addr
		}
		if err == nil {
			conn.Close()
		}
	}
	t.Fatalf("no port from %d to %d is free", first, beyond-1)
	return ""
}

// Listen listens on an address of this machine, once whoever had it before has let go of it.
func Listen(t testing.TB, addr string) (l net.Listener) {
	t.Helper()
	Await(t, addr+" to be free", func() bool {
		var err error
		l, err = net.Listen("tcp", addr)
		return err == nil
	})
	return l
}

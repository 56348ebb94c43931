package provider

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
)

// countedConn counts what arrives. A server may send more than one answer to a request, and the transport of net/http can
// give the connection to the next request before it sees the rest, which it then takes for the answer to that request. Such
// an answer has arrived before the request left.
type countedConn struct {
	net.Conn
	arrived atomic.Int64
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.arrived.Add(int64(n))
	return n, err
}

func countingDial(d *net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := d.DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &countedConn{Conn: c}, nil
	}
}

// watchArrivals is called before a request is written. stale, asked at the first byte of the answer, reports whether
// nothing has arrived since; then it closes the connection, on which no further answer could be believed.
func watchArrivals(conn net.Conn) (stale func() bool) {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	c, ok := conn.(*countedConn)
	if !ok {
		return func() bool { return false }
	}
	before := c.arrived.Load()
	return func() bool {
		if c.arrived.Load() != before {
			return false
		}
		c.Close()
		return true
	}
}

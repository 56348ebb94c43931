package restful

import (
	"net/netip"
	"syscall"

	"github.com/otpost/otpost/internal/egress"
)

// NewGuarded makes a client that takes one address of this machine for a public one, since a test has no public address
// to offer.
func NewGuarded(o Options, stranger netip.Addr) *Client {
	c := New(o)
	c.transport = newTransport(c.options, func(network, address string, raw syscall.RawConn) error {
		if ap, err := netip.ParseAddrPort(address); err == nil && ap.Addr() == stranger {
			return nil
		}
		return egress.RefusePrivate(network, address, raw)
	})
	return c
}

// HasProxy says that the client's connections can go through a proxy.
func (c *Client) HasProxy() bool { return c.transport.Proxy != nil }

// Fill puts a text in for every claim of a ServiceUrl.
func Fill(raw, text string) (filled, host string, err error) {
	t, err := parseTarget(raw)
	if err != nil {
		return "", "", err
	}
	filled, err = t.fill(func(string) (string, bool) { return text, true }, nil)
	return filled, t.host, err
}

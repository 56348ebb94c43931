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

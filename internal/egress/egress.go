// Package egress says which addresses are somebody else's servers on the internet, and why a connection to one failed.
package egress

import (
	"errors"
	"net/netip"
	"strings"
	"syscall"
)

// ErrPrivate is what RefusePrivate and CheckHost return. It does not name the address: an error that did would let whoever
// can set a URL read the inside of the network.
var ErrPrivate = errors.New("the host has a private or reserved address")

// reserved are the IPv4 blocks that are not globally reachable: IANA IPv4 Special-Purpose Address Registry
// (RFC 6890), with multicast (RFC 5771).
var reserved = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
	"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4",
)

// reserved6 are the blocks inside 2000::/3, the only IPv6 space handed out, that are not globally reachable or that
// carry an IPv4 address: IETF protocol assignments with Teredo (RFC 2928, RFC 4380), documentation (RFC 3849,
// RFC 9637) and 6to4 (RFC 3056).
var reserved6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")

var (
	global6 = netip.MustParsePrefix("2000::/3")
	nat64   = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052 §2.1
)

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// Public reports whether an address can belong to somebody else's server on the internet. An IPv4 address inside an
// IPv6 one is judged as itself where the mapping is the well-known one of NAT64, since hosts without IPv4 reach
// everything through it, and refused everywhere else.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return !within(a, reserved)
	}
	if nat64.Contains(a) {
		b := a.As16()
		return Public(netip.AddrFrom4([4]byte(b[12:])))
	}
	return global6.Contains(a) && !within(a, reserved6)
}

func within(a netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// RefusePrivate is a net.Dialer's Control. It sees the very address that is about to be connected, so neither a
// second answer of the resolver nor an odd spelling of an address can get around it.
func RefusePrivate(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !Public(ap.Addr()) {
		return ErrPrivate
	}
	return nil
}

// CheckHost refuses a host that is written as a private or reserved address, or by a name that can only mean one. What
// a name comes to is judged when it is connected, by RefusePrivate.
func CheckHost(host string) error {
	a, err := netip.ParseAddr(host)
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	local := host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".internal")
	if local || err == nil && !Public(a) {
		return ErrPrivate
	}
	return nil
}

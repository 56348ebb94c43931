package front

import (
	"net/http"
	"net/netip"
	"strings"
)

// Proxies says which hops in front of us are ours, and so which of their words are believed. The zero value believes
// nobody: the client is whoever opened the connection.
type Proxies struct {
	// Trusted are the networks our own proxies connect from.
	Trusted []netip.Prefix
	// Forwarded reads the Forwarded header (RFC 7239) in place of X-Forwarded-For. Never both: a proxy that writes
	// one of them passes the other on as the client wrote it.
	Forwarded bool
}

// Client is the address a request came from: the peer of the connection, or, while that is one of our proxies, the
// next address to the left in the header, until one is not ours. A hop that is not an address ends the walk at the
// proxy that reported it. It is the zero Addr when the peer itself has no address, as on a Unix socket.
func (p Proxies) Client(r *http.Request) netip.Addr {
	peer, ok := hopAddr(r.RemoteAddr)
	if !ok || !p.trusts(peer) {
		return peer
	}
	name, hop := "X-Forwarded-For", hopAddr
	if p.Forwarded {
		name, hop = "Forwarded", forwardedFor
	}
	lines := r.Header[name]
	for i := len(lines) - 1; i >= 0; i-- {
		rest := lines[i]
		for more := true; more; {
			var last string
			rest, last, more = cutLastHop(rest)
			addr, ok := hop(last)
			if !ok {
				return peer
			}
			if peer = addr; !p.trusts(peer) {
				return peer
			}
		}
	}
	return peer
}

func (p Proxies) trusts(a netip.Addr) bool {
	for _, prefix := range p.Trusted {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// cutLastHop splits a list at its last comma. A comma inside a quoted string (RFC 7239 §4) splits as well: what is
// left on either side is then no address, and the walk ends there.
func cutLastHop(list string) (rest, last string, more bool) {
	if i := strings.LastIndexByte(list, ','); i >= 0 {
		return list[:i], list[i+1:], true
	}
	return "", list, false
}

// hopAddr reads one address, with or without a port, IPv6 in brackets where there is one. IPv4-mapped addresses
// become IPv4 and zones are dropped, so that one host has one form.
func hopAddr(s string) (netip.Addr, bool) {
	s = strings.Trim(s, " \t")
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return plain(ap.Addr()), true
	}
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		s = s[1 : len(s)-1]
	}
	a, err := netip.ParseAddr(s)
	return plain(a), err == nil
}

func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// forwardedFor reads the for parameter of one Forwarded element (RFC 7239 §5.2).
func forwardedFor(element string) (netip.Addr, bool) {
	found := ""
	for pair := range strings.SplitSeq(element, ";") {
		name, value, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
		if !ok || !strings.EqualFold(name, "for") {
			continue
		}
		if found != "" {
			return netip.Addr{}, false // named twice (RFC 7239 §4 forbids it): which one is true, nobody knows
		}
		found = value
	}
	if len(found) >= 2 && found[0] == '"' && found[len(found)-1] == '"' {
		found = found[1 : len(found)-1]
	}
	return hopAddr(found)
}

package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// spf is what an SPF record comes to (RFC 7208), as far as that can be known without a message.
type spf struct {
	// records is how many there are at the domain; more than one is an error (§4.5).
	records int
	// lookups are the terms that ask the DNS, and void those that got nothing: at most 10 and 2 (§4.6.4).
	lookups, void int
	// includes are the domains that are included, at any depth.
	includes []string
	// permitted are the networks that may send.
	permitted []netip.Prefix
	// everybody tells that +all permits the whole internet.
	everybody bool
	// hidden tells of terms that only a receiver can work out: macros, exists and ptr.
	hidden bool
	// wrong is why receivers cannot use the record, empty when they can.
	wrong string
}

const (
	maxLookups = 10
	maxVoid    = 2
)

// readSPF works out the record of a domain.
func (n names) readSPF(ctx context.Context, domain string) (*spf, error) {
	s := &spf{}
	list, err := n.texts(ctx, domain)
	if err != nil {
		return nil, err
	}
	found := tagged(list, "v=spf1")
	if s.records = len(found); s.records != 1 {
		return s, nil
	}
	return s, s.follow(ctx, n, domain, found[0])
}

// follow works through the terms of a record until something is wrong.
func (s *spf) follow(ctx context.Context, n names, domain, record string) error {
	redirect := ""
	for _, term := range strings.Fields(record)[1:] {
		if name, value, ok := strings.Cut(term, "="); ok && !strings.ContainsAny(name, ":/") {
			if strings.EqualFold(name, "redirect") {
				redirect = value
			}
			continue // exp and what is not known are passed over (§6)
		}
		if err := s.mechanism(ctx, n, domain, term); err != nil || s.wrong != "" {
			return err
		}
	}
	if redirect == "" || hasAll(record) { // §6.1
		return nil
	}
	return s.enter(ctx, n, redirect)
}

func hasAll(record string) bool {
	return slices.ContainsFunc(strings.Fields(record), func(t string) bool { return strings.EqualFold(strings.TrimLeft(t, "+-~?"), "all") })
}

func (s *spf) mechanism(ctx context.Context, n names, domain, term string) error {
	sign := byte('+')
	if strings.IndexByte("+-~?", term[0]) >= 0 {
		sign, term = term[0], term[1:]
	}
	name, value, mask := splitTerm(term)
	permits := sign == '+'
	switch name {
	case "all":
		s.everybody = s.everybody || permits
	case "ip4", "ip6":
		prefix, ok := network(name, value, mask)
		if !ok {
			s.wrong = "it has the unreadable term " + quoted(term)
		} else if permits {
			s.permitted = append(s.permitted, prefix)
		}
	case "include":
		return s.enter(ctx, n, value)
	case "a", "mx":
		return s.hosts(ctx, n, name, value, domain, mask, permits)
	case "exists", "ptr":
		s.hidden = true
		s.count()
	default:
		s.wrong = "it has the unknown term " + quoted(term)
	}
	return nil
}

// splitTerm reads name:value/mask.
func splitTerm(term string) (name, value, mask string) {
	name, value, _ = strings.Cut(term, ":")
	if i := strings.IndexByte(name, '/'); i >= 0 {
		return strings.ToLower(name[:i]), "", name[i:]
	}
	if i := strings.IndexByte(value, '/'); i >= 0 {
		value, mask = value[:i], value[i:]
	}
	return strings.ToLower(name), value, mask
}

func network(name, value, mask string) (netip.Prefix, bool) {
	a, err := netip.ParseAddr(value)
	if err != nil || a.Is4() != (name == "ip4") {
		return netip.Prefix{}, false
	}
	if mask == "" {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(value + mask)
	return p, err == nil
}

// count takes one of the lookups that a receiver makes.
func (s *spf) count() bool {
	if s.lookups++; s.lookups > maxLookups {
		s.wrong = fmt.Sprintf("it needs more than %d DNS lookups", maxLookups)
	}
	return s.wrong == ""
}

func (s *spf) nothing() {
	if s.void++; s.void > maxVoid {
		s.wrong = fmt.Sprintf("more than %d of its lookups find nothing", maxVoid)
	}
}

// enter follows an include or a redirect.
func (s *spf) enter(ctx context.Context, n names, domain string) error {
	if strings.Contains(domain, "%") {
		s.hidden = true
		s.count()
		return nil
	}
	if domain == "" {
		s.wrong = "it has an include or a redirect without a domain"
		return nil
	}
	if !s.count() {
		return nil
	}
	domain = strings.ToLower(strings.TrimSuffix(domain, "."))
	s.includes = append(s.includes, domain)
	list, err := n.texts(ctx, domain)
	if err != nil {
		return err
	}
	switch found := tagged(list, "v=spf1"); len(found) {
	case 0:
		s.wrong = "it includes " + quoted(domain) + ", which has no SPF record"
	case 1:
		return s.follow(ctx, n, domain, found[0])
	default:
		s.wrong = "it includes " + quoted(domain) + ", which has more than one SPF record"
	}
	return nil
}

// hosts adds the addresses of an a or mx term.
func (s *spf) hosts(ctx context.Context, n names, name, value, domain, mask string, permits bool) error {
	if strings.Contains(value, "%") {
		s.hidden = true
		s.count()
		return nil
	}
	if !s.count() {
		return nil
	}
	if value != "" {
		domain = strings.TrimSuffix(value, ".")
	}
	hosts := []string{domain}
	if name == "mx" {
		list, err := n.mx(ctx, domain)
		if err != nil {
			return err
		}
		hosts = hosts[:0]
		for _, mx := range list[:min(len(list), 10)] { // §4.6.4
			hosts = append(hosts, strings.TrimSuffix(mx.Host, "."))
		}
	}
	found := false
	for _, host := range hosts {
		if host == "" {
			continue
		}
		list, err := n.addresses(ctx, host)
		if err != nil {
			return err
		}
		found = found || len(list) > 0
		for _, a := range list {
			if permits {
				s.permitted = append(s.permitted, withMask(a.Unmap(), mask))
			}
		}
	}
	if !found {
		s.nothing()
	}
	return nil
}

// withMask is the network of an address under a mask of the form /24 or /24//64 (§5.6).
func withMask(a netip.Addr, mask string) netip.Prefix {
	four, six, _ := strings.Cut(strings.TrimPrefix(mask, "/"), "//")
	if strings.HasPrefix(mask, "//") {
		four, six = "", strings.TrimPrefix(mask, "//")
	}
	bits := four
	if a.Is6() {
		bits = six
	}
	if p, err := netip.ParsePrefix(a.String() + "/" + bits); err == nil {
		return p.Masked()
	}
	return netip.PrefixFrom(a, a.BitLen())
}

// permits reports whether an address may send.
func (s *spf) permits(a netip.Addr) bool {
	return s.everybody || slices.ContainsFunc(s.permitted, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}

// quoted shows what stands in somebody's record: printable, and not long.
func quoted(text string) string {
	if len(text) > 60 {
		text = text[:60]
	}
	return fmt.Sprintf("%+q", text)
}

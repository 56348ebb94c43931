package doctor

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/otpost/otpost/internal/provider"
)

// proof says whether something of a mail proves its sender's domain.
type proof int

const (
	unknown proof = iota
	proves
	fails
)

// sending is the examination of one domain that one provider sends from.
type sending struct {
	names
	p       *Provider
	domain  string
	company company
	// known is false for somebody's own mail server.
	known bool
	// bounce is the domain that SPF is looked up at, empty when it is the company's own.
	bounce string
	// dkim is what was found; keyAt is the domain whose key it is.
	dkim  proof
	keyAt string
	// permits tells that the SPF record at the bounce domain lets the provider send.
	permits proof
}

// domain looks at what a domain publishes for those who get its mail.
func (d *Doctor) domain(ctx context.Context, p *Provider, domain string) []provider.Finding {
	resolver := d.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	s := &sending{names: names{resolver}, p: p, domain: domain}
	s.company, s.known = companyOf(p)
	for _, own := range s.company.own {
		if within(domain, own) {
			return []provider.Finding{{Subject: "domain", Verdict: provider.Doubtful, Found: "It belongs to " + s.company.name + ", which lends it for trials: few messages are sent, and people do not know it.",
				Do: "Add a domain of your own to the account, and send from it."}}
		}
	}
	switch {
	case s.known:
		s.bounce = s.company.bounceOf(p, domain)
	case p.Kind.Name == "smtp":
		s.bounce = cmp.Or(domainOf(p.Settings["envelope_sender"]), domain)
	}
	return slices.Concat(s.lookMX(ctx), s.lookSPF(ctx), s.lookDKIM(ctx), s.lookDMARC(ctx))
}

// silence is the finding of a question that got no answer.
func silence(subject string) []provider.Finding {
	return []provider.Finding{unseen(subject, "The DNS could not be asked", "Check the name servers of this machine, and try again.")}
}

func one(subject string, verdict provider.FindingVerdict, found, do string) []provider.Finding {
	return []provider.Finding{{Subject: subject, Verdict: verdict, Found: found, Do: do}}
}

// lookMX looks whether the sender's domain takes mail, which many receivers demand.
func (s *sending) lookMX(ctx context.Context) []provider.Finding {
	list, err := s.mx(ctx, s.domain)
	if err != nil {
		return silence("MX")
	}
	if slices.ContainsFunc(list, func(m *net.MX) bool { return m.Host == "." }) {
		return one("MX", provider.Bad, "The domain says that it takes no mail (a null MX); receivers refuse mail from it (RFC 7505 §4.2).",
			"Take the record 0 . away or send from another domain.")
	}
	if len(list) > 0 {
		return one("MX", provider.Good, "Replies and bounces can be delivered.", "")
	}
	addresses, err := s.addresses(ctx, s.domain)
	switch {
	case err != nil:
		return silence("MX")
	case len(addresses) > 0:
		return one("MX", provider.Doubtful, "There is no MX record; mail to the domain goes to its address, where there may be no mail server.",
			"Publish an MX record, since some receivers refuse senders that cannot be answered.")
	}
	texts, err := s.texts(ctx, s.domain)
	switch {
	case err != nil:
		return silence("MX")
	case len(texts) == 0:
		return one("MX", provider.Bad, "The DNS knows neither a mail server nor an address of this domain; receivers refuse mail from it.",
			"Check how the domain is written in from, and publish an MX record.")
	}
	return one("MX", provider.Doubtful, "The domain takes no mail: it has neither an MX record nor an address.",
		"Publish an MX record, since many receivers refuse senders that cannot be answered.")
}

// lookSPF looks at the record of the domain that bounces go to, or of the sender's domain when the company has its own.
func (s *sending) lookSPF(ctx context.Context) []provider.Finding {
	const subject = "SPF"
	at := cmp.Or(s.bounce, s.domain)
	record, err := s.readSPF(ctx, at)
	switch {
	case err != nil:
		return silence(subject)
	case record.records > 1:
		s.permits = fails
		return one(subject, provider.Bad, fmt.Sprintf("%s has %d SPF records, so receivers use none (RFC 7208 §4.5).", at, record.records),
			"Put everything into one record that begins with v=spf1, and delete the others.")
	case record.wrong != "":
		s.permits = fails
		return one(subject, provider.Bad, "Receivers cannot use the record of "+at+": "+record.wrong+".",
			"Correct the record; take out what no longer sends, or the lookups that it costs.")
	case record.everybody:
		s.permits = proves
		return one(subject, provider.Doubtful, "The record of "+at+" ends in +all and permits the whole internet to send in its name.", "End it in ~all or -all.")
	case !s.known:
		return s.ownSPF(ctx, at, record)
	}
	return s.companySPF(at, record)
}

// companySPF asks whether the record includes the company.
func (s *sending) companySPF(at string, record *spf) []provider.Finding {
	const subject = "SPF"
	included := slices.ContainsFunc(record.includes, func(i string) bool { return slices.Contains(s.company.includes, i) })
	add := "Add include:" + s.company.includes[0] + " to the SPF record of " + at + "."
	if record.records == 0 {
		add = "Publish the TXT record \"v=spf1 include:" + s.company.includes[0] + " ~all\" at " + at + "."
	}
	switch {
	case included:
		s.permits = proves
		return one(subject, provider.Good, fmt.Sprintf("%s permits %s, in %d of %d lookups.", at, s.company.name, record.lookups, maxLookups), "")
	case s.bounce == "":
		return one(subject, provider.Good, s.company.name+" sends with a bounce domain of its own, unless one is set in its console; DKIM has to prove the sender.", "")
	case record.hidden:
		return one(subject, provider.Doubtful, "Whether "+at+" permits "+s.company.name+" depends on terms that only a receiver can work out.",
			"Send a test message, and look for spf=pass in its Authentication-Results.")
	case record.records == 0:
		s.permits = fails
		return one(subject, provider.Doubtful, at+" has no SPF record, so nothing says that "+s.company.name+" may send.", add)
	}
	s.permits = fails
	return one(subject, provider.Doubtful, "The record of "+at+" does not include "+s.company.name+".", add)
}

// ownSPF asks whether a record permits the addresses of somebody's own mail server.
func (s *sending) ownSPF(ctx context.Context, at string, record *spf) []provider.Finding {
	const subject = "SPF"
	if record.records == 0 {
		s.permits = fails
		return one(subject, provider.Doubtful, at+" has no SPF record.", "Publish a TXT record such as \"v=spf1 mx ~all\" that permits the addresses that mail leaves from.")
	}
	host := s.p.Settings["host"]
	if host == "" {
		return one(subject, provider.Good, "There is one record, and receivers can read it.", "")
	}
	list := []netip.Addr{}
	if a, err := netip.ParseAddr(host); err == nil {
		list = append(list, a)
	} else if list, err = s.addresses(ctx, host); err != nil {
		return silence(subject)
	}
	if slices.ContainsFunc(list, record.permits) {
		s.permits = proves
		return one(subject, provider.Good, fmt.Sprintf("%s permits the mail server, in %d of %d lookups.", at, record.lookups, maxLookups), "")
	}
	return one(subject, provider.Doubtful, "The record of "+at+" does not permit the address of "+host+"; mail may leave from another one.",
		"Find the address that your mail leaves from, and permit it with ip4: or ip6:.")
}

// registered is the domain that somebody registered, above which DMARC does not look (RFC 7489 §3.2).
func registered(domain string) string {
	if top, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return top
	}
	return domain
}

// aligned reports whether a domain counts for the sender's (RFC 7489 §3.1).
func (s *sending) aligned(domain string, strict bool) bool {
	if strict {
		return strings.EqualFold(domain, s.domain)
	}
	return registered(domain) == registered(s.domain)
}

package doctor

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/idna"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

// provider looks at the way to a provider, at its account, and at what the store knows of it.
func (d *Doctor) provider(ctx context.Context, p *Provider) []provider.Finding {
	var way, account []provider.Finding
	var both sync.WaitGroup
	both.Go(func() {
		if r, ok := p.Sender.(provider.Reacher); ok {
			way = r.Reach(ctx)
		}
	})
	if c, ok := p.Sender.(provider.Checker); ok {
		account = c.Check(ctx)
	}
	both.Wait()
	if slices.ContainsFunc(way, isBad) && !slices.ContainsFunc(account, isBad) {
		account = nil // that it could not be asked follows from the way
	}
	found := append(without(way, account), account...)
	if p.Kind.Name == "inbox" {
		found = append(found, provider.Finding{Subject: "use", Verdict: provider.Doubtful,
			Found: "It keeps messages where everybody who reaches the inbox page reads them; nobody gets mail.", Do: "Set up another provider before people depend on it."})
	}
	return append(found, d.known(p)...)
}

func isBad(f provider.Finding) bool { return f.Verdict == provider.Bad }

// without leaves out what is said about a subject that others speak of as well.
func without(list, others []provider.Finding) []provider.Finding {
	return slices.DeleteFunc(slices.Clone(list), func(f provider.Finding) bool {
		return slices.ContainsFunc(others, func(o provider.Finding) bool { return o.Subject == f.Subject })
	})
}

// known is what the settings and the store say of a provider.
func (d *Doctor) known(p *Provider) (found []provider.Finding) {
	switch {
	case p.DownUntil.After(d.now()):
		found = append(found, provider.Finding{Subject: "recent messages", Verdict: provider.Bad,
			Found: "It failed again and again, and is left alone until " + p.DownUntil.UTC().Format(time.RFC3339) + ".",
			Do:    "Look for its failures in the log or in a timeline; it is tried again by itself."})
	case !p.DownUntil.IsZero():
		found = append(found, provider.Finding{Subject: "recent messages", Verdict: provider.Doubtful,
			Found: "It failed again and again; the next message will try it.", Do: "Send one: otpost provider test " + p.Name + " --to ADDRESS"})
	}
	if p.Reports && !d.PublicURL && p.Settings["receipt_url"] == "" {
		found = append(found, provider.Finding{Subject: "delivery reports", Verdict: provider.Doubtful,
			Found: "They are set up, and the server does not know the address that the vendor posts them to.",
			Do:    "Set public_url, and give the vendor that address with /receipts/" + p.Name + " at its end."})
	}
	return found
}

// domain is the domain of the sender of a provider's mail, in ASCII; empty for a provider that sends none under a domain.
func (p *Provider) domain() string {
	if !slices.Contains(p.Kind.Channels, outbox.Email) {
		return ""
	}
	return domainOf(p.Settings["from"])
}

func domainOf(address string) string {
	a, err := mail.ParseAddress(address)
	if err != nil {
		return ""
	}
	domain := strings.TrimSuffix(strings.ToLower(a.Address[strings.LastIndexByte(a.Address, '@')+1:]), ".")
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		return ascii
	}
	return domain
}

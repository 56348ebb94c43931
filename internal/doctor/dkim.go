package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/otpost/otpost/internal/provider"
)

// key is what stands at a DKIM selector.
type key int

const (
	noKey key = iota
	goodKey
	revokedKey // RFC 6376 §3.6.1: an empty p
	brokenKey
)

// lookDKIM looks for the keys that the company signs with.
func (s *sending) lookDKIM(ctx context.Context) []provider.Finding {
	const subject = "DKIM"
	const howToLook = "Send a test message, and look in its Authentication-Results for dkim=pass with "
	switch {
	case s.known && len(s.company.selectors) == 0:
		return one(subject, provider.Doubtful, "Every account of "+s.company.name+" has selectors of its own, so the key was not looked for.",
			howToLook+"header.d="+s.domain+", or look at the domain in "+s.company.name+"'s console.")
	case !s.known:
		return one(subject, provider.Doubtful, "The selector of your mail server is not known here, so the key was not looked for.", howToLook+"header.d="+s.domain+".")
	}
	var revoked, broken string
	domains := []string{s.domain}
	if top := registered(s.domain); top != s.domain {
		domains = append(domains, top)
	}
	for _, domain := range domains {
		for _, selector := range s.company.selectors {
			at := selector + "._domainkey." + domain
			switch found, err := s.key(ctx, at); {
			case err != nil:
				return silence(subject)
			case found == goodKey:
				s.dkim, s.keyAt = proves, domain
				return one(subject, provider.Good, "There is a key at "+at+".", "")
			case found == revokedKey:
				revoked = at
			case found == brokenKey:
				broken = at
			}
		}
	}
	return s.missingKey(revoked, broken)
}

func (s *sending) missingKey(revoked, broken string) []provider.Finding {
	const subject = "DKIM"
	publish := fmt.Sprintf("Publish the records that %s shows for the domain, and verify it there.", s.company.name)
	switch {
	case broken != "":
		s.dkim = fails
		return one(subject, provider.Bad, "What stands at "+broken+" is no key: it was cut or wrongly quoted.", publish)
	case revoked != "":
		s.dkim = fails
		return one(subject, provider.Bad, "The key at "+revoked+" is revoked: its p is empty.", publish)
	case s.company.chosen:
		return one(subject, provider.Doubtful, "There is no key at the selectors that "+s.company.name+" proposes: "+strings.Join(s.company.selectors, ", ")+".",
			"Look in its console which selectors this domain has. "+publish)
	}
	s.dkim = fails
	return one(subject, provider.Doubtful, "There is no key of "+s.company.name+" at "+s.domain+": none of "+strings.Join(s.company.selectors, ", ")+" is published.", publish)
}

// key reads what stands at a selector. The version may be left out (RFC 6376 §3.6.1).
func (s *sending) key(ctx context.Context, at string) (key, error) {
	list, err := s.texts(ctx, at)
	if err != nil {
		return noKey, err
	}
	best := noKey
	for _, text := range list {
		record := tags(text)
		value, ok := record["p"]
		switch {
		case !ok && record["v"] == "" && record["k"] == "": // a record of something else, as wildcards have
		case !ok || record["v"] != "" && !strings.EqualFold(record["v"], "DKIM1"):
			best = max(best, brokenKey)
		case value == "":
			best = max(best, revokedKey)
		case !wholeKey(value):
			best = max(best, brokenKey)
		default:
			return goodKey, nil
		}
	}
	return best, nil
}

// shortestKey is an Ed25519 key in base64, which is the shortest that there is (RFC 8463 §4).
const shortestKey = 44

// wholeKey reports whether a value can be a key: base64 whose length is a multiple of four.
func wholeKey(value string) bool {
	return len(value) >= shortestKey && len(value)%4 == 0 &&
		strings.Trim(strings.TrimRight(value, "="), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") == ""
}

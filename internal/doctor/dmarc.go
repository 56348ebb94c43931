package doctor

import (
	"context"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/provider"
)

// lookDMARC looks at what the domain asks receivers to do with mail that nothing proves, and whether this provider's
// would be such mail.
func (s *sending) lookDMARC(ctx context.Context) []provider.Finding {
	const subject = "DMARC"
	at, records, err := s.policy(ctx)
	switch {
	case err != nil:
		return silence(subject)
	case len(records) == 0:
		return one(subject, provider.Doubtful, "There is no DMARC record; Gmail, Yahoo and Outlook ask for one from whoever sends much.",
			"Publish the TXT record \"v=DMARC1; p=none\" at _dmarc."+registered(s.domain)+", and a stricter one later.")
	case len(records) > 1:
		return one(subject, provider.Bad, "There is more than one DMARC record at "+at+", so receivers use none (RFC 7489 §6.6.3).", "Delete all but one.")
	}
	record := tags(records[0])
	asks := strings.ToLower(record["p"])
	if sub := strings.ToLower(record["sp"]); sub != "" && at != "_dmarc."+s.domain {
		asks = sub
	}
	if !slices.Contains([]string{"none", "quarantine", "reject"}, asks) {
		return one(subject, provider.Bad, "The record at "+at+" has no policy that receivers know: p must be none, quarantine or reject.", "Correct p in the record.")
	}
	return s.judge(at, asks, record)
}

// policy finds the DMARC records: at the domain itself, else at the one that was registered (RFC 7489 §6.6.3).
func (s *sending) policy(ctx context.Context) (at string, records []string, err error) {
	for _, domain := range []string{s.domain, registered(s.domain)} {
		at = "_dmarc." + domain
		list, err := s.texts(ctx, at)
		if err != nil {
			return at, nil, err
		}
		if records = tagged(list, "v=DMARC1"); len(records) > 0 {
			return at, records, nil
		}
	}
	return at, nil, nil
}

// judge says whether mail of this provider would pass.
func (s *sending) judge(at, asks string, record map[string]string) []provider.Finding {
	const subject = "DMARC"
	dkim, spf := s.dkim, s.permits
	if dkim == proves && !s.aligned(s.keyAt, record["adkim"] == "s") {
		dkim = fails
	}
	switch {
	case s.known && s.bounce == "": // the company's own domain, unless its console says otherwise
		if spf = unknown; dkim == fails {
			spf = fails
		}
	case spf == proves && !s.aligned(s.bounce, record["aspf"] == "s"):
		spf = fails
	}
	means := map[string]string{"none": "watch mail that nothing proves", "quarantine": "put mail that nothing proves into spam", "reject": "refuse mail that nothing proves"}[asks]
	switch {
	case dkim == proves || spf == proves:
		by := "DKIM"
		if dkim != proves {
			by = "SPF"
		}
		return one(subject, provider.Good, "The record at "+at+" asks receivers to "+means+"; mail of this provider passes by "+by+".", "")
	case dkim == fails && spf == fails && asks != "none":
		return one(subject, provider.Bad, "The record at "+at+" asks receivers to "+means+", and neither DKIM nor SPF proves mail of this provider for "+s.domain+".",
			"Publish the provider's DKIM key for the domain, as said above, or send from a domain that has it.")
	case dkim == fails && spf == fails:
		return one(subject, provider.Doubtful, "Neither DKIM nor SPF proves mail of this provider for "+s.domain+"; the record at "+at+" asks receivers to watch only.",
			"Publish the provider's DKIM key for the domain, before the policy becomes stricter.")
	}
	return one(subject, provider.Good, "The record at "+at+" asks receivers to "+means+".", "")
}

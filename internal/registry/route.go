package registry

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/suggest"
)

// compiledRoute is a route that was checked.
type compiledRoute struct {
	name      string
	channel   outbox.Channel
	match     Match
	priority  int
	providers []RouteLeg
	hedge     time.Duration
	// fallback is a route that no document made.
	fallback bool
}

const maxLegs = 8

func (c *compiler) route(name string, r *Route) error {
	if r.Channel != outbox.Email && r.Channel != outbox.SMS {
		return fmt.Errorf("channel: want email or sms")
	}
	if len(r.Providers) == 0 || len(r.Providers) > maxLegs {
		return fmt.Errorf("providers: want 1 to %d", maxLegs)
	}
	seen := map[string]bool{}
	legs := make([]RouteLeg, 0, len(r.Providers))
	for i, leg := range r.Providers {
		p, ok := c.providers[leg.Provider]
		switch {
		case c.broken[leg.Provider]:
			continue
		case !ok && c.failed[about(ProviderKind, leg.Provider)]:
			return nil
		case !ok:
			return fmt.Errorf("providers[%d]: unknown provider %q%s", i, leg.Provider, suggest.For(leg.Provider, slices.Collect(maps.Keys(c.providers))))
		case seen[leg.Provider]:
			return fmt.Errorf("providers[%d]: %s is in the route already", i, leg.Provider)
		case !slices.Contains(p.kind.Channels, r.Channel):
			return fmt.Errorf("providers[%d]: %s is a %s, which cannot carry %s", i, leg.Provider, p.kind.Name, r.Channel)
		case leg.Weight < 0 || leg.Weight > 1000:
			return fmt.Errorf("providers[%d].weight: want 0 to 1000", i)
		}
		seen[leg.Provider] = true
		legs = append(legs, leg)
	}
	if len(legs) == 0 {
		return fmt.Errorf("providers: none of them can be used")
	}
	if err := r.Match.check(r.Channel); err != nil {
		return err
	}
	if r.Hedge != 0 && r.Channel == outbox.SMS {
		return fmt.Errorf("hedge: only for email; a text message that is sent twice is paid for twice")
	}
	if hedge := time.Duration(r.Hedge); hedge != 0 && (hedge < 50*time.Millisecond || hedge > time.Minute) {
		return fmt.Errorf("hedge: want 50ms to 1m, or none")
	}
	if r.Disabled { // checked all the same, so that it can be enabled
		return nil
	}
	c.routes = append(c.routes, compiledRoute{name: name, channel: r.Channel, match: r.Match, priority: r.Priority,
		providers: legs, hedge: time.Duration(r.Hedge)})
	return nil
}

var prefixForm = regexp.MustCompile(`^\+[1-9][0-9]{0,14}$`)

func (m *Match) check(channel outbox.Channel) error {
	for i, p := range m.Purposes {
		if !slices.Contains(passcode.Purposes(), passcode.Purpose(p)) {
			var known []string
			for _, k := range passcode.Purposes() {
				known = append(known, string(k))
			}
			return fmt.Errorf("match.purposes[%d]: unknown purpose %q%s", i, p, suggest.For(p, known))
		}
	}
	if err := checkCountries("match.countries", m.Countries); err != nil {
		return err
	}
	for i, p := range m.Prefixes {
		if !prefixForm.MatchString(p) {
			return fmt.Errorf("match.prefixes[%d]: want the beginning of an E.164 number such as +33", i)
		}
	}
	for i, d := range m.Domains {
		if strings.ToLower(d) != d || !strings.Contains(strings.Trim(d, "."), ".") || strings.ContainsAny(d, "@ /:") {
			return fmt.Errorf("match.domains[%d]: want a mail domain in lower case such as example.org, or .example.org for all below it", i)
		}
	}
	if channel == outbox.Email && len(m.Countries)+len(m.Prefixes) > 0 {
		return fmt.Errorf("match: countries and prefixes are for sms; for email there are domains")
	}
	if channel == outbox.SMS && len(m.Domains) > 0 {
		return fmt.Errorf("match: domains are for email; for sms there are countries and prefixes")
	}
	return nil
}

// checkCountries demands ISO 3166-1 codes in capitals.
func checkCountries(place string, list []string) error {
	for i, code := range list {
		region, err := language.ParseRegion(code)
		if err != nil || !region.IsCountry() || region.Canonicalize().String() != code || len(code) != 2 {
			return fmt.Errorf("%s[%d]: %q is no country; want an ISO 3166-1 code of two capitals such as FR", place, i, code)
		}
	}
	return nil
}

// fits reports whether a message is one of those that are meant.
func (m *Match) fits(d *passcode.Destination) bool {
	return fitsOne(m.Applications, d.Application.Name, d.Application.ID) && fitsOne(m.Purposes, string(d.Purpose)) &&
		(len(m.Countries) == 0 || slices.Contains(m.Countries, d.Country())) &&
		(len(m.Prefixes) == 0 || slices.ContainsFunc(m.Prefixes, func(p string) bool { return strings.HasPrefix(d.To, p) })) &&
		(len(m.Domains) == 0 || slices.ContainsFunc(m.Domains, func(p string) bool { return fitsDomain(p, d.Domain()) }))
}

func fitsOne(list []string, values ...string) bool {
	return len(list) == 0 || slices.ContainsFunc(values, func(v string) bool { return slices.Contains(list, v) })
}

func fitsDomain(pattern, domain string) bool {
	if strings.HasPrefix(pattern, ".") {
		return strings.HasSuffix(domain, pattern)
	}
	return domain == pattern
}

// narrow counts the lists that a match names.
func (m *Match) narrow() (n int) {
	for _, list := range [][]string{m.Applications, m.Purposes, m.Countries, m.Prefixes, m.Domains} {
		if len(list) > 0 {
			n++
		}
	}
	return n
}

// sortRoutes puts the route that wins first. Those that no document made keep their order and come last.
func (c *compiler) sortRoutes() {
	slices.SortStableFunc(c.routes, func(a, b compiledRoute) int {
		switch {
		case a.fallback != b.fallback:
			if a.fallback {
				return 1
			}
			return -1
		case a.fallback:
			return 0
		}
		return cmp.Or(b.priority-a.priority, b.match.narrow()-a.match.narrow(), strings.Compare(a.name, b.name))
	})
}

// Route chooses the way of a message. Providers that are disabled are left out, and a route of which nothing is left is
// no route.
func (s *Snapshot) Route(d passcode.Destination) passcode.Route {
	if d.Provider != "" {
		p, ok := s.providers[d.Provider]
		if !ok || !slices.Contains(p.kind.Channels, d.Channel) {
			return passcode.Route{}
		}
		return passcode.Route{Providers: []string{d.Provider}}
	}
	for i := range s.routes {
		r := &s.routes[i]
		if r.channel != d.Channel || !r.match.fits(&d) {
			continue
		}
		if names := s.order(r.providers); len(names) > 0 {
			return passcode.Route{Name: r.name, Providers: names, Hedge: r.hedge}
		}
	}
	return passcode.Route{}
}

// order draws the order of the providers of a route: neighbours with weights by chance, the others as written.
func (s *Snapshot) order(legs []RouteLeg) []string {
	names := make([]string, 0, len(legs))
	left := make([]RouteLeg, 0, len(legs))
	for _, leg := range legs {
		if !s.providers[leg.Provider].disabled {
			left = append(left, leg)
		}
	}
	for len(left) > 0 {
		i := draw(left)
		names = append(names, left[i].Provider)
		left = slices.Delete(left, i, i+1)
	}
	return names
}

// draw chooses among the weighted providers that the list begins with; the first when it has no weight.
func draw(legs []RouteLeg) int {
	total := 0
	for _, leg := range legs {
		if leg.Weight == 0 {
			break
		}
		total += leg.Weight
	}
	if total == 0 {
		return 0
	}
	at := rand.IntN(total)
	for i, leg := range legs {
		if at -= leg.Weight; at < 0 {
			return i
		}
	}
	return 0
}

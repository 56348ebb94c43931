package registry

import (
	"cmp"
	"slices"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

// ListedProvider is a provider as somebody who examines it needs it.
type ListedProvider struct {
	Name string
	Kind provider.Kind
	// Settings are what Kind.Open takes, secrets among them; see provider.Kind.Public.
	Settings any
	Disabled bool
	// Events tells that a subscription sends events to it.
	Events bool
}

// ListProviders lists all providers by name, the given ones too.
func (s *Snapshot) ListProviders() []ListedProvider {
	all := make([]ListedProvider, 0, len(s.providers))
	for name, p := range s.providers {
		told := slices.ContainsFunc(s.subscriptions, func(c compiledSubscription) bool { return c.Provider == name })
		all = append(all, ListedProvider{Name: name, Kind: p.kind, Settings: p.settings, Disabled: p.disabled, Events: told})
	}
	slices.SortFunc(all, func(a, b ListedProvider) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// ListedRoute is a route, or the way of a channel that has none.
type ListedRoute struct {
	Name      string
	Channel   outbox.Channel
	Providers []string
	// Everything tells that it is for every message of its channel.
	Everything bool
}

// ListRoutes lists the routes in the order in which they are tried. A provider that the deploy-time settings name counts
// as a route of its own name, which every message takes that no other route is for.
func (s *Snapshot) ListRoutes() []ListedRoute {
	all := make([]ListedRoute, 0, len(s.routes))
	for i := range s.routes {
		r := &s.routes[i]
		listed := ListedRoute{Name: r.name, Channel: r.channel, Everything: r.match.narrow() == 0}
		for _, leg := range r.providers {
			listed.Providers = append(listed.Providers, leg.Provider)
		}
		all = append(all, listed)
	}
	return all
}

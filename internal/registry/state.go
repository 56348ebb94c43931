package registry

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// ProviderState is how a provider is doing, as the API answers it.
type ProviderState struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	// Given tells one that the deploy-time settings name from a document.
	Given    bool `json:"given"`
	Disabled bool `json:"disabled"`
	// State is one of the states below.
	State string `json:"state"`
	// LeftAloneUntil is when a provider that failed is tried again, zero for one that is not left alone.
	LeftAloneUntil time.Time `json:"left_alone_until,omitzero"`
	// Rate is what it may be given, nil when nothing bounds it.
	Rate *Rate `json:"rate,omitempty"`
}

// The states of providers.
const (
	// ProviderReady: it is tried.
	ProviderReady = "ready"
	// ProviderDisabled: its document takes it out of every route.
	ProviderDisabled = "disabled"
	// ProviderLeftAlone: it failed, and others are tried before it for a while.
	ProviderLeftAlone = "left_alone"
	// ProviderUnusable: its document cannot be used by this process, whose log says why.
	ProviderUnusable = "unusable"
)

// ProviderStates lists all providers by name: those of documents and those that the deploy-time settings name.
func (r *Registry) ProviderStates(ctx context.Context) ([]ProviderState, error) {
	if err := r.Refresh(ctx); err != nil { // what another node changed just now is not unusable
		return nil, err
	}
	documents, err := r.Documents(ctx)
	if err != nil {
		return nil, err
	}
	var left map[string]time.Time
	if r.Breakers != nil {
		if left, err = r.Breakers(ctx); err != nil {
			return nil, err
		}
	}
	now := r.Now()
	usable := r.Current().providers
	states := map[string]ProviderState{}
	for _, d := range documents {
		if d.Kind != ProviderKind {
			continue
		}
		var p Provider
		_ = d.Decode(&p) // what cannot be read is unusable, and its kind unknown
		s := ProviderState{Name: d.Name, Kind: p.Kind, Disabled: p.Disabled, State: ProviderUnusable, Rate: p.Rate}
		if compiled := usable[d.Name]; compiled != nil && !compiled.given {
			s.State = ProviderReady
		}
		states[d.Name] = s.with(left[d.Name], now)
	}
	for name, p := range usable {
		if p.given {
			s := ProviderState{Name: name, Kind: p.kind.Name, Given: true, State: ProviderReady}
			states[name] = s.with(left[name], now)
		}
	}
	return slices.SortedFunc(maps.Values(states), func(a, b ProviderState) int { return strings.Compare(a.Name, b.Name) }), nil
}

// with works in what documents and breakers say about a provider that can be used.
func (s ProviderState) with(until, now time.Time) ProviderState {
	switch {
	case s.State == ProviderUnusable:
	case s.Disabled:
		s.State = ProviderDisabled
	case until.After(now):
		s.State, s.LeftAloneUntil = ProviderLeftAlone, until.UTC()
	}
	return s
}

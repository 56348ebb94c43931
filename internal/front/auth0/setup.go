package auth0

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/registry"
	"github.com/otpost/otpost/internal/suggest"
)

// name is what the provider and the route of this door are called.
const name = "auth0"

// webhookName is the provider that custom hands messages to. It is the owner's, from the settings or a document.
const webhookName = "webhook"

// setup is the email provider: what the two documents say of it.
type setup struct {
	// name is Auth0's, such as smtp or azure_cs.
	name    string
	enabled bool
	// provider is without its secrets, which are registry.Kept. A custom one has none.
	provider                      registry.Provider
	route                         registry.Route
	providerVersion, routeVersion int64
}

// isNew reports whether nothing is stored yet.
func (s *setup) isNew() bool { return s.providerVersion == 0 && s.routeVersion == 0 }

// find reads what is in force, nil when there is no email provider.
func find(now *registry.Snapshot) (*setup, error) {
	s := &setup{name: customName}
	route, hasRoute := now.Document(registry.RouteKind, name)
	if hasRoute {
		if err := route.Decode(&s.route); err != nil {
			return nil, err
		}
		s.routeVersion = route.Version
	}
	stored, hasProvider := now.Document(registry.ProviderKind, name)
	if hasProvider {
		if err := s.readProvider(stored); err != nil {
			return nil, err
		}
	}
	if !hasRoute && !hasProvider {
		return nil, nil
	}
	s.enabled = hasRoute && !s.route.Disabled && !s.provider.Disabled
	return s, nil
}

func (s *setup) readProvider(stored registry.Document) error {
	shown, err := stored.Shown()
	if err != nil {
		return err
	}
	stored.Body = shown
	if err := stored.Decode(&s.provider); err != nil {
		return err
	}
	for setting, value := range s.provider.Settings {
		if bytes.HasPrefix(value, []byte("{")) { // a secret that is shown as its reference, which stays with it
			s.provider.Settings[setting] = quoted(registry.Kept)
		}
	}
	s.name, s.providerVersion = nameOf(s.provider.Kind), stored.Version
	return nil
}

// become works in what a client wants. from is the sender when nobody names one.
func (s *setup) become(asked *wanted, from string, now *registry.Snapshot) error {
	before := s.name
	if s.isNew() {
		s.enabled = true
	}
	if asked.name != nil {
		s.name = *asked.name
	}
	v, known := vendors()[s.name]
	switch {
	case s.name == "":
		return badBody("name is required; known are " + list(names()))
	case !known:
		return badBody(fmt.Sprintf("name: unknown email provider %q%s", s.name, suggest.For(s.name, names())))
	}
	if asked.enabled != nil {
		s.enabled = *asked.enabled
	}
	if s.name == customName {
		return s.becomeCustom(asked, now)
	}
	if s.name != before || s.isNew() {
		if asked.credentials == nil {
			return badBody("credentials is required; " + s.name + " has " + list(v.members()))
		}
		if sender, ok := s.provider.Settings["from"]; ok && asked.from == nil {
			asked.from = unquoted(sender)
		}
		s.provider = registry.Provider{Kind: v.kind, Settings: map[string]json.RawMessage{}}
	}
	if err := s.takeCredentials(v, asked.credentials); err != nil {
		return err
	}
	if err := s.takeSettings(v, asked); err != nil {
		return err
	}
	switch _, has := s.provider.Settings["from"]; {
	case asked.from != nil:
		s.provider.Settings["from"] = quoted(*asked.from)
	case !has && from != "":
		s.provider.Settings["from"] = quoted(from)
	case !has:
		return badBody("default_from_address is required: otpost has no sender of its own")
	}
	s.provider.Disabled = !s.enabled
	s.direct(name)
	return nil
}

// becomeCustom hands messages to the owner's webhook, where an Action of Auth0's would have them.
func (s *setup) becomeCustom(asked *wanted, now *registry.Snapshot) error {
	switch {
	case len(asked.credentials) > 0:
		return badBody("credentials: custom has none; the provider named webhook keeps its own")
	case asked.from != nil:
		return badBody("default_from_address: custom hands messages to your webhook, which chooses the sender; leave it out")
	case len(asked.settings) > 0:
		return badBody("settings: custom has none")
	case now.Providers()[webhookName].Name != vendors()[customName].kind:
		return badBody("name: custom hands messages to the provider named webhook, and there is none; set webhook_url, or make a provider of that name and kind")
	}
	s.provider = registry.Provider{}
	s.direct(webhookName)
	return nil
}

// direct puts a provider in the place that this door has in the route. What else the owner did to the route stays.
func (s *setup) direct(to string) {
	s.route.Disabled = !s.enabled
	if s.routeVersion == 0 {
		s.route = registry.Route{Channel: outbox.Email, Disabled: !s.enabled, Providers: []registry.RouteLeg{{Provider: to}}}
		return
	}
	ours := []string{name, webhookName}
	if i := slices.IndexFunc(s.route.Providers, func(l registry.RouteLeg) bool { return slices.Contains(ours, l.Provider) }); i >= 0 {
		s.route.Providers[i].Provider = to
		return
	}
	s.route.Providers = slices.Insert(s.route.Providers, 0, registry.RouteLeg{Provider: to})
}

// changes are the documents as they are to be, if they are still those that were read.
func (s *setup) changes() ([]registry.Change, error) {
	route, err := json.Marshal(s.route)
	if err != nil {
		return nil, err
	}
	changes := []registry.Change{{Kind: registry.RouteKind, Name: name, Body: route, IfVersion: &s.routeVersion}}
	if s.name == customName {
		if s.providerVersion > 0 {
			changes = append(changes, registry.Change{Kind: registry.ProviderKind, Name: name, IfVersion: &s.providerVersion})
		}
		return changes, nil
	}
	body, err := json.Marshal(s.provider)
	if err != nil {
		return nil, err
	}
	return append(changes, registry.Change{Kind: registry.ProviderKind, Name: name, Body: body, IfVersion: &s.providerVersion}), nil
}

// removal are the changes after which there is no email provider.
func (s *setup) removal() (changes []registry.Change) {
	if s.routeVersion > 0 {
		changes = append(changes, registry.Change{Kind: registry.RouteKind, Name: name, IfVersion: &s.routeVersion})
	}
	if s.providerVersion > 0 {
		changes = append(changes, registry.Change{Kind: registry.ProviderKind, Name: name, IfVersion: &s.providerVersion})
	}
	return changes
}

func quoted(text string) json.RawMessage {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err) // text always marshals
	}
	return raw
}

// unquoted is the text of a JSON string, nil for anything else.
func unquoted(raw json.RawMessage) *string {
	var text *string
	if json.Unmarshal(raw, &text) != nil {
		return nil
	}
	return text
}

package registry

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/suggest"
)

// Subscription has events sent to a customer's server, signed as Standard Webhooks says. The document names a provider of
// the kind webhook, which has the URL and the secrets.
type Subscription struct {
	Provider string `json:"provider" required:"true" help:"Name of a provider of the kind webhook."`
	// Events are outbox.HappeningTypes; all when empty.
	Events   []string `json:"events,omitempty" help:"Events to send, such as passcode.verified; all when the list is missing."`
	Disabled bool     `json:"disabled,omitempty" help:"Sends nothing, without deleting the subscription."`
}

// eventLife is for how long an event is tried.
const eventLife = 24 * time.Hour

func (c *compiler) subscription(name string, s *Subscription) error {
	p, ok := c.providers[s.Provider]
	if !ok && c.failed[about(ProviderKind, s.Provider)] {
		return nil
	}
	if !ok {
		var hooks []string
		for name, p := range c.providers {
			if p.kind.Name == "webhook" {
				hooks = append(hooks, name)
			}
		}
		return fmt.Errorf("provider: unknown provider %q%s", s.Provider, suggest.For(s.Provider, hooks))
	}
	if p.kind.Name != "webhook" {
		return fmt.Errorf("provider: %s is a %s; events are sent by a webhook", s.Provider, p.kind.Name)
	}
	var known []string
	for _, t := range outbox.HappeningTypes() {
		known = append(known, string(t))
	}
	for i, e := range s.Events {
		if !slices.Contains(known, e) {
			return fmt.Errorf("events[%d]: unknown event %q%s", i, e, suggest.For(e, known))
		}
	}
	if !s.Disabled && !p.disabled {
		c.subscriptions = append(c.subscriptions, compiledSubscription{name, *s})
	}
	return nil
}

type compiledSubscription struct {
	name string
	Subscription
}

// eventBody is what a customer's server gets (Standard Webhooks, "Payload structure").
type eventBody struct {
	Type      outbox.HappeningType `json:"type"`
	Timestamp time.Time            `json:"timestamp"`
	Data      eventData            `json:"data"`
}

type eventData struct {
	Passcode    string         `json:"passcode_id,omitempty"`
	Delivery    string         `json:"delivery_id,omitempty"`
	Application string         `json:"application_id"`
	Channel     outbox.Channel `json:"channel"`
	Purpose     string         `json:"purpose,omitempty"`
	State       outbox.State   `json:"state,omitempty"`
	Provider    string         `json:"provider,omitempty"`
}

// Publishes reports whether a subscription asks for such events.
func (r *Registry) Publishes(what outbox.HappeningType) bool {
	return slices.ContainsFunc(r.Current().subscriptions, func(s compiledSubscription) bool { return s.wants(what) })
}

func (s *compiledSubscription) wants(what outbox.HappeningType) bool {
	return len(s.Events) == 0 || slices.Contains(s.Events, string(what))
}

// Notify makes the deliveries of what happened, one for each subscription that asks for it. The same event of the same
// passcode or message is the same delivery, however often it is made.
func (r *Registry) Notify(h outbox.Happening) []outbox.Delivery {
	var out []outbox.Delivery
	for _, s := range r.Current().subscriptions {
		if !s.wants(h.Type) {
			continue
		}
		body, err := json.Marshal(eventBody{Type: h.Type, Timestamp: h.At.UTC(), Data: eventData{Passcode: h.Challenge, Delivery: h.Delivery,
			Application: h.Application, Channel: h.Channel, Purpose: h.Purpose, State: h.State, Provider: h.Provider}})
		if err != nil {
			continue // it is made of texts alone
		}
		same := sha256.Sum256([]byte("otpost event 1\x00" + s.name + "\x00" + string(h.Type) + "\x00" + h.Challenge + "\x00" + h.Delivery))
		out = append(out, outbox.Delivery{ID: outbox.NewID("ev", h.At), Tenant: h.Tenant, Application: h.Application,
			Channel: outbox.Event, To: s.name, Route: []string{s.Provider}, State: outbox.Queued, CreatedAt: h.At, DueAt: h.At,
			Deadline: h.At.Add(eventLife), Dedup: same[:], Message: &outbox.Message{Channel: outbox.Event, To: s.name, Text: string(body)}})
	}
	return out
}

package failover_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/registry"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
	"github.com/otpost/otpost/proof/rig"
)

// documents are settings that change while a server runs, by kind and name.
type documents map[registry.Kind]map[string]any

func (d documents) add(kind registry.Kind, name string, body any) {
	if d[kind] == nil {
		d[kind] = map[string]any{}
	}
	d[kind][name] = body
}

type object = map[string]any

// route adds a route of the email channel for the mailboxes of a domain.
func (d documents) route(name, domain, hedge string, providers ...string) {
	body := object{"channel": "email", "match": object{"domains": []string{domain}}}
	if hedge != "" {
		body["hedge"] = hedge
	}
	var legs []object
	for _, p := range providers {
		legs = append(legs, object{"provider": p})
	}
	body["providers"] = legs
	d.add(registry.RouteKind, name, body)
}

// apply writes the documents into a database, as an administrator does before the servers start.
func (d documents) apply(t testing.TB, s rig.Settings) {
	t.Helper()
	ring, _, err := seal.Open(s["keys"])
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), s["database"], ring, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := registry.Open(t.Context(), registry.Settings{Store: db, Tenant: "default", Rules: registry.Rules{Policy: passcode.DefaultPolicy()},
		Environment: provider.Environment{}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var changes []registry.Change
	for _, kind := range registry.Kinds() {
		for name, body := range d[kind] {
			text, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			changes = append(changes, registry.Change{Kind: kind, Name: name, Body: text})
		}
	}
	if _, err := r.Apply(t.Context(), "proof", changes); err != nil {
		t.Fatal(err)
	}
}

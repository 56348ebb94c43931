package failover_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/otpost/otpost/internal/registry"
	"github.com/otpost/otpost/proof/rig"
)

type object = map[string]any

// documents are settings that change while a server runs: a list for each kind, as in a file for otpost apply.
type documents map[string][]object

func (d documents) add(kind registry.Kind, name string, body object) {
	body = maps.Clone(body)
	body["name"] = name
	d[kind.Plural()] = append(d[kind.Plural()], body)
}

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

// apply sets a database up with the documents, before a server runs. JSON is YAML too.
func (d documents) apply(t testing.TB, s rig.Settings) {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, code := rig.Run(t, s, "apply", "-f", file); code != 0 {
		t.Fatalf("apply: exit %d\n%s%s", code, stdout, stderr)
	}
}

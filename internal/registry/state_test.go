package registry_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/registry"
)

func TestProviderStates(t *testing.T) {
	d := newDesk(t)
	var err error
	d.Registry, err = registry.Open(t.Context(), registry.Settings{Store: d.db, Tenant: "default", Now: func() time.Time { return d.now }, Breakers: d.db.Breakers,
		Rules: registry.Rules{Policy: d.Rules.Policy, Given: []registry.Given{{Name: "environment", Kind: "smtp", Channels: []outbox.Channel{outbox.Email},
			Settings: map[string]string{"host": "mail.example.org", "from": "a@example.org"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	body := func(more string) []byte {
		return []byte(`{"kind":"smtp"` + more + `,"settings":{"host":"mail.example.org","from":"a@example.org"}}`)
	}
	var changes []registry.Change
	for name, more := range map[string]string{"down": "", "off": `,"disabled":true`, "slow": `,"rate":{"messages":25,"per":"60s"}`, "was-down": ""} {
		changes = append(changes, registry.Change{Kind: registry.ProviderKind, Name: name, Body: body(more)})
	}
	if _, err := d.Apply(t.Context(), "test", changes); err != nil {
		t.Fatal(err)
	}
	// Another node, of a later release, stores what this one does not know.
	_, revision, err := d.db.Documents(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	later := registry.Document{Kind: registry.ProviderKind, Name: "later", Body: []byte(`{"kind":"pigeon","settings":{}}`), Version: revision + 1, UpdatedAt: d.now}
	if err := d.db.ChangeDocuments(t.Context(), "default", revision, []registry.Document{later}, nil, "test", d.now); err != nil {
		t.Fatal(err)
	}
	until := d.now.Add(20 * time.Second)
	for name, at := range map[string]time.Time{"down": until, "environment": until, "off": until, "was-down": d.now, "deleted long ago": until} {
		if err := d.db.OpenBreaker(t.Context(), name, at); err != nil {
			t.Fatal(err)
		}
	}
	got, err := d.ProviderStates(t.Context())
	want := []registry.ProviderState{
		{Name: "down", Kind: "smtp", State: "left_alone", LeftAloneUntil: until},
		{Name: "environment", Kind: "smtp", Given: true, State: "left_alone", LeftAloneUntil: until},
		{Name: "later", Kind: "pigeon", State: "unusable"},
		{Name: "off", Kind: "smtp", Disabled: true, State: "disabled"},
		{Name: "slow", Kind: "smtp", State: "ready", Rate: &registry.Rate{Messages: 25, Per: registry.Duration(time.Minute)}},
		{Name: "was-down", Kind: "smtp", State: "ready"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the states are\n%+v, %v\nwant\n%+v", got, err, want)
	}
}

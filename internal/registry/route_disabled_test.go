package registry_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/registry"
)

// written is a store of documents that nobody else changes.
type written struct {
	registry.Store
	documents []registry.Document
	revision  int64
}

func (w *written) Documents(context.Context, string) ([]registry.Document, int64, error) {
	return w.documents, w.revision, nil
}

func (w *written) ChangeDocuments(_ context.Context, _ string, _ int64, write, _ []registry.Document, _ string, _ time.Time) error {
	w.documents, w.revision = append(w.documents, write...), w.revision+1
	return nil
}

// TestADisabledRouteIsAsGoodAsNone sends a message the way it would go if the route were not there.
func TestADisabledRouteIsAsGoodAsNone(t *testing.T) {
	apply := func(wanted string) (*registry.Registry, error) {
		r, err := registry.Open(t.Context(), registry.Settings{Store: &written{}, Tenant: "default", Now: time.Now,
			Rules: registry.Rules{Policy: passcode.DefaultPolicy()}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		_, err = r.Apply(t.Context(), "test", []registry.Change{
			{Kind: registry.ProviderKind, Name: "first", Body: json.RawMessage(`{"kind":"smtp","settings":{"host":"a.example.org","from":"a@example.org"}}`)},
			{Kind: registry.ProviderKind, Name: "second", Body: json.RawMessage(`{"kind":"smtp","settings":{"host":"b.example.org","from":"a@example.org"}}`)},
			{Kind: registry.RouteKind, Name: "wanted", Body: json.RawMessage(wanted)},
			{Kind: registry.RouteKind, Name: "usual", Body: json.RawMessage(`{"channel":"email","providers":[{"provider":"second"}]}`)},
		})
		return r, err
	}
	for route, want := range map[string]string{
		`{"channel":"email","priority":1,"providers":[{"provider":"first"}]}`:                 "first",
		`{"channel":"email","priority":1,"disabled":true,"providers":[{"provider":"first"}]}`: "second",
	} {
		r, err := apply(route)
		if err != nil {
			t.Fatal(err)
		}
		way := r.Current().Route(passcode.Destination{Channel: outbox.Email, To: "lea@example.org"})
		if len(way.Providers) != 1 || way.Providers[0] != want {
			t.Errorf("%s: the message goes to %v, want %s", route, way.Providers, want)
		}
	}
	if _, err := apply(`{"channel":"email","disabled":true,"providers":[{"provider":"frist"}]}`); err == nil || !strings.Contains(err.Error(), "did you mean first?") {
		t.Errorf("a disabled route with an unknown provider: %v", err)
	}
}

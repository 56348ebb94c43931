package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/registry"
)

func document(kind registry.Kind, name, body string, version int64) registry.Document {
	return registry.Document{Kind: kind, Name: name, Body: json.RawMessage(body), Version: version, UpdatedAt: now}
}

// wantDocuments compares everything but the order.
func wantDocuments(t *testing.T, s Store, tenant string, revision int64, want ...registry.Document) {
	t.Helper()
	got, at, err := s.Documents(t.Context(), tenant)
	must(t, err)
	if again, err := s.Revision(t.Context(), tenant); err != nil || again != at || at != revision {
		t.Errorf("the revision is %d and %d, %v; want %d", at, again, err, revision)
	}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for _, w := range want {
		found := false
		for _, d := range got {
			found = found || same(d, w)
		}
		if !found {
			t.Errorf("got %+v, want %+v among them", got, w)
		}
	}
}

func same(a, b registry.Document) bool {
	return a.Kind == b.Kind && a.Name == b.Name && string(a.Body) == string(b.Body) && a.Version == b.Version && a.UpdatedAt.Equal(b.UpdatedAt)
}

func documentsAreKept(t *testing.T, s Store) {
	wantDocuments(t, s, "default", 0)
	mail := document(registry.ProviderKind, "mail", `{"kind":"smtp","settings":{"password":{"value":"h\u00e9<&>"}}}`, 1)
	route := document(registry.RouteKind, "mail", `{"channel":"email"}`, 1)
	must(t, s.ChangeDocuments(t.Context(), "default", 0, []registry.Document{mail, route}, nil, "ada", now))
	wantDocuments(t, s, "default", 1, mail, route)

	changed := document(registry.RouteKind, "mail", `{"channel":"sms"}`, 2)
	must(t, s.ChangeDocuments(t.Context(), "default", 1, []registry.Document{changed}, []registry.Document{mail}, "lea", now.Add(time.Second)))
	wantDocuments(t, s, "default", 2, changed)
	for _, before := range []registry.Document{mail, route} {
		past, err := s.History(t.Context(), "default", before.Kind, before.Name, 10)
		if err != nil || len(past) != 1 || !same(past[0].Document, before) || past[0].ReplacedBy != "lea" || !past[0].ReplacedAt.Equal(now.Add(time.Second)) {
			t.Errorf("the history of %s is %+v, %v", before.Kind, past, err)
		}
	}
}

func oneChangeOfARevisionWins(t *testing.T, s Store) {
	for base := range int64(2) {
		var mu sync.Mutex
		won := ""
		ok := together(8, func(i int) error {
			name := fmt.Sprintf("policy%d", i)
			err := s.ChangeDocuments(t.Context(), "default", base, []registry.Document{document(registry.PolicyKind, name, "{}", base+1)}, nil, name, now)
			if err == nil {
				mu.Lock()
				won = name
				mu.Unlock()
			} else if !errors.Is(err, registry.ErrChanged) {
				t.Errorf("a change that came late failed with %v, want ErrChanged", err)
			}
			return err
		})
		if ok != 1 {
			t.Errorf("%d changes of revision %d were written, want 1", ok, base)
		}
		documents, revision, err := s.Documents(t.Context(), "default")
		must(t, err)
		if revision != base+1 || len(documents) == 0 || int64(len(documents)) > base+1 {
			t.Errorf("after %s won at revision %d there are %+v at %d", won, base, documents, revision)
		}
	}
}

func refusedChangeLeavesAll(t *testing.T, s Store) {
	first := document(registry.PolicyKind, "strict", `{"length":8}`, 1)
	must(t, s.ChangeDocuments(t.Context(), "default", 0, []registry.Document{first}, nil, "ada", now))
	for _, base := range []int64{0, 2, 7} {
		err := s.ChangeDocuments(t.Context(), "default", base, []registry.Document{document(registry.PolicyKind, "strict", `{"length":4}`, base+1),
			document(registry.PolicyKind, "lax", `{}`, base+1)}, []registry.Document{first}, "lea", now)
		if !errors.Is(err, registry.ErrChanged) {
			t.Errorf("a change of revision %d: %v, want ErrChanged", base, err)
		}
	}
	wantDocuments(t, s, "default", 1, first)
	past, err := s.History(t.Context(), "default", registry.PolicyKind, "strict", 10)
	if err != nil || len(past) != 0 {
		t.Errorf("changes that were refused left %+v, %v", past, err)
	}
}

func historyIsKept(t *testing.T, s Store) {
	const changes = registry.KeptPast + 5
	other := document(registry.PolicyKind, "other", "{}", 1)
	must(t, s.ChangeDocuments(t.Context(), "default", 0, []registry.Document{other}, nil, "ada", now))
	must(t, s.ChangeDocuments(t.Context(), "default", 1, []registry.Document{document(registry.PolicyKind, "other", `{"length":8}`, 2)}, nil, "ada", now))
	for i := range int64(changes) {
		d := document(registry.PolicyKind, "strict", fmt.Sprintf(`{"tries":%d}`, i), i+3)
		must(t, s.ChangeDocuments(t.Context(), "default", i+2, []registry.Document{d}, nil, "ada", now))
	}
	past, err := s.History(t.Context(), "default", registry.PolicyKind, "strict", changes)
	must(t, err)
	if len(past) != registry.KeptPast || past[0].Version != changes+1 || past[len(past)-1].Version != changes+2-registry.KeptPast {
		t.Errorf("%d earlier forms are kept, the newest %d", len(past), past[0].Version)
	}
	if past, err = s.History(t.Context(), "default", registry.PolicyKind, "strict", 3); err != nil || len(past) != 3 || past[0].Version != changes+1 {
		t.Errorf("of three that were asked for there are %+v, %v", past, err)
	}
	if past, err = s.History(t.Context(), "default", registry.PolicyKind, "other", 9); err != nil || len(past) != 1 {
		t.Errorf("the history of another document is %+v, %v", past, err)
	}
	// What it was when it was deleted is kept for a year.
	documents, revision, err := s.Documents(t.Context(), "default")
	must(t, err)
	must(t, s.ChangeDocuments(t.Context(), "default", revision, nil, documents, "ada", now))
	for _, test := range []struct {
		after time.Duration
		want  int
	}{{365 * 24 * time.Hour, registry.KeptPast}, {365*24*time.Hour + time.Millisecond, 0}} {
		if _, err := s.Sweep(t.Context(), now.Add(test.after), time.Hour); err != nil {
			t.Fatal(err)
		}
		past, err := s.History(t.Context(), "default", registry.PolicyKind, "strict", 100)
		if err != nil || len(past) != test.want {
			t.Errorf("%v later there are %d earlier forms, %v; want %d", test.after, len(past), err, test.want)
		}
	}
}

func documentsOfTenantsAreApart(t *testing.T, s Store) {
	a, b := document(registry.PolicyKind, "strict", `{"tries":1}`, 1), document(registry.PolicyKind, "strict", `{"tries":2}`, 1)
	must(t, s.ChangeDocuments(t.Context(), "a", 0, []registry.Document{a}, nil, "ada", now))
	must(t, s.ChangeDocuments(t.Context(), "b", 0, []registry.Document{b}, nil, "ada", now))
	must(t, s.ChangeDocuments(t.Context(), "b", 1, nil, []registry.Document{b}, "ada", now))
	wantDocuments(t, s, "a", 1, a)
	wantDocuments(t, s, "b", 2)
	if past, err := s.History(t.Context(), "a", registry.PolicyKind, "strict", 9); err != nil || len(past) != 0 {
		t.Errorf("a tenant has the history %+v of another, %v", past, err)
	}
}

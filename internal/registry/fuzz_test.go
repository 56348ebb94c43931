package registry_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/registry"
)

// FuzzParseSet gives anything to a registry. What is taken can be exported, and applied again changes nothing; what is
// refused changes nothing.
func FuzzParseSet(f *testing.F) {
	for _, seed := range []string{`{}`, `{"policies":[{"name":"a","length":8,"lifetime":"10m"}]}`,
		`{"providers":[{"name":"mail","kind":"smtp","settings":{"host":"mail.example.org","from":"a@example.org","password":{"ref":"env:A","value":"hunter2"}}}],"routes":[{"name":"r","channel":"email","providers":[{"provider":"mail","weight":3}],"match":{"domains":[".example.org"]},"hedge":"50ms"}]}`,
		`{"applications":[{"name":"Shop","domain":"shop.example","policy":"default"}]}`, `{"policies":[{"name":"a"},{"name":"a"}]}`, `{"policies":[{"name":"\u0000","":[[[[]]]]}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s := &shelf{}
		r, err := registry.Open(t.Context(), settings(s))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		set, _, err := registry.ParseSet(body)
		if err == nil {
			_, err = r.ApplySet(t.Context(), "ada", set)
		}
		var invalid *registry.Invalid
		if err != nil {
			if !errors.As(err, &invalid) || s.revision != 0 {
				t.Fatalf("%v at revision %d", err, s.revision)
			}
			return
		}
		exported, err := registry.Export(s.documents)
		if err != nil {
			t.Fatal(err)
		}
		again, named, err := registry.ParseSet(exported)
		if err != nil {
			t.Fatalf("%s: %v", exported, err)
		}
		again.Prune = named
		if diff, err := r.Plan(t.Context(), again); err != nil || len(diff) != 0 {
			t.Fatalf("%s was exported from %s and changes %+v, %v", exported, body, diff, err)
		}
		if strings.Contains(string(exported), "hunter2") && !strings.Contains(strings.ReplaceAll(string(body), `"value":"hunter2"`, ""), "hunter2") {
			t.Fatalf("exported %s", exported)
		}
	})
}

package registry_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/registry"
)

// mail is a mail server with the settings that are given beside the usual ones, each with a comma before it.
func mail(more string) registry.Change {
	return put("provider", "mail", `{"kind":"smtp","settings":{"host":"mail.example.net","from":"codes@example.org","username":"u"`+more+`}}`)
}

// storedSecret is the password of the provider mail as it is stored.
func storedSecret(t *testing.T, r *registry.Registry) string {
	t.Helper()
	d, err := r.Document(t.Context(), "provider", "mail")
	if err != nil {
		t.Fatal(err)
	}
	var p registry.Provider
	if err := d.Decode(&p); err != nil {
		t.Fatal(err)
	}
	return string(p.Settings["password"])
}

func TestSecretsAreKept(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	must(t, r, mail(`,"password":{"ref":"env:MAIL","value":"hunter2"}`))
	const want = `{"ref":"env:MAIL","value":"hunter2"}`
	for _, form := range []string{`"(kept)"`, `{"value":"(kept)"}`, `{"ref":"env:MAIL"}`} {
		diff := must(t, r, mail(`,"password":`+form+`,"helo":"x"`))
		if got := storedSecret(t, r); got != want || strings.Contains(fmt.Sprint(diff), "hunter2") {
			t.Errorf("%s left the password %s; the diff is %+v", form, got, diff)
		}
		must(t, r, mail(`,"password":`+form))
	}
	// The same address, written otherwise or as its default, is the same address.
	must(t, r, put("provider", "mail", `{"kind":"smtp","settings":{"host":"mail.\u0065xample.net","from":"codes@example.org","username":"u","password":"(kept)"}}`))
	must(t, r, mail(`,"password":{"ref":"env:OTHER","value":"hunter3"}`))
	if got := storedSecret(t, r); !strings.Contains(got, "hunter3") || !strings.Contains(got, "env:OTHER") {
		t.Errorf("a new password was stored as %s", got)
	}
}

func TestSecretsAreNotKeptForAnotherPlace(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	const nothing = "provider mail: settings.password: nothing is stored that could be kept; give the value"
	refused(t, r, s, []registry.Change{mail(`,"password":"(kept)"`)}, nothing)
	must(t, r, mail(`,"password":{"ref":"env:MAIL","value":"hunter2"}`),
		put("provider", "texts", `{"kind":"webhook","settings":{"url":"https://a.example.org/?a=1&b=2","secrets":["`+secret+`"]}}`))
	elsewhere := func(password string) registry.Change {
		return put("provider", "mail", `{"kind":"smtp","settings":{"host":"evil.example","from":"codes@example.org","username":"u","password":`+password+`}}`)
	}
	const moved = "provider mail: settings.password: give the value again, because settings.host changes where it is sent"
	refused(t, r, s, []registry.Change{elsewhere(`"(kept)"`)}, moved)
	refused(t, r, s, []registry.Change{elsewhere(`{"ref":"env:MAIL"}`)}, moved)
	refused(t, r, s, []registry.Change{mail(`,"password":"(kept)","port":2525`)},
		"provider mail: settings.password: give the value again, because settings.port changes where it is sent")
	refused(t, r, s, []registry.Change{put("provider", "mail", `{"kind":"resend","settings":{"api_key":"(kept)","from":"codes@example.org"}}`)},
		"provider mail: settings.api_key: nothing is stored that could be kept; give the value")
	must(t, r, elsewhere(`"hunter3"`))
	// An address with an ampersand is stored in another spelling, and is the same.
	must(t, r, put("provider", "texts", `{"kind":"webhook","settings":{"url":"https://a.example.org/?a=1&b=2","secrets":"(kept)","timeout":"2s"}}`))
	refused(t, r, s, []registry.Change{put("provider", "texts", `{"kind":"webhook","settings":{"url":"https://b.example.org/","secrets":"(kept)"}}`)},
		"provider texts: settings.secrets: give the value again, because settings.url changes where it is sent")
}

func TestTheServerFollowsNoReference(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	t.Setenv("OTPOST_TEST_SECRET", "from the environment")
	refused(t, r, s, []registry.Change{mail(`,"password":{"ref":"env:OTPOST_TEST_SECRET"}`)},
		"provider mail: settings.password: the value is missing; a reference alone is resolved by otpost apply, not by the server")
	refused(t, r, s, []registry.Change{mail(`,"password":{"ref":"hunter2","value":"hunter2"}`)},
		"provider mail: settings.password: ref: want env:NAME or file:PATH; it is shown to everybody who may see settings")
	refused(t, r, s, []registry.Change{mail(`,"password":{"reff":"env:A","value":"x"}`)},
		"provider mail: settings.password: reff: unknown member; did you mean ref?")
	must(t, r, mail(`,"password":"env:OTPOST_TEST_SECRET"`))
	if got := storedSecret(t, r); got != `{"value":"env:OTPOST_TEST_SECRET"}` {
		t.Errorf("a text that looks like a reference was stored as %s", got)
	}
}

// TestNoSecretIsShown gives every secret setting of every kind of provider a value that stands nowhere else, and looks
// for it in all that is shown.
func TestNoSecretIsShown(t *testing.T) {
	const hidden = "n0body-may-see-this"
	for _, kind := range provider.Kinds() {
		settings := map[string]any{}
		secrets := 0
		for i, f := range kind.Fields() {
			switch {
			case f.Secret && f.Type == "list":
				settings[f.Name], secrets = []string{hidden + "-a", hidden + "-b"}, secrets+1
			case f.Secret && i%2 == 0:
				settings[f.Name], secrets = map[string]any{"ref": "env:A", "value": hidden}, secrets+1
			case f.Secret:
				settings[f.Name], secrets = hidden, secrets+1
			default:
				settings[f.Name] = "x"
			}
		}
		body, err := json.Marshal(map[string]any{"kind": kind.Name, "settings": settings})
		if err != nil {
			t.Fatal(err)
		}
		d := registry.Document{Kind: registry.ProviderKind, Name: "a", Body: body}
		shown, err := d.Shown()
		if err != nil || strings.Contains(string(shown), hidden) {
			t.Errorf("%s is shown as %s, %v", kind.Name, shown, err)
		}
		exported, err := registry.Export([]registry.Document{d})
		if err != nil || strings.Contains(string(exported), hidden) {
			t.Errorf("%s is exported as %s, %v", kind.Name, exported, err)
		}
		if n := strings.Count(string(shown), registry.Kept) + strings.Count(string(shown), "env:A"); n != secrets {
			t.Errorf("%s shows %d of %d secrets: %s", kind.Name, n, secrets, shown)
		}
		schema := registry.ProviderSchema(kind).Properties.Find("settings")
		for _, f := range kind.Fields() {
			if got := schema.Properties.Find(f.Name); got == nil || got.WriteOnly != f.Secret {
				t.Errorf("the schema of %s has %+v for %s", kind.Name, got, f.Name)
			}
		}
	}
	later := registry.Document{Kind: registry.ProviderKind, Name: "a", Body: json.RawMessage(`{"kind":"pigeon","settings":{"key":"` + hidden + `"}}`)}
	if shown, err := later.Shown(); err != nil || strings.Contains(string(shown), hidden) {
		t.Errorf("a kind that nobody knows is shown as %s, %v", shown, err)
	}
}

func TestADiffHidesSecrets(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	first := must(t, r, mail(`,"password":{"ref":"env:MAIL","value":"hunter2"}`))
	second := must(t, r, mail(`,"password":{"ref":"file:/run/mail","value":"hunter3"}`))
	third := must(t, r, registry.Change{Kind: "provider", Name: "mail"})
	for _, diff := range []registry.Diff{first, second, third} {
		if text := fmt.Sprintf("%+v", diff); strings.Contains(text, "hunter") || !strings.Contains(text, "(secret)") {
			t.Errorf("the diff is %s", text)
		}
	}
	want := []registry.Field{{Path: "settings.password.ref", Old: `"env:MAIL"`, New: `"file:/run/mail"`},
		{Path: "settings.password.value", Old: "(secret)", New: "(secret)"}}
	if !reflect.DeepEqual(second[0].Fields, want) {
		t.Errorf("the change of a secret is %+v, want %+v", second[0].Fields, want)
	}
}

func TestErrorsQuoteNoSecret(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	for _, body := range []string{
		`{"kind":"resend","settings":{"from":"x","api_key":{"value":["hunter2"]}}}`,
		`{"kind":"resend","settings":{"from":"x","api_key":"hunter2","receipt_secret":"hunter2"}}`,
		`{"kind":"resend","settings":{"from":"x","api_key":{"hunter2":1}}}`,
		`{"kind":"webhook","settings":{"url":"https://a.example.org","secrets":["hunter2"]}}`,
		`{"kind":"webhook","settings":{"url":"https://a.example.org","secrets":["hunter2 hunter2"]}}`,
	} {
		_, err := r.Apply(t.Context(), "ada", []registry.Change{put("provider", "a", body)})
		var invalid *registry.Invalid
		if !errors.As(err, &invalid) {
			t.Errorf("%s: %v, want it refused", body, err)
		} else if strings.Contains(body, `"hunter2":1`) {
			continue // there it is a name, not a value
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error is %v", body, err)
		}
	}
}

func TestExportIsTheInputOfParseSet(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	must(t, r, mail(`,"password":{"ref":"env:MAIL","value":"hunter2"}`), put("provider", "literal", `{"kind":"resend","settings":{"api_key":"re_1","from":"codes@example.org"}}`),
		put("policy", "plain", `{}`), put("route", "all", `{"channel":"email","providers":[{"provider":"mail"}]}`), put("application", "Shop", `{"policy":"plain"}`))
	documents, err := r.Documents(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	exported, err := registry.Export(documents)
	if err != nil {
		t.Fatal(err)
	}
	set, named, err := registry.ParseSet(exported)
	if err != nil || len(named) != len(registry.Kinds()) || len(set.Changes) != 5 {
		t.Fatalf("%s is read as %+v, %v, %v", exported, set, named, err)
	}
	set.Prune = named
	if diff, err := r.ApplySet(t.Context(), "ada", set); err != nil || len(diff) != 0 {
		t.Errorf("what was exported changes %+v, %v", diff, err)
	}
}

func TestParseSetSaysAllThatIsWrong(t *testing.T) {
	for body, want := range map[string]string{
		`[]`:                                     "want a JSON object",
		`{"providrs":[]}`:                        "providrs: unknown kind; did you mean providers?",
		`{"policies":{}}`:                        "policy: policies: want a list",
		`{"policies":[{}]}`:                      "policy: policies[0]: the name is missing",
		`{"policies":[{"name":1}]}`:              "policy: policies[0]: name: want a string",
		`{"policies":[7]}`:                       "policy: policies[0]: want a JSON object",
		`{"policies":[{"name":"a","name":"b"}]}`: "policies[0].name: comes twice",
		`{"policies":[],"policies":[]}`:          "policies: comes twice",
		`{"policies":[{"name":"a"},{"name":"a"}],"rutes":[]}`: "policy a: policies[1].name: there is another policy of this name; rutes: unknown kind; did you mean routes?",
	} {
		set, _, err := registry.ParseSet([]byte(body))
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
		_ = set
	}
}

// keeper is a shelf with a history.
type keeper struct {
	*shelf
	past []registry.Past
}

func (k *keeper) History(context.Context, string, registry.Kind, string, int) ([]registry.Past, error) {
	return k.past, nil
}

func TestRestoreBringsBackWhatWasWithItsSecret(t *testing.T) {
	k := &keeper{shelf: &shelf{}}
	set := settings(k.shelf)
	set.Store = k
	r, err := registry.Open(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	must(t, r, mail(`,"password":"hunter2"`))
	old, err := r.Document(t.Context(), "provider", "mail")
	if err != nil {
		t.Fatal(err)
	}
	k.past = []registry.Past{{Document: old}}
	must(t, r, registry.Change{Kind: "provider", Name: "mail"})
	if _, err := r.Restore(t.Context(), "lea", "provider", "mail", old.Version+1); !errors.Is(err, registry.ErrNoDocument) {
		t.Errorf("restore of a version that never was: %v", err)
	}
	diff, err := r.Restore(t.Context(), "lea", "provider", "mail", old.Version)
	if err != nil || len(diff) != 1 || diff[0].Action != registry.Create || storedSecret(t, r) != `{"value":"hunter2"}` || k.by[2] != "lea" {
		t.Errorf("got %+v, %v, changed by %q", diff, err, k.by)
	}
}

func TestSchemasNameWhatTheStructsHold(t *testing.T) {
	var purposes []string
	for _, p := range passcode.Purposes() {
		purposes = append(purposes, string(p))
	}
	route := registry.SchemaOf(registry.RouteKind)
	if got := route.Properties.Find("match").Properties.Find("purposes").Items.Enum; !reflect.DeepEqual(got, purposes) {
		t.Errorf("purposes are %q, want %q", got, purposes)
	}
	if got := route.Properties.Find("channel").Enum; !reflect.DeepEqual(got, []string{string(outbox.Email), string(outbox.SMS)}) {
		t.Errorf("channels are %q", got)
	}
	var walk func(place string, s *registry.Schema)
	walk = func(place string, s *registry.Schema) {
		for _, p := range s.Properties {
			if p.Schema.Description == "" && p.Schema.Const == "" {
				t.Errorf("%s.%s has no sentence of help", place, p.Name)
			}
			walk(place+"."+p.Name, p.Schema)
		}
		if s.Items != nil {
			walk(place+"[]", s.Items)
		}
	}
	for _, kind := range registry.Kinds() {
		s := registry.SchemaOf(kind)
		walk(string(kind), s)
		if s.Properties[0].Name != "name" || s.Required[0] != "name" {
			t.Errorf("%s has no name", kind)
		}
		for _, p := range s.Properties[1:] {
			if p.Name == "name" {
				t.Errorf("%s has a member of its own that is called name, which is the document's", kind)
			}
		}
	}
	if registry.SchemaOf("gard") != nil {
		t.Error("a kind that is none has a schema")
	}
}

func TestDurationsAreWrittenShort(t *testing.T) {
	for given, want := range map[string]string{"600s": "10m", "10m0.5s": "10m0.5s", "60m": "1h", "1h30m": "1h30m", "90s": "1m30s",
		"20s": "20s", "0s": "0s", "24h": "24h", "1h0m10s": "1h0m10s", "100ms": "100ms"} {
		var d registry.Duration
		if err := d.UnmarshalText([]byte(given)); err != nil {
			t.Fatal(err)
		}
		if got, err := d.MarshalText(); err != nil || string(got) != want {
			t.Errorf("%s is written %s, %v; want %s", given, got, err, want)
		}
	}
}

package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/registry"
)

const secret = "whsec_c2VjcmV0IG9mIHRoZSB0ZXN0LCBub3QgZm9yIHVzZQ=="

func noon() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) }

// shelf is a store in memory.
type shelf struct {
	registry.Store // History is not asked for
	mu             sync.Mutex
	documents      []registry.Document
	revision       int64
	by             []string
	// fails is what ChangeDocuments returns; between is called before it, as if another came in between.
	fails   error
	between func(s *shelf)
}

func (s *shelf) Documents(context.Context, string) ([]registry.Document, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.documents), s.revision, nil
}

func (s *shelf) Revision(context.Context, string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision, nil
}

func (s *shelf) ChangeDocuments(_ context.Context, _ string, base int64, write, remove []registry.Document, by string, _ time.Time) error {
	if f := s.between; f != nil {
		s.between = nil
		f(s)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		return s.fails
	}
	if base != s.revision {
		return registry.ErrChanged
	}
	for _, d := range slices.Concat(write, remove) {
		s.documents = slices.DeleteFunc(s.documents, func(o registry.Document) bool { return o.Kind == d.Kind && o.Name == d.Name })
	}
	s.documents = append(s.documents, write...)
	s.revision++
	s.by = append(s.by, by)
	return nil
}

// inboxes lets the inbox kind be opened.
type inboxes struct{}

func (inboxes) Keep(context.Context, string, outbox.Message) error { return nil }

// rules are those of a server with a mail server and an inbox in its settings.
func rules() registry.Rules {
	return registry.Rules{Policy: passcode.DefaultPolicy(), Given: []registry.Given{
		{Name: "environment", Kind: "smtp", Settings: map[string]string{"host": "mail.example.org", "from": "codes@example.org"},
			Channels: []outbox.Channel{outbox.Email}},
		{Name: "inbox", Kind: "inbox", Channels: []outbox.Channel{outbox.SMS}},
	}}
}

func settings(s *shelf) registry.Settings {
	return registry.Settings{Store: s, Tenant: "default", Rules: rules(), Now: noon, Environment: provider.Environment{Inbox: inboxes{}}}
}

func open(t *testing.T, s *shelf) *registry.Registry {
	t.Helper()
	r, err := registry.Open(t.Context(), settings(s))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func put(kind registry.Kind, name, body string) registry.Change {
	return registry.Change{Kind: kind, Name: name, Body: json.RawMessage(body)}
}

func smtp(name, host string) registry.Change {
	return put(registry.ProviderKind, name, `{"kind":"smtp","settings":{"host":"`+host+`","from":"codes@example.org","username":"u","password":"p4ss-`+name+`"}}`)
}

func must(t *testing.T, r *registry.Registry, changes ...registry.Change) registry.Diff {
	t.Helper()
	diff, err := r.Apply(t.Context(), "ada", changes)
	if err != nil {
		t.Fatal(err)
	}
	return diff
}

// refused wants a change refused, with every problem as "kind name: place: message", and nothing changed by it.
func refused(t *testing.T, r *registry.Registry, s *shelf, changes []registry.Change, want ...string) {
	t.Helper()
	before, at := r.Current(), s.revision
	diff, err := r.Apply(t.Context(), "ada", changes)
	var invalid *registry.Invalid
	if !errors.As(err, &invalid) || len(diff) != 0 {
		t.Fatalf("got %+v, %v; want it refused", diff, err)
	}
	if got := strings.Split(invalid.Error(), "; "+string(invalid.Problems[0].Kind)); len(invalid.Problems) != len(want) {
		t.Fatalf("got %d problems %q, want %d", len(invalid.Problems), got, len(want))
	}
	for i, p := range invalid.Problems {
		one := (&registry.Invalid{Problems: []registry.Problem{p}}).Error()
		if one != want[i] {
			t.Errorf("problem %d is\n%s\nwant\n%s", i, one, want[i])
		}
	}
	if r.Current() != before || s.revision != at {
		t.Error("a change that was refused changed something")
	}
}

func TestWrongDocumentsAreRefusedWithTheirPlace(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	must(t, r, smtp("mail", "mail.example.net"), put(registry.ProviderKind, "texts", `{"kind":"webhook","settings":{"url":"https://sms.example.org/","secrets":["`+secret+`"]}}`))
	for _, test := range []struct {
		name   string
		change registry.Change
		want   string
	}{
		{"unknown kind of provider", put("provider", "a", `{"kind":"smpt"}`), `provider a: kind: unknown provider kind "smpt"; did you mean smtp?`},
		{"unknown member", put("provider", "a", `{"kind":"smtp","setings":{}}`), `provider a: setings: unknown member; did you mean settings?`},
		{"a member in capitals", put("provider", "a", `{"Kind":"smtp"}`), `provider a: Kind: unknown member; did you mean kind?`},
		{"unknown member within", put("route", "a", `{"channel":"sms","match":{"contries":["FR"]}}`), `route a: match.contries: unknown member; did you mean countries?`},
		{"wrong type within", put("route", "a", `{"channel":"sms","providers":[{"provider":"texts","weight":"3"}]}`), `route a: providers[0].weight: want a whole number`},
		{"wrong type in a list", put("route", "a", `{"channel":"sms","match":{"countries":["FR",1]}}`), `route a: match.countries[1]: want a string`},
		{"a number for a list", put("route", "a", `{"channel":"sms","providers":7}`), `route a: providers: want a list`},
		{"a number for a duration", put("route", "a", `{"channel":"sms","hedge":7}`), `route a: hedge: want a string`},
		{"not a duration", put("policy", "a", `{"lifetime":"soon"}`), `policy a: lifetime: want a duration such as 90s or 10m`},
		{"a member twice", put("route", "a", `{"channel":"sms","match":{"domains":[],"domains":[]}}`), `route a: match.domains: comes twice`},
		{"text behind", put("policy", "a", `{} {}`), `policy a: there is text after the JSON value`},
		{"no object", put("policy", "a", `[]`), `policy a: want a JSON object`},
		{"null", put("policy", "a", `null`), `policy a: want a JSON object`},
		{"not JSON", put("policy", "a", `{`), `policy a: not JSON`},
		{"unknown setting", put("provider", "a", `{"kind":"smtp","settings":{"hots":"mail.example.org"}}`), `provider a: settings.hots: unknown setting; did you mean host?`},
		{"missing setting", put("provider", "a", `{"kind":"smtp","settings":{"host":"mail.example.org"}}`), `provider a: settings.from: is missing: Sender's address, alone or as Name <address>.`},
		{"wrong type of a setting", put("provider", "a", `{"kind":"smtp","settings":{"host":"mail.example.org","from":"a@example.org","port":"25"}}`), `provider a: settings.port: wrong type: want a number`},
		{"wrong choice", put("provider", "a", `{"kind":"smtp","settings":{"host":"mail.example.org","from":"a@example.org","tls":"yes"}}`), `provider a: settings.tls: "yes" is not a choice; known are implicit, none, starttls`},
		{"wrong rate", put("provider", "a", `{"kind":"inbox","rate":{"messages":0,"per":"1s"}}`), `provider a: rate: want at least 1 message per 1s to 744h`},
		{"a name of the settings", put("provider", "environment", `{"kind":"inbox"}`), `provider environment: the deploy-time settings have a provider of this name; choose another`},
		{"a name that is no name", put("policy", "a/b", `{}`), `policy a/b: the name must be 1 to 64 letters, digits, dots, hyphens and underscores`},
		{"dots", put("policy", "..", `{}`), `policy ..: the name must be 1 to 64 letters, digits, dots, hyphens and underscores`},
		{"a kind that is none", put("gard", "a", `{}`), `gard a: unknown kind "gard"`},
		{"unknown provider", put("route", "a", `{"channel":"email","providers":[{"provider":"mail"},{"provider":"mial"}]}`), `route a: providers[1]: unknown provider "mial"; did you mean mail?`},
		{"a provider twice", put("route", "a", `{"channel":"email","providers":[{"provider":"mail"},{"provider":"mail"}]}`), `route a: providers[1]: mail is in the route already`},
		{"a provider of another channel", put("route", "a", `{"channel":"sms","providers":[{"provider":"mail"}]}`), `route a: providers[0]: mail is a smtp, which cannot carry sms`},
		{"no provider", put("route", "a", `{"channel":"sms"}`), `route a: providers: want 1 to 8`},
		{"no channel", put("route", "a", `{"providers":[{"provider":"mail"}]}`), `route a: channel: want email or sms`},
		{"a country", put("route", "a", `{"channel":"sms","providers":[{"provider":"texts"}],"match":{"countries":["FR","UK"]}}`), `route a: match.countries[1]: "UK" is no country; want an ISO 3166-1 code of two capitals such as FR`},
		{"a prefix", put("route", "a", `{"channel":"sms","providers":[{"provider":"texts"}],"match":{"prefixes":["0033"]}}`), `route a: match.prefixes[0]: want the beginning of an E.164 number such as +33`},
		{"a domain", put("route", "a", `{"channel":"email","providers":[{"provider":"mail"}],"match":{"domains":["Example.org"]}}`), `route a: match.domains[0]: want a mail domain in lower case such as example.org, or .example.org for all below it`},
		{"a purpose", put("route", "a", `{"channel":"email","providers":[{"provider":"mail"}],"match":{"purposes":["signin"]}}`), `route a: match.purposes[0]: unknown purpose "signin"; did you mean sign_in?`},
		{"countries of mail", put("route", "a", `{"channel":"email","providers":[{"provider":"mail"}],"match":{"countries":["FR"]}}`), `route a: match: countries and prefixes are for sms; for email there are domains`},
		{"a weight", put("route", "a", `{"channel":"email","providers":[{"provider":"mail","weight":1001}]}`), `route a: providers[0].weight: want 0 to 1000`},
		{"a hedge on texts", put("route", "a", `{"channel":"sms","providers":[{"provider":"texts"}],"hedge":"300ms"}`), `route a: hedge: only for email; a text message that is sent twice is paid for twice`},
		{"a hedge", put("route", "a", `{"channel":"email","providers":[{"provider":"mail"}],"hedge":"1ms"}`), `route a: hedge: want 50ms to 1m, or none`},
		{"a policy", put("policy", "a", `{"length":3}`), `policy a: length: 3 is outside 4 to 12`},
		{"unknown policy", put("application", "shop", `{"policy":"strict"}`), `application shop: policy: unknown policy "strict"; known are default`},
		{"a domain with a path", put("application", "shop", `{"domain":"https://shop.example"}`), ``},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.want == "" {
				if _, err := r.Apply(t.Context(), "ada", []registry.Change{test.change}); err == nil || !strings.HasPrefix(err.Error(), "application shop: domain: ") {
					t.Errorf("got %v", err)
				}
				return
			}
			refused(t, r, s, []registry.Change{test.change}, test.want)
		})
	}
}

func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	refused(t, r, s, []registry.Change{smtp("good", "mail.example.net"), put("policy", "a", `{"length":99}`), put("route", "b", `{"channel":"post"}`)},
		`route b: channel: want email or sms`, `policy a: length: 99 is outside 4 to 12`)
	// What is wrong only because of something else is not said.
	refused(t, r, s, []registry.Change{put("provider", "mail", `{"kind":"smtp"}`), put("route", "b", `{"channel":"email","providers":[{"provider":"mail"}]}`),
		put("policy", "a", `{"length":99}`), put("application", "shop", `{"policy":"a"}`)},
		`provider mail: settings.host: is missing: Name or address of the mail server.`, `policy a: length: 99 is outside 4 to 12`)
	refused(t, r, s, []registry.Change{put("policy", "a", `{"lenght":9}`), put("route", "b", `{"chanel":"sms"}`)},
		`policy a: lenght: unknown member; did you mean length?`, `route b: chanel: unknown member; did you mean channel?`)
	refused(t, r, s, []registry.Change{put("policy", "a", `{}`), put("policy", "a", `{"length":8}`)},
		`policy a: the same document is changed twice at once`)
	if len(s.documents) != 0 {
		t.Errorf("%+v was stored", s.documents)
	}
}

func TestWhatIsUsedCannotBeTakenAway(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	must(t, r, smtp("mail", "mail.example.net"), put("route", "all", `{"channel":"email","providers":[{"provider":"mail"}]}`))
	refused(t, r, s, []registry.Change{{Kind: "provider", Name: "mail"}}, `route all: providers[0]: unknown provider "mail"; known are environment, inbox`)
	diff := must(t, r, registry.Change{Kind: "route", Name: "all"}, registry.Change{Kind: "provider", Name: "mail"})
	if len(diff) != 2 || diff[0].Kind != "provider" || diff[0].Action != registry.Delete || len(s.documents) != 0 {
		t.Errorf("got %+v and %+v left", diff, s.documents)
	}
	if _, err := r.Apply(t.Context(), "ada", []registry.Change{{Kind: "route", Name: "all"}}); !errors.Is(err, registry.ErrNoDocument) {
		t.Errorf("deleting what is not there: %v", err)
	}
}

func TestASettingThatCannotBeOpenedIsNotStored(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	refused(t, r, s, []registry.Change{put("provider", "texts", `{"kind":"webhook","settings":{"url":"http://sms.example.org/","secrets":["`+secret+`"]}}`)},
		`provider texts: settings.url: http shows the code to the network; use https, or set allow_http`)
}

func TestAStoreThatFailsChangesNothing(t *testing.T) {
	s := &shelf{fails: errors.New("disk full")}
	r := open(t, s)
	before := r.Current()
	if diff, err := r.Apply(t.Context(), "ada", []registry.Change{smtp("mail", "mail.example.net")}); !errors.Is(err, s.fails) || diff != nil {
		t.Errorf("got %+v, %v", diff, err)
	}
	if _, ok := r.Sender("mail"); ok || r.Current() != before {
		t.Error("settings that are not stored are in force")
	}
}

func TestAChangeThatMeetsAnotherIsWorkedOutAnew(t *testing.T) {
	s := &shelf{}
	r, other := open(t, s), open(t, s)
	must(t, r, put("policy", "strict", `{"length":8}`))
	s.between = func(*shelf) { must(t, other, put("policy", "strict", `{"length":9}`), put("policy", "lax", `{}`)) }
	diff := must(t, r, put("policy", "strict", `{"length":10}`))
	if len(diff) != 1 || len(diff[0].Fields) != 1 || diff[0].Fields[0] != (registry.Field{Path: "length", Old: "9", New: "10"}) || s.revision != 3 {
		t.Errorf("got %+v at revision %d", diff, s.revision)
	}
	// What was checked against the old documents is checked against the new ones too.
	must(t, r, put("application", "shop", `{}`))
	s.between = func(*shelf) { must(t, other, registry.Change{Kind: "policy", Name: "strict"}) }
	refusedNow := []registry.Change{put("application", "shop", `{"policy":"strict"}`)}
	var invalid *registry.Invalid
	if _, err := r.Apply(t.Context(), "ada", refusedNow); !errors.As(err, &invalid) {
		t.Errorf("an application with a policy that was just deleted: %v", err)
	}
	version := int64(1)
	s.between = func(*shelf) { must(t, other, put("policy", "lax", `{"length":7}`)) }
	lax, err := r.Document(t.Context(), "policy", "lax")
	if err != nil {
		t.Fatal(err)
	}
	version = lax.Version
	if _, err := r.Apply(t.Context(), "ada", []registry.Change{{Kind: "policy", Name: "lax", Body: json.RawMessage(`{"length":5}`), IfVersion: &version}}); !errors.Is(err, registry.ErrVersion) {
		t.Errorf("a change for a version that has gone: %v", err)
	}
}

func TestAlwaysLateGivesUp(t *testing.T) {
	s := &shelf{fails: registry.ErrChanged}
	r := open(t, s)
	if _, err := r.Apply(t.Context(), "ada", []registry.Change{put("policy", "a", `{}`)}); !errors.Is(err, registry.ErrChanged) {
		t.Errorf("got %v", err)
	}
}

func TestVersionsGuardChanges(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	none, first := int64(0), int64(1)
	change := put("policy", "a", `{"length":8}`)
	change.IfVersion = &first
	if _, err := r.Apply(t.Context(), "ada", []registry.Change{change}); !errors.Is(err, registry.ErrVersion) {
		t.Errorf("a change of what is not there: %v", err)
	}
	change.IfVersion = &none
	must(t, r, change)
	if _, err := r.Apply(t.Context(), "ada", []registry.Change{change}); !errors.Is(err, registry.ErrVersion) {
		t.Errorf("made twice: %v", err)
	}
	must(t, r, registry.Change{Kind: "policy", Name: "a"})
	must(t, r, put("policy", "a", `{"length":8}`))
	if d, err := r.Document(t.Context(), "policy", "a"); err != nil || d.Version <= first {
		t.Errorf("made again it is %+v, %v; want a version that it never had", d, err)
	}
}

func TestNothingToChangeIsNothing(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	all := []registry.Change{smtp("mail", "mail.example.net"), put("policy", "a", `{ "length": 8 , "lifetime":"600s"}`)}
	if diff := must(t, r, all...); len(diff) != 2 {
		t.Fatalf("got %+v", diff)
	}
	all[1].Body = json.RawMessage(`{"lifetime":"10m","length":8}`)
	before := r.Current()
	if diff := must(t, r, all...); len(diff) != 0 || s.revision != 1 || r.Current() != before {
		t.Errorf("the same again came to %+v at revision %d", diff, s.revision)
	}
}

func TestPrune(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	must(t, r, put("policy", "a", `{}`), put("policy", "b", `{}`), put("application", "shop", `{}`))
	diff, err := r.ApplySet(t.Context(), "ada", registry.Set{Changes: []registry.Change{put("policy", "b", `{"length":8}`)}, Prune: []registry.Kind{"policy"}})
	if err != nil || len(diff) != 2 || diff[0].Name != "a" || diff[0].Action != registry.Delete || diff[1].Action != registry.Update {
		t.Errorf("got %+v, %v", diff, err)
	}
	if len(s.documents) != 2 {
		t.Errorf("%+v is left", s.documents)
	}
}

func TestPlanChangesNothing(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	before := r.Current()
	diff, err := r.Plan(t.Context(), registry.Set{Changes: []registry.Change{smtp("mail", "mail.example.net")}})
	if err != nil || len(diff) != 1 || diff[0].Action != registry.Create || s.revision != 0 || r.Current() != before {
		t.Errorf("got %+v, %v at revision %d", diff, err, s.revision)
	}
}

func TestWhatNoLongerCompilesIsLeftOut(t *testing.T) {
	document := func(kind registry.Kind, name, body string) registry.Document {
		return registry.Document{Kind: kind, Name: name, Body: json.RawMessage(body), Version: 1}
	}
	s := &shelf{revision: 7, documents: []registry.Document{
		document("provider", "pigeon", `{"kind":"pigeon"}`),                         // of a later release
		document("provider", "environment", `{"kind":"inbox"}`),                     // meanwhile a name of the settings
		document("provider", "kept", `{"kind":"inbox"}`),                            // not allowed on this node
		document("provider", "mail", string(smtp("mail", "mail.example.net").Body)), // good
		document("route", "both", `{"channel":"email","providers":[{"provider":"pigeon"},{"provider":"mail"}]}`),
		document("route", "gone", `{"channel":"sms","providers":[{"provider":"pigeon"}]}`),
		document("policy", "odd", `{"length":3}`),
		document("policy", "strict", `{"length":8}`),
		document("application", "shop", `{"policy":"odd"}`),
	}}
	var log bytes.Buffer
	set := settings(s)
	set.Log, set.Environment = slog.New(slog.NewTextHandler(&log, nil)), provider.Environment{}
	set.Rules.Given = set.Rules.Given[:1]
	r, err := registry.Open(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var left []string
	for _, d := range r.Current().Documents {
		left = append(left, string(d.Kind)+" "+d.Name)
	}
	if want := []string{"provider mail", "route both", "policy strict"}; !slices.Equal(left, want) {
		t.Errorf("in force are %q, want %q", left, want)
	}
	for _, name := range []string{"pigeon", "environment", "kept", "gone", "odd", "shop"} {
		if !strings.Contains(log.String(), "name="+name) {
			t.Errorf("the log does not name %s:\n%s", name, log.String())
		}
	}
	if route := r.Current().Route(passcode.Destination{Channel: outbox.Email, To: "lea@example.org"}); !slices.Equal(route.Providers, []string{"mail"}) {
		t.Errorf("mail goes %+v, want by what is left of the route", route)
	}
	// The next change has to mend them, and says what there is.
	if _, err := r.Apply(t.Context(), "ada", []registry.Change{put("policy", "a", `{}`)}); err == nil || !strings.Contains(err.Error(), `provider pigeon: kind: unknown provider kind "pigeon"`) {
		t.Errorf("got %v", err)
	}
}

func TestOtherNodesFollow(t *testing.T) {
	s := &shelf{}
	r, other := open(t, s), open(t, s)
	must(t, r, put("policy", "strict", `{"length":8}`), smtp("mail", "mail.example.net"))
	if _, ok := other.Sender("mail"); ok {
		t.Error("the other node knows it by itself")
	}
	if err := other.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, ok := other.Current().Policy(passcode.Application{}, "strict"); !ok || p.Length != 8 || other.Current().Revision != 1 {
		t.Errorf("the other node has %+v %v at %d", p, ok, other.Current().Revision)
	}
	if _, ok := other.Sender("mail"); !ok {
		t.Error("the other node cannot send by the new provider")
	}
}

func TestSendersStayOpenWhenTheirSettingsDoNotChange(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	must(t, r, smtp("kept", "a.example.net"), smtp("moved", "b.example.net"), smtp("gone", "c.example.net"))
	kept, _ := r.Sender("kept")
	given, _ := r.Sender("environment")
	moved, _ := r.Sender("moved")
	must(t, r, smtp("moved", "d.example.net"), registry.Change{Kind: "provider", Name: "gone"})
	if again, ok := r.Sender("kept"); !ok || again != kept {
		t.Error("a provider that did not change was opened anew")
	}
	if again, ok := r.Sender("environment"); !ok || again != given {
		t.Error("a provider of the settings was opened anew")
	}
	if again, ok := r.Sender("moved"); !ok || again == moved {
		t.Error("a provider with other settings is still the old one")
	}
	if _, ok := r.Sender("gone"); ok {
		t.Error("a provider that was deleted still sends")
	}
}

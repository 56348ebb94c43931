package registry_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/registry"
)

func texts(name string) registry.Change {
	return put("provider", name, `{"kind":"webhook","settings":{"url":"https://`+name+`.example.org/","secrets":["`+secret+`"]}}`)
}

func route(name, channel, more string, providers ...string) registry.Change {
	for i, p := range providers {
		name, weight, weighted := strings.Cut(p, "*")
		providers[i] = fmt.Sprintf(`{"provider":%q}`, name)
		if weighted {
			providers[i] = fmt.Sprintf(`{"provider":%q,"weight":%s}`, name, weight)
		}
	}
	return put("route", name, fmt.Sprintf(`{"channel":%q,"providers":[%s]%s}`, channel, strings.Join(providers, ","), more))
}

func TestRoutesAreChosen(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	mailTo := func(to, application string, purpose passcode.Purpose) string {
		return r.Current().Route(passcode.Destination{Channel: outbox.Email, To: to, Purpose: purpose, Application: passcode.Application{ID: "app_1", Name: application}}).Name
	}
	textTo := func(to string) string {
		return r.Current().Route(passcode.Destination{Channel: outbox.SMS, To: to, Purpose: passcode.SignIn}).Name
	}
	if a, b := mailTo("lea@example.org", "Shop", passcode.SignIn), textTo("+33612345678"); a != "environment" || b != "inbox" {
		t.Errorf("without documents the routes are %q and %q, want those of the settings", a, b)
	}
	must(t, r, smtp("m1", "a.example.net"), texts("t1"), texts("t2"),
		route("any", "email", ``, "m1"),
		route("bank", "email", `,"match":{"applications":["Bank"]}`, "m1"),
		route("bank-mfa", "email", `,"match":{"applications":["Bank"],"purposes":["mfa","verify"]}`, "m1"),
		route("staff", "email", `,"priority":5,"match":{"domains":[".corp.example","corp.example"]}`, "m1"),
		route("a-france", "sms", `,"match":{"countries":["FR"]}`, "t1"),
		route("b-france", "sms", `,"match":{"countries":["FR","DE"]}`, "t1"),
		route("paris", "sms", `,"priority":1,"match":{"prefixes":["+331"]}`, "t2"))
	for _, test := range []struct{ got, want string }{
		{mailTo("lea@example.org", "Shop", passcode.SignIn), "any"},
		{mailTo("lea@example.org", "Bank", passcode.SignIn), "bank"},    // narrower
		{mailTo("lea@example.org", "Bank", passcode.MFA), "bank-mfa"},   // narrower still
		{mailTo("lea@corp.example", "Bank", passcode.MFA), "staff"},     // a higher priority
		{mailTo("lea@a.b.corp.example", "Shop", passcode.MFA), "staff"}, // below the domain
		{mailTo("lea@notcorp.example", "Shop", passcode.MFA), "any"},    // not below it
		{textTo("+33612345678"), "a-france"},                            // the name decides
		{textTo("+33142345678"), "paris"},                               // a higher priority
		{textTo("+4915112345678"), "b-france"},                          // one of several
		{textTo("+393331234567"), "inbox"},                              // the settings' own comes last
		{mailTo("lea@example.org", "app_1", passcode.SignIn), "any"},    // no such application
	} {
		if test.got != test.want {
			t.Errorf("the route is %q, want %q", test.got, test.want)
		}
	}
}

func TestDisabledProvidersAreLeftOut(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	off := put("provider", "t1", strings.Replace(string(texts("t1").Body), `{"kind"`, `{"disabled":true,"kind"`, 1))
	must(t, r, off, texts("t2"), route("both", "sms", ``, "t1", "t2"), route("one", "sms", `,"priority":9`, "t1"))
	got := r.Current().Route(passcode.Destination{Channel: outbox.SMS, To: "+33612345678"})
	if got.Name != "both" || !slices.Equal(got.Providers, []string{"t2"}) {
		t.Errorf("the route is %+v, want the one with a provider left", got)
	}
	if _, ok := r.Sender("t1"); !ok {
		t.Error("a disabled provider cannot finish what it was given")
	}
}

// TestWeightsShareMessages draws often enough that a share outside the bounds is a fault and not chance: with weights 3
// to 1 the deviation of 4000 draws is 27.
func TestWeightsShareMessages(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	must(t, r, texts("a"), texts("b"), texts("c"), texts("d"), route("all", "email", `,"hedge":"300ms"`, "a*3", "b*1", "c", "d"))
	first := map[string]int{}
	for range 4000 {
		got := r.Current().Route(passcode.Destination{Channel: outbox.Email, To: "lea@example.org"})
		if len(got.Providers) != 4 || !slices.Equal(got.Providers[2:], []string{"c", "d"}) || got.Hedge.Milliseconds() != 300 {
			t.Fatalf("the route is %+v", got)
		}
		first[got.Providers[0]]++
	}
	if first["a"] < 2800 || first["a"] > 3200 || first["a"]+first["b"] != 4000 {
		t.Errorf("tried first: %v, want 3 to 1", first)
	}
}

func TestRatesAndPoliciesAreFound(t *testing.T) {
	s := &shelf{}
	r := open(t, s)
	must(t, r, put("provider", "slow", `{"kind":"inbox","rate":{"messages":30,"per":"1m"}}`), put("policy", "strict", `{"length":8,"lifetime":"90s"}`),
		put("policy", "default", `{"tries":3}`), put("application", "Bank", `{"policy":"strict"}`))
	now := r.Current()
	if rate := now.Rate("slow"); rate == nil || rate.Messages != 30 || now.Rate("inbox") != nil || now.Rate("nobody") != nil {
		t.Errorf("the rate is %+v", rate)
	}
	usual := passcode.DefaultPolicy()
	for _, test := range []struct {
		application, name string
		length, tries     int
	}{{"Shop", "", usual.Length, 3}, {"Bank", "", 8, usual.Tries}, {"Bank", "default", usual.Length, 3}, {"Shop", "strict", 8, usual.Tries}} {
		p, ok := now.Policy(passcode.Application{Name: test.application}, test.name)
		if !ok || p.Length != test.length || p.Tries != test.tries {
			t.Errorf("%q of %s is %+v, %v", test.name, test.application, p, ok)
		}
	}
	if _, ok := now.Policy(passcode.Application{Name: "Shop"}, "lax"); ok {
		t.Error("there is a policy of a name that is none")
	}
}

// TestRegistriesRaceToTheSameEnd lets two nodes change one document each and one together, many times.
func TestRegistriesRaceToTheSameEnd(t *testing.T) {
	s := &shelf{}
	nodes := []*registry.Registry{open(t, s), open(t, s)}
	var all sync.WaitGroup
	for n, node := range nodes {
		all.Go(func() {
			for i := range 20 {
				changes := []registry.Change{put("policy", fmt.Sprintf("own%d", n), fmt.Sprintf(`{"tries":%d}`, 1+i%2)),
					put("policy", "shared", fmt.Sprintf(`{"tries":%d,"resends":%d}`, 1+i, n))}
				for { // a caller that always loses may be told so, and asks again
					if _, err := node.Apply(t.Context(), "ada", changes); err == nil {
						break
					} else if !strings.Contains(err.Error(), "changed meanwhile") {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	for _, node := range nodes {
		if err := node.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	a, b := nodes[0].Current(), nodes[1].Current()
	if a.Revision != b.Revision || a.Revision != s.revision || len(a.Documents) != 3 || len(b.Documents) != 3 {
		t.Errorf("the nodes ended at %d and %d of %d with %d and %d documents", a.Revision, b.Revision, s.revision, len(a.Documents), len(b.Documents))
	}
	for i := range a.Documents {
		if string(a.Documents[i].Body) != string(b.Documents[i].Body) {
			t.Errorf("the nodes differ in %s", a.Documents[i].Name)
		}
	}
}

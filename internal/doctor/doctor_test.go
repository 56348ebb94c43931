package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otpost/otpost/internal/doctor"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// account is a sender that finds what it is told to.
type account struct {
	way, inside []provider.Finding
	looking     func(ctx context.Context)
}

func (a *account) Send(context.Context, string, outbox.Message) (string, error) {
	return "", errors.New("an examination sends nothing")
}

func (a *account) Reach(context.Context) []provider.Finding { return a.way }

func (a *account) Check(ctx context.Context) []provider.Finding {
	if a.looking != nil {
		a.looking(ctx)
	}
	return a.inside
}

func kindOf(t *testing.T, name string) provider.Kind {
	t.Helper()
	k, err := provider.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// lines are the findings of a report, one a line: section, subject, verdict, what was found.
func lines(r doctor.Report) (all []string) {
	for _, s := range r.Sections {
		for _, f := range s.Findings {
			all = append(all, fmt.Sprintf("%s: %s %s: %s", s.Name, f.Subject, f.Verdict, f.Found))
		}
	}
	return all
}

func has(t *testing.T, r doctor.Report, want string) {
	t.Helper()
	if !slices.ContainsFunc(lines(r), func(line string) bool { return strings.Contains(line, want) }) {
		t.Errorf("no line has %q:\n%s", want, strings.Join(lines(r), "\n"))
	}
}

func TestRoutes(t *testing.T) {
	mail := func(name string) doctor.Provider { return doctor.Provider{Name: name, Kind: kindOf(t, "resend")} }
	off := func(p doctor.Provider) doctor.Provider { p.Disabled = true; return p }
	down := func(p doctor.Provider) doctor.Provider { p.DownUntil = noon().Add(time.Minute); return p }
	route := func(names ...string) doctor.Route {
		return doctor.Route{Name: "r", Channel: outbox.Email, Providers: names, Everything: true}
	}
	narrow := route("a")
	narrow.Everything = false
	for _, test := range []struct {
		name      string
		providers []doctor.Provider
		routes    []doctor.Route
		want      string
	}{
		{"nothing", nil, nil, "providers bad: None is set up"},
		{"all is well", []doctor.Provider{mail("a")}, []doctor.Route{route("a")}, "email good"},
		{"the other channel", []doctor.Provider{mail("a")}, []doctor.Route{route("a")}, "sms good: No provider carries it"},
		{"no route", []doctor.Provider{mail("a")}, nil, "email bad: There are providers for it and no route"},
		{"no route", []doctor.Provider{mail("a")}, nil, "provider a doubtful: It is in no route"},
		{"a route for some", []doctor.Provider{mail("a")}, []doctor.Route{narrow}, "email doubtful: Messages that none of the routes is for"},
		{"one not routed", []doctor.Provider{mail("a"), mail("b")}, []doctor.Route{route("a")}, "provider b doubtful: It is in no route"},
		{"all disabled", []doctor.Provider{off(mail("a"))}, []doctor.Route{route("a")}, "route r bad: All its providers are disabled"},
		{"all disabled beside others", []doctor.Provider{off(mail("a")), mail("b")}, []doctor.Route{route("a")}, "email bad: There are providers"},
		{"all down", []doctor.Provider{down(mail("a")), off(mail("b"))}, []doctor.Route{route("a", "b")}, "route r bad: All its providers are down: a."},
		{"some down", []doctor.Provider{down(mail("a")), mail("b")}, []doctor.Route{route("a", "b")}, "route r doubtful: Some of its providers are down: a."},
	} {
		d := doctor.Doctor{Providers: test.providers, Routes: test.routes, Now: noon}
		r := d.Examine(t.Context(), nil)
		t.Run(test.name, func(t *testing.T) { has(t, r, "routes: "+test.want) })
	}
	hook := doctor.Provider{Name: "hook", Kind: kindOf(t, "webhook"), Events: true}
	events := doctor.Doctor{Providers: []doctor.Provider{mail("a"), hook}, Routes: []doctor.Route{route("a")}, Now: noon}
	if r := events.Examine(t.Context(), nil); r.Count(provider.Good) != 2 {
		t.Errorf("a webhook for events needs no route: %q", lines(r))
	}
	unread := doctor.Doctor{Unread: true}
	if r := unread.Examine(t.Context(), nil); len(r.Sections) != 0 {
		t.Errorf("of what was not read something is said: %q", lines(r))
	}
	well := doctor.Doctor{Providers: []doctor.Provider{mail("a"), off(mail("b"))}, Routes: []doctor.Route{route("a")}, Now: noon}
	if r := well.Examine(t.Context(), nil); r.Count(provider.Bad) != 0 || r.Count(provider.Doubtful) != 0 {
		t.Errorf("all is well: %q", lines(r))
	}
}

func TestWhatIsKnownOfAProvider(t *testing.T) {
	good := provider.Finding{Subject: "credentials", Verdict: provider.Good, Found: "fine"}
	bad := provider.Finding{Subject: "connection", Verdict: provider.Bad, Found: "blocked"}
	doubt := provider.Finding{Subject: "credentials", Verdict: provider.Doubtful, Found: "could not ask"}
	clock := provider.Finding{Subject: "clock", Verdict: provider.Bad, Found: "way"}
	inside := provider.Finding{Subject: "clock", Verdict: provider.Bad, Found: "account"}
	for _, test := range []struct {
		name  string
		p     doctor.Provider
		want  []string
		wrong string
	}{
		{"both", doctor.Provider{Sender: &account{way: []provider.Finding{{Subject: "connection", Verdict: provider.Good}}, inside: []provider.Finding{good}}},
			[]string{"connection good", "credentials good"}, ""},
		{"a blocked way says enough", doctor.Provider{Sender: &account{way: []provider.Finding{bad}, inside: []provider.Finding{doubt}}}, []string{"connection bad"}, "could not ask"},
		{"both speak of the clock", doctor.Provider{Sender: &account{way: []provider.Finding{clock}, inside: []provider.Finding{inside}}}, []string{"clock bad: account"}, "way"},
		{"down", doctor.Provider{DownUntil: noon().Add(time.Second)}, []string{"recent messages bad: It failed again and again, and is left alone until 2026-11-22T12:00:01Z"}, ""},
		{"about to be tried", doctor.Provider{DownUntil: noon()}, []string{"recent messages doubtful"}, "left alone"},
		{"reports without an address", doctor.Provider{Reports: true}, []string{"delivery reports doubtful"}, ""},
		{"reports with an address of their own", doctor.Provider{Reports: true, Settings: map[string]string{"receipt_url": "https://otp.example.org"}}, nil, "delivery reports"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.p.Name, test.p.Kind = "p", kindOf(t, "twilio")
			d := doctor.Doctor{Providers: []doctor.Provider{test.p}, Now: noon}
			r, _ := d.ExamineProvider(t.Context(), "p", nil)
			for _, want := range test.want {
				has(t, r, "provider p (twilio): "+want)
			}
			if all := strings.Join(lines(r), "\n"); test.wrong != "" && strings.Contains(all, test.wrong) {
				t.Errorf("it says %q:\n%s", test.wrong, all)
			}
		})
	}
	d := doctor.Doctor{Providers: []doctor.Provider{{Name: "inbox", Kind: kindOf(t, "inbox")}}}
	has(t, d.Examine(t.Context(), nil), "provider inbox (inbox): use doubtful")
	public := doctor.Doctor{Providers: []doctor.Provider{{Name: "p", Kind: kindOf(t, "twilio"), Reports: true}}, PublicURL: true}
	if r := public.Examine(t.Context(), nil); strings.Contains(strings.Join(lines(r), "\n"), "delivery reports") {
		t.Errorf("reports have an address: %q", lines(r))
	}
	if found := public.ExamineAccount(t.Context(), "q"); found != nil {
		t.Errorf("of an unknown provider: %+v", found)
	}
	alone := doctor.Doctor{Providers: []doctor.Provider{{Name: "p", Kind: kindOf(t, "resend"), Settings: map[string]string{"from": "codes@example.org"},
		Sender: &account{inside: []provider.Finding{good}}}}}
	if found := alone.ExamineAccount(t.Context(), "p"); len(found) != 1 || found[0] != good {
		t.Errorf("of an account: %+v", found)
	}
	if _, ok := public.ExamineProvider(t.Context(), "q", nil); ok {
		t.Error("an unknown provider was found")
	}
}

func TestADisabledProviderIsLookedAtByNameAlone(t *testing.T) {
	looked := 0
	d := doctor.Doctor{Providers: []doctor.Provider{{Name: "p", Kind: kindOf(t, "twilio"), Disabled: true, Sender: &account{looking: func(context.Context) { looked++ }}}}}
	d.Examine(t.Context(), nil)
	if looked != 0 {
		t.Error("a disabled provider was looked at")
	}
	d.ExamineProvider(t.Context(), "p", nil)
	if looked != 1 {
		t.Error("a provider that was named was not looked at")
	}
}

func TestLooksAreBoundedAndKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := func(word string) []provider.Finding {
			return []provider.Finding{{Subject: word, Verdict: provider.Good}}
		}
		stuck := make(chan struct{})
		d := doctor.Doctor{Patience: 10 * time.Second, Now: time.Now, First: []doctor.Look{
			{"slow", func(context.Context) []provider.Finding { time.Sleep(9 * time.Second); return said("slow") }},
			{"ends with its context", func(ctx context.Context) []provider.Finding { <-ctx.Done(); return said("late") }},
			{"never ends", func(context.Context) []provider.Finding { <-stuck; return nil }},
			{"panics", func(context.Context) []provider.Finding { panic("s3cret") }},
			{"nothing to say", func(context.Context) []provider.Finding { return nil }},
		}}
		var mu sync.Mutex
		var told []string
		began := time.Now()
		r := d.Examine(t.Context(), func(name string, of int) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprintf("%s of %d", name, of))
		})
		close(stuck)
		if took := time.Since(began); took != 11*time.Second {
			t.Errorf("it took %s, want the patience and a second", took)
		}
		want := []string{"slow: slow good: ", "ends with its context: late good: ", "never ends: look doubtful: Looking at it took longer than 10s.",
			"panics: look doubtful: Looking at it failed inside otpost.", "routes: providers bad: None is set up, so every passcode is refused."}
		if got := lines(r); !slices.Equal(got, want) {
			t.Errorf("got %q\nwant %q", got, want)
		}
		if len(told) != 6 || !slices.Contains(told, "panics of 6") || told[5] != "never ends of 6" {
			t.Errorf("told %q", told)
		}
	})
}

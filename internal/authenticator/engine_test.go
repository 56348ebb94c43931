package authenticator_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
	"github.com/otpost/otpost/internal/store/pgtest"
)

// clock is set by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *clock) set(at time.Time) { c.mu.Lock(); defer c.mu.Unlock(); c.now = at.UTC() }

func (c *clock) pass(d time.Duration) { c.set(c.read().Add(d)) }

// newEngine is an engine over SQLite, whose clock stands at the beginning of a step.
func newEngine(t testing.TB) (*authenticator.Engine, *clock) {
	t.Helper()
	return engineOver(t, "sqlite:"+filepath.Join(t.TempDir(), "otpost.db"))
}

func engineOver(t testing.TB, url string) (*authenticator.Engine, *clock) {
	t.Helper()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), url, ring, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := &clock{now: time.Date(2026, 3, 4, 5, 6, 30, 0, time.UTC)}
	return &authenticator.Engine{Store: db, Ring: ring, Guesses: authenticator.DefaultGuesses(), Window: authenticator.DefaultWindow(),
		MaxDevices: authenticator.DefaultMaxDevices, ConfirmWithin: authenticator.DefaultConfirmWithin, Now: c.read, Rand: rand.Reader}, c
}

// enrolWith fills in what a request leaves out.
func enrolWith(t testing.TB, e *authenticator.Engine, r authenticator.Request) authenticator.Enrolment {
	t.Helper()
	for _, m := range []struct {
		to    *string
		value string
	}{{&r.Tenant, "default"}, {&r.Application, "app_1"}, {&r.User, "lea"}, {&r.Issuer, "Example"}, {&r.Label, "lea@example.org"}} {
		if *m.to == "" {
			*m.to = m.value
		}
	}
	made, err := e.Enrol(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// app makes a device's codes.
type app struct {
	id     string
	secret []byte
}

func appOf(t testing.TB, made authenticator.Enrolment) app {
	t.Helper()
	secret, err := authenticator.ParseSecret(made.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return app{made.Device.ID, secret}
}

func (a app) code(at time.Time) string {
	return authenticator.HOTP(a.secret, at.Unix()/30, authenticator.SHA1, 6)
}

// confirmed enrols a device and confirms it by the code of the present step.
func confirmed(t testing.TB, e *authenticator.Engine, c *clock) app {
	t.Helper()
	a := appOf(t, enrolWith(t, e, authenticator.Request{}))
	wantReason(t, e, "confirm", a.id, a.code(c.read()), "")
	return a
}

func wrong(code string) string {
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code)
}

func try(t testing.TB, e *authenticator.Engine, verb, id, code string) authenticator.Verdict {
	t.Helper()
	do := map[string]func(context.Context, authenticator.Try) (authenticator.Verdict, error){"confirm": e.Confirm, "verify": e.Verify}[verb]
	v, err := do(t.Context(), authenticator.Try{Tenant: "default", User: "lea", ID: id, Code: code})
	if err != nil {
		t.Fatalf("%s: %v", verb, err)
	}
	return v
}

func wantReason(t testing.TB, e *authenticator.Engine, verb, id, code string, want authenticator.Reason) {
	t.Helper()
	if v := try(t, e, verb, id, code); v.Reason != want || v.Verified != (want == "") {
		t.Errorf("%s: verified %v, reason %q, want reason %q", verb, v.Verified, v.Reason, want)
	}
}

func wantRefusal(t testing.TB, err error, reason authenticator.Reason, field string) {
	t.Helper()
	var refusal *authenticator.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != reason || refusal.Field != field || refusal.Detail == "" {
		t.Errorf("error %v, want %s of %q", err, reason, field)
	}
}

func TestADeviceIsConfirmedThenVerifies(t *testing.T) {
	e, c := newEngine(t)
	var events []authenticator.Event
	e.Observe = func(event authenticator.Event) { events = append(events, event) }
	made := enrolWith(t, e, authenticator.Request{})
	a := appOf(t, made)
	if len(a.secret) != 20 {
		t.Errorf("a secret of %d bytes", len(a.secret))
	}
	_, err := e.Verify(t.Context(), authenticator.Try{Tenant: "default", User: "lea", Code: a.code(c.read())})
	wantRefusal(t, err, authenticator.NoDevice, "")
	wantReason(t, e, "confirm", a.id, wrong(a.code(c.read())), authenticator.WrongCode)
	wantReason(t, e, "confirm", a.id, a.code(c.read()), "")
	wantReason(t, e, "verify", "", a.code(c.read()), authenticator.CodeUsed) // it has confirmed the device
	c.pass(30 * time.Second)
	if v := try(t, e, "verify", "", a.code(c.read())); !v.Verified || v.Device.ID != a.id || v.Device.State != authenticator.Confirmed {
		t.Errorf("verdict %+v", v)
	}
	_, err = e.Confirm(t.Context(), authenticator.Try{Tenant: "default", User: "lea", ID: a.id, Code: "1"})
	wantRefusal(t, err, authenticator.AlreadyConfirmed, "")
	if _, err := e.Revoke(t.Context(), authenticator.Ref{Tenant: "default", User: "lea", ID: a.id}); err != nil {
		t.Error(err)
	}
	c.pass(30 * time.Second)
	_, err = e.Verify(t.Context(), authenticator.Try{Tenant: "default", User: "lea", Code: a.code(c.read())})
	wantRefusal(t, err, authenticator.NoDevice, "")
	_, err = e.Revoke(t.Context(), authenticator.Ref{Tenant: "default", User: "lea", ID: a.id})
	wantRefusal(t, err, authenticator.NotFound, "")
	want := []authenticator.Event{{Kind: "enrolled"}, {Kind: "refused", Reason: "no_authenticator"}, {Kind: "tried", Reason: "wrong_code"},
		{Kind: "confirmed"}, {Kind: "tried", Reason: "used"}, {Kind: "verified"}, {Kind: "refused", Reason: "already_confirmed"},
		{Kind: "revoked"}, {Kind: "refused", Reason: "no_authenticator"}, {Kind: "refused", Reason: "not_found"}}
	if !slices.Equal(events, want) {
		t.Errorf("events %v\nwant   %v", events, want)
	}
}

func TestTheWindow(t *testing.T) {
	wide := authenticator.Window{Back: 10, Forward: 0}
	for _, w := range []struct {
		name          string
		window        authenticator.Window
		try           *authenticator.Window
		back, forward int
	}{
		{"the default", authenticator.DefaultWindow(), nil, 1, 1},
		{"none", authenticator.Window{}, nil, 0, 0},
		{"of the try", authenticator.Window{}, &wide, 10, 0},
	} {
		for off := -12; off <= 3; off++ {
			e, c := newEngine(t)
			a := confirmed(t, e, c)
			c.pass(time.Hour)
			e.Window = w.window
			code := a.code(c.read().Add(time.Duration(off) * 30 * time.Second))
			v, err := e.Verify(t.Context(), authenticator.Try{Tenant: "default", User: "lea", Code: code, Window: w.try})
			if want := -w.back <= off && off <= w.forward; err != nil || v.Verified != want {
				t.Errorf("%s: %d steps off: verified %v, %v, want %v", w.name, off, v.Verified, err, want)
			}
		}
	}
	e, _ := newEngine(t)
	for _, w := range []authenticator.Window{{Back: -1}, {Forward: -1}, {Back: 21}, {Forward: 21}} {
		_, err := e.Verify(t.Context(), authenticator.Try{Tenant: "default", User: "lea", Code: "1", Window: &w})
		wantRefusal(t, err, authenticator.InvalidRequest, "window")
	}
}

// RFC 6238 §5.2: a code is taken once, and none that is older than one that was.
func TestAdvisory_CVE_2026_33473_AStepIsUsedOnce(t *testing.T) {
	e, c := newEngine(t)
	a := confirmed(t, e, c)
	c.pass(time.Hour)
	last, present, next := a.code(c.read().Add(-30*time.Second)), a.code(c.read()), a.code(c.read().Add(30*time.Second))
	wantReason(t, e, "verify", "", present, "")
	wantReason(t, e, "verify", "", present, authenticator.CodeUsed)
	wantReason(t, e, "verify", "", " "+present[:3]+" - "+present[3:], authenticator.CodeUsed) // another form of it
	wantReason(t, e, "verify", "", last, authenticator.CodeUsed)
	wantReason(t, e, "verify", "", next, "")
	c.pass(30 * time.Second)
	wantReason(t, e, "verify", "", next, authenticator.CodeUsed)
	c.pass(-time.Hour) // a clock that went back opens nothing
	wantReason(t, e, "verify", "", a.code(c.read()), authenticator.CodeUsed)
}

func TestCodesAsPeopleTypeThem(t *testing.T) {
	for name, form := range map[string]func(string) string{
		"in groups":      func(code string) string { return code[:3] + " " + code[3:] },
		"with a dash":    func(code string) string { return code[:3] + "\u2013" + code[3:] },
		"with a newline": func(code string) string { return code + "\r\n" },
		"Arabic-Indic": func(code string) string {
			return strings.Map(func(r rune) rune { return r - '0' + '\u0660' }, code)
		},
		"full-width": func(code string) string { return strings.Map(func(r rune) rune { return r - '0' + '\uff10' }, code) },
	} {
		e, c := newEngine(t)
		a := confirmed(t, e, c)
		c.pass(30 * time.Second)
		if v := try(t, e, "verify", "", form(a.code(c.read()))); !v.Verified {
			t.Errorf("%s: %s", name, v.Reason)
		}
	}
	e, c := newEngine(t)
	a := confirmed(t, e, c)
	c.pass(30 * time.Second)
	code := a.code(c.read())
	for _, other := range []string{"", code[:5], code + "0", "0" + code, strings.Repeat(" ", 60) + code, code[:5] + "x"} {
		wantReason(t, e, "verify", "", other, authenticator.WrongCode)
	}
}

func TestSeveralDevices(t *testing.T) {
	e, c := newEngine(t)
	phone := confirmed(t, e, c)
	c.pass(time.Second) // or it is chance which is the older
	tablet := confirmed(t, e, c)
	c.pass(time.Second)
	waiting := appOf(t, enrolWith(t, e, authenticator.Request{}))
	c.pass(30 * time.Second)
	for _, a := range []app{tablet, phone} {
		if v := try(t, e, "verify", "", a.code(c.read())); !v.Verified || v.Device.ID != a.id {
			t.Errorf("verdict %+v", v)
		}
	}
	wantReason(t, e, "verify", "", waiting.code(c.read()), authenticator.WrongCode)
	list, err := e.Devices(t.Context(), "default", "lea")
	if err != nil || len(list) != 3 || list[0].ID != phone.id || list[2].State != authenticator.Pending {
		t.Errorf("devices %+v, %v", list, err)
	}
	for range e.MaxDevices - 3 {
		enrolWith(t, e, authenticator.Request{})
	}
	_, err = e.Enrol(t.Context(), authenticator.Request{Tenant: "default", User: "lea", Issuer: "Example", Label: "lea"})
	wantRefusal(t, err, authenticator.TooMany, "")
	c.pass(e.ConfirmWithin) // those that wait are overdue
	enrolWith(t, e, authenticator.Request{})
	if list, err := e.Devices(t.Context(), "default", "lea"); err != nil || len(list) != 3 {
		t.Errorf("devices %+v, %v", list, err)
	}
}

// A secret that was enrolled twice is one secret: its code is not good for two.
func TestAdvisory_CVE_2026_61630_ACodeIsUsedOnEveryDeviceOfItsSecret(t *testing.T) {
	e, c := newEngine(t)
	first := confirmed(t, e, c)
	second := appOf(t, enrolWith(t, e, authenticator.Request{Secret: unpadded(first.secret)}))
	c.pass(30 * time.Second)
	wantReason(t, e, "confirm", second.id, second.code(c.read()), "")
	wantReason(t, e, "verify", "", second.code(c.read()), authenticator.CodeUsed)
	c.pass(30 * time.Second)
	wantReason(t, e, "verify", "", first.code(c.read()), "")
	wantReason(t, e, "verify", "", first.code(c.read()), authenticator.CodeUsed)
}

func TestAPendingDeviceIsOverInTime(t *testing.T) {
	e, c := newEngine(t)
	made := enrolWith(t, e, authenticator.Request{})
	a := appOf(t, made)
	c.pass(e.ConfirmWithin)
	_, err := e.Confirm(t.Context(), authenticator.Try{Tenant: "default", User: "lea", ID: a.id, Code: a.code(c.read())})
	wantRefusal(t, err, authenticator.NotFound, "")
	_, err = e.Revoke(t.Context(), authenticator.Ref{Tenant: "default", User: "lea", ID: a.id})
	wantRefusal(t, err, authenticator.NotFound, "")
	if list, err := e.Devices(t.Context(), "default", "lea"); err != nil || len(list) != 0 {
		t.Errorf("devices %+v, %v", list, err)
	}
	c.pass(-time.Millisecond)
	wantReason(t, e, "confirm", a.id, a.code(c.read()), "")
}

func TestOthersReachNothing(t *testing.T) {
	e, c := newEngine(t)
	a := confirmed(t, e, c)
	c.pass(30 * time.Second)
	for _, other := range []authenticator.Try{{Tenant: "other", User: "lea"}, {Tenant: "default", User: "Lea"}, {Tenant: "default", User: "le"}} {
		other.ID, other.Code = a.id, a.code(c.read())
		_, err := e.Verify(t.Context(), other)
		wantRefusal(t, err, authenticator.NoDevice, "")
		_, err = e.Confirm(t.Context(), other)
		wantRefusal(t, err, authenticator.NotFound, "")
		_, err = e.Revoke(t.Context(), authenticator.Ref{Tenant: other.Tenant, User: other.User, ID: a.id})
		wantRefusal(t, err, authenticator.NotFound, "")
		if list, err := e.Devices(t.Context(), other.Tenant, other.User); err != nil || len(list) != 0 {
			t.Errorf("devices %+v, %v", list, err)
		}
	}
	wantReason(t, e, "verify", "", a.code(c.read()), "")
}

// TestRightCodesTogetherWinOnce sends the same right code 64 times at once, over both databases.
func TestRightCodesTogetherWinOnce(t *testing.T) {
	for name, url := range databases(t) {
		t.Run(name, func(t *testing.T) {
			e, c := engineOver(t, url)
			e.Guesses = nil // or 54 of the losers would be throttled
			made := enrolWith(t, e, authenticator.Request{})
			a := appOf(t, made)
			for _, verb := range []string{"confirm", "verify"} {
				code := a.code(c.read())
				got := map[authenticator.Reason]int{}
				for _, v := range together(64, func() (authenticator.Verdict, error) {
					do := map[string]func(context.Context, authenticator.Try) (authenticator.Verdict, error){"confirm": e.Confirm, "verify": e.Verify}[verb]
					v, err := do(t.Context(), authenticator.Try{Tenant: "default", User: "lea", ID: a.id, Code: code})
					var refusal *authenticator.Refusal
					if errors.As(err, &refusal) {
						return authenticator.Verdict{Reason: refusal.Reason}, nil
					}
					return v, err
				}) {
					got[v.Reason]++
				}
				loser := map[string]authenticator.Reason{"confirm": authenticator.AlreadyConfirmed, "verify": authenticator.CodeUsed}[verb]
				if got[""] != 1 || got[loser] != 63 {
					t.Errorf("%s: %v, want one to win and 63 to be told %s", verb, got, loser)
				}
				c.pass(30 * time.Second)
			}
		})
	}
}

// TestAdvisory_CVE_2024_1722_GuessesAtAppsStayInTheBudget tries 64 wrong codes at once, over both databases.
func TestAdvisory_CVE_2024_1722_GuessesAtAppsStayInTheBudget(t *testing.T) {
	for name, url := range databases(t) {
		t.Run(name, func(t *testing.T) {
			e, c := engineOver(t, url)
			a := confirmed(t, e, c)
			c.pass(30 * time.Second)
			code, got := wrong(a.code(c.read())), map[authenticator.Reason]int{}
			for _, v := range together(64, func() (authenticator.Verdict, error) {
				return e.Verify(t.Context(), authenticator.Try{Tenant: "default", User: "lea", Code: code})
			}) {
				got[v.Reason]++
			}
			if got[authenticator.WrongCode] != 10 || got[authenticator.Throttled] != 54 {
				t.Errorf("%v, want ten looked at and 54 throttled", got)
			}
		})
	}
}

func databases(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "otpost.db"), "postgres": pgtest.Start(t).Database(t)}
}

// together calls f n times at once. One that fails has a reason of its own.
func together(n int, f func() (authenticator.Verdict, error)) []authenticator.Verdict {
	verdicts := make([]authenticator.Verdict, n)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			v, err := f()
			if err != nil {
				v.Reason = authenticator.Reason("failed: " + err.Error())
			}
			verdicts[i] = v
		})
	}
	close(start)
	wg.Wait()
	return verdicts
}

func TestAdvisory_AuthQuake_TheGuessBudgetOfAppsIsTheUsers(t *testing.T) {
	e, c := newEngine(t)
	a := confirmed(t, e, c)
	pending := appOf(t, enrolWith(t, e, authenticator.Request{}))
	c.pass(30 * time.Second)
	began := c.read()
	for range 5 {
		wantReason(t, e, "verify", "", wrong(a.code(c.read())), authenticator.WrongCode)
		wantReason(t, e, "confirm", pending.id, wrong(pending.code(c.read())), authenticator.WrongCode)
	}
	for range 2 { // right or wrong, at either verb
		wantReason(t, e, "verify", "", a.code(c.read()), authenticator.Throttled)
		wantReason(t, e, "verify", "", "000000", authenticator.Throttled)
		wantReason(t, e, "confirm", pending.id, pending.code(c.read()), authenticator.Throttled)
	}
	if v := try(t, e, "verify", "", a.code(c.read())); !v.RetryAt.Equal(began.Add(15 * time.Minute)) {
		t.Errorf("retry at %v, want %v", v.RetryAt, began.Add(15*time.Minute))
	}
	// A new device buys no new budget.
	if _, err := e.Revoke(t.Context(), authenticator.Ref{Tenant: "default", User: "lea", ID: pending.id}); err != nil {
		t.Fatal(err)
	}
	fresh := appOf(t, enrolWith(t, e, authenticator.Request{}))
	wantReason(t, e, "confirm", fresh.id, fresh.code(c.read()), authenticator.Throttled)
	c.pass(15 * time.Minute)
	wantReason(t, e, "verify", "", a.code(c.read()), "")
}

func TestRightCodesSpendNoGuess(t *testing.T) {
	e, c := newEngine(t)
	e.Guesses = []authenticator.Quota{{Count: 1, Window: 24 * time.Hour}}
	a := confirmed(t, e, c)
	for range 5 {
		c.pass(30 * time.Second)
		wantReason(t, e, "verify", "", a.code(c.read()), "")
	}
	wantReason(t, e, "verify", "", a.code(c.read()), authenticator.CodeUsed) // a replay is a guess
	c.pass(30 * time.Second)
	wantReason(t, e, "verify", "", a.code(c.read()), authenticator.Throttled)
}

// A caller that hangs up while its code is tried must not undo the count.
func TestHangingUpIsCounted(t *testing.T) {
	e, c := newEngine(t)
	a := confirmed(t, e, c)
	c.pass(30 * time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 10 {
		if v, err := e.Verify(ctx, authenticator.Try{Tenant: "default", User: "lea", Code: wrong(a.code(c.read()))}); err != nil || v.Reason != authenticator.WrongCode {
			t.Fatalf("verdict %+v, %v", v, err)
		}
	}
	wantReason(t, e, "verify", "", a.code(c.read()), authenticator.Throttled)
}

func TestRequestsThatAreRefused(t *testing.T) {
	e, _ := newEngine(t)
	for _, c := range []struct {
		field  string
		change func(*authenticator.Request)
	}{
		{"user", func(r *authenticator.Request) { r.User = "" }},
		{"user", func(r *authenticator.Request) { r.User = strings.Repeat("u", 257) }},
		{"user", func(r *authenticator.Request) { r.User = "a\x00b" }},
		{"user", func(r *authenticator.Request) { r.User = "a\xffb" }},
		{"issuer", func(r *authenticator.Request) { r.Issuer = " " }},
		{"issuer", func(r *authenticator.Request) { r.Issuer = "a:b" }},
		{"issuer", func(r *authenticator.Request) { r.Issuer = strings.Repeat("i", 65) }},
		{"label", func(r *authenticator.Request) { r.Label = "" }},
		{"label", func(r *authenticator.Request) { r.Label = "a:b" }},
		{"label", func(r *authenticator.Request) { r.Label = strings.Repeat("l", 257) }},
		{"label", func(r *authenticator.Request) { r.Label = "a\nb" }},
		{"secret", func(r *authenticator.Request) { r.Secret = "1" }},
		{"algorithm", func(r *authenticator.Request) { r.Algorithm = "MD5" }},
		{"algorithm", func(r *authenticator.Request) { r.Algorithm = "sha1" }},
		{"digits", func(r *authenticator.Request) { r.Digits = 7 }},
		{"period", func(r *authenticator.Request) { r.Period = 14 * time.Second }},
		{"period", func(r *authenticator.Request) { r.Period = 121 * time.Second }},
		{"period", func(r *authenticator.Request) { r.Period = 30*time.Second + 1 }},
	} {
		r := authenticator.Request{Tenant: "default", User: "lea", Issuer: "Example", Label: "lea"}
		c.change(&r)
		_, err := e.Enrol(t.Context(), r)
		wantRefusal(t, err, authenticator.InvalidRequest, c.field)
	}
	if list, err := e.Devices(t.Context(), "default", "lea"); err != nil || len(list) != 0 {
		t.Errorf("refused requests left %+v, %v", list, err)
	}
	_, err := e.Devices(t.Context(), "default", "")
	wantRefusal(t, err, authenticator.InvalidRequest, "user")
}

// TestEnrolmentsDoNotPrintTheirSecret prints one in every way that a log could.
func TestEnrolmentsDoNotPrintTheirSecret(t *testing.T) {
	e, _ := newEngine(t)
	made := enrolWith(t, e, authenticator.Request{})
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("made", "enrolment", made)
	slog.New(slog.NewTextHandler(&log, nil)).Info("made", "enrolment", made)
	fmt.Fprintf(&log, "%v %+v %#v %s %v", made, made, made, made, &made)
	if text := log.String(); strings.Contains(text, made.Secret) || strings.Contains(text, "otpauth") || !strings.Contains(text, made.Device.ID) {
		t.Errorf("printed: %s", text)
	}
	if bytes.Contains(made.Device.SecretSealed, []byte(made.Secret)) {
		t.Error("the secret is kept as it is")
	}
}

// TestASealedSecretIsBound moves a row to another user: it must open for nobody.
func TestASealedSecretIsBound(t *testing.T) {
	e, c := newEngine(t)
	a := confirmed(t, e, c)
	list, err := e.Devices(t.Context(), "default", "lea")
	if err != nil {
		t.Fatal(err)
	}
	stolen := list[0]
	stolen.User, stolen.ID = "eve", "au_eve"
	if err := e.Store.Enrol(t.Context(), stolen, 5, time.Time{}); err != nil {
		t.Fatal(err)
	}
	c.pass(30 * time.Second)
	v, err := e.Verify(t.Context(), authenticator.Try{Tenant: "default", User: "eve", Code: a.code(c.read())})
	if err == nil || strings.Contains(err.Error(), a.code(c.read())) {
		t.Errorf("verdict %+v, %v", v, err)
	}
}

package passcode_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// terms are a policy as a caller brings it: three tries, four generations, a lock-out as long as the lifetime.
func terms() passcode.Policy {
	return passcode.Policy{Alphabet: "0-9", Length: 6, Lifetime: 5 * time.Minute, Tries: 3, Resends: 3, Lockout: 5 * time.Minute}
}

func generation(key string) passcode.Generation {
	return passcode.Generation{Tenant: "default", Application: app, Scope: "journey", Purpose: passcode.SignIn, Key: key, Policy: terms()}
}

func refTo(g passcode.Generation) passcode.Ref {
	return passcode.Ref{Tenant: g.Tenant, Scope: g.Scope, Purpose: g.Purpose, Key: g.Key}
}

func (b *bench) generate(t *testing.T, g passcode.Generation) passcode.Generated {
	t.Helper()
	made, err := b.Generate(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestAGeneratedCodeIsVerifiedOnceAndNotSent(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		var events []passcode.Event
		b.Observe = func(e passcode.Event) { events = append(events, e) }
		g := generation("lea@example.org")
		made := b.generate(t, g)
		c := made.Challenge
		if c.Channel != outbox.Caller || c.To != g.Key || c.Sends != 1 || made.Reused || len(made.Code) != 6 ||
			!c.ExpiresAt.Equal(b.Now().Add(5*time.Minute)) || !c.ResendAt().IsZero() {
			t.Fatalf("%+v", c)
		}
		if said := fmt.Sprint(made, " ", &made) + fmt.Sprintf("%+v %#v", made, made); strings.Contains(said, made.Code) {
			t.Errorf("the code is in %q", said)
		}
		if v := b.verify(t, refTo(g), wrong(made.Code)); v.Reason != passcode.WrongCode || v.TriesLeft != 2 {
			t.Errorf("wrong code: %+v", v)
		}
		if v := b.verify(t, refTo(g), made.Code); !v.Verified || v.Challenge.ID != c.ID {
			t.Errorf("right code: %+v", v)
		}
		if v := b.verify(t, refTo(g), made.Code); v.Reason != passcode.CodeUsed {
			t.Errorf("the same code again: %+v", v)
		}
		if n := b.mail.count(); n != 0 {
			t.Errorf("%d messages were sent", n)
		}
		line, err := b.Status(t.Context(), passcode.Ref{Tenant: "default", ID: c.ID})
		if err != nil || len(line.Deliveries) != 0 || line.Challenge.State != passcode.Verified || len(line.Notes) != 1 {
			t.Errorf("its timeline is %+v, %v", line, err)
		}
		want := passcode.Event{Kind: passcode.EventGenerated, Channel: outbox.Caller, Purpose: passcode.SignIn}
		if len(events) != 4 || events[0] != want {
			t.Errorf("observed %+v, want %+v first", events, want)
		}
	})
}

func TestAGeneratedCodeIsFoundByItsKeyAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		sent, mailed := b.issue(t, passcode.Request{Tenant: "default", Application: app, Scope: "journey", To: "lea@example.org", Purpose: passcode.SignIn})
		g := generation("lea@example.org")
		made := b.generate(t, g)
		for name, change := range map[string]func(*passcode.Ref){
			"scope":      func(r *passcode.Ref) { r.Scope = "" },
			"purpose":    func(r *passcode.Ref) { r.Purpose = passcode.MFA },
			"no purpose": func(r *passcode.Ref) { r.Purpose = "" },
			"tenant":     func(r *passcode.Ref) { r.Tenant = "other" },
			"case":       func(r *passcode.Ref) { r.Key = "Lea@example.org" },
			"blank":      func(r *passcode.Ref) { r.Key = "lea@example.org " },
		} {
			ref := refTo(g)
			change(&ref)
			_, err := b.Verify(t.Context(), ref, made.Code)
			if refusal(t, err, passcode.NotFound); t.Failed() {
				t.Errorf("by another %s", name)
			}
		}
		byAddress := passcode.Ref{Tenant: "default", Scope: "journey", Purpose: passcode.SignIn, To: "lea@example.org"}
		if v := b.verify(t, byAddress, mailed); !v.Verified || v.Challenge.ID != sent.ID {
			t.Errorf("by address: %+v, want the passcode that was sent", v)
		}
		for _, to := range []string{"key:lea@example.org", " key:lea@example.org"} {
			_, err := b.Verify(t.Context(), passcode.Ref{Tenant: "default", Scope: "journey", Purpose: passcode.SignIn, To: to}, made.Code)
			refusal(t, err, passcode.InvalidRecipient)
		}
		both := refTo(g)
		both.To = "lea@example.org"
		_, err := b.Verify(t.Context(), both, made.Code)
		refusal(t, err, passcode.InvalidRequest)
		if v := b.verify(t, passcode.Ref{Tenant: "default", ID: made.Challenge.ID}, made.Code); !v.Verified {
			t.Errorf("by id: %+v", v)
		}
	})
}

func TestGenerateRefusesWhatItCannotKeep(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for _, c := range []struct {
			field  string
			change func(*passcode.Generation)
		}{
			{"key", func(g *passcode.Generation) { g.Key = "" }},
			{"key", func(g *passcode.Generation) { g.Key = strings.Repeat("k", 321) }},
			{"key", func(g *passcode.Generation) { g.Key = "a\x00b" }},
			{"key", func(g *passcode.Generation) { g.Key = "a\u0085b" }},
			{"key", func(g *passcode.Generation) { g.Key = "a\xffb" }},
			{"purpose", func(g *passcode.Generation) { g.Purpose = "steal" }},
			{"ip", func(g *passcode.Generation) { g.IP = "here" }},
			{"policy", func(g *passcode.Generation) { g.Policy = passcode.Policy{} }},
			{"policy", func(g *passcode.Generation) { g.Policy.Alphabet = "0-8" }},
			{"policy", func(g *passcode.Generation) { g.Policy.Length = 3 }},
			{"policy", func(g *passcode.Generation) { g.Policy.Tries = 0 }},
			{"policy", func(g *passcode.Generation) { g.Policy.Resends = 1001 }},
			{"policy", func(g *passcode.Generation) { g.Policy.Resends = -1 }},
			{"policy", func(g *passcode.Generation) { g.Policy.Lifetime = 25 * time.Hour }},
			{"policy", func(g *passcode.Generation) { g.Policy.Lockout = -1 * time.Second }},
			{"policy", func(g *passcode.Generation) { g.Policy.ResendInterval = time.Second }},
		} {
			g := generation("lea@example.org")
			c.change(&g)
			_, err := b.Generate(t.Context(), g)
			if r := refusal(t, err, passcode.InvalidRequest); r.Field != c.field {
				t.Errorf("%+v is refused for %q (%s), want %q", g, r.Field, r.Detail, c.field)
			}
		}
		g := generation("lea@example.org")
		if _, err := b.Status(t.Context(), refTo(g)); refusal(t, err, passcode.NotFound) == nil {
			t.Error("a refused request left something")
		}
		_, err := b.Verify(t.Context(), passcode.Ref{Tenant: "default", Key: "a\nb"}, "1")
		if r := refusal(t, err, passcode.InvalidRequest); r.Field != "key" {
			t.Errorf("refused for %q", r.Field)
		}
		// The bounds themselves, and a policy finer than what is kept.
		g.Key, g.Policy.Resends, g.Purpose = " \u00e9"+strings.Repeat("k", 317), 1000, ""
		g.Policy.Lifetime += 300 * time.Microsecond
		first, again := b.generate(t, g), b.generate(t, g)
		if again.Code != first.Code || !again.Reused || again.Challenge.Purpose != passcode.Verify {
			t.Errorf("handed over as %+v, then %+v", first.Challenge, again.Challenge)
		}
	})
}

// TestWhatIsKeptOfAGeneratedCode holds the sealed copy to the time in which it may be handed over again.
func TestWhatIsKeptOfAGeneratedCode(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		sealed := func(c *passcode.Challenge) bool {
			line, err := b.Status(t.Context(), passcode.Ref{Tenant: "default", ID: c.ID})
			if err != nil {
				t.Fatal(err)
			}
			return line.Challenge.CodeSealed != nil
		}
		g := generation("lea@example.org")
		for n := 1; n <= 4; n++ {
			made := b.generate(t, g)
			if got := sealed(&made.Challenge); got != (n < 4) || made.Reused != (n > 1) {
				t.Errorf("generation %d of 4, reused %v: sealed copy kept %v", n, made.Reused, got)
			}
		}
		_, err := b.Generate(t.Context(), g)
		refusal(t, err, passcode.NoResendsLeft)
		g.Key, g.Policy.FreshCode = "fresh", true
		made := b.generate(t, g)
		if sealed(&made.Challenge) {
			t.Error("a copy is kept of a code that is never handed over again")
		}
		g.Key, g.Policy.FreshCode = "another policy", false
		made = b.generate(t, g)
		g.Policy.Length = 8
		next := b.generate(t, g)
		if next.Reused || len(next.Code) != 8 || next.Challenge.Sends != 2 || sealed(&made.Challenge) {
			t.Errorf("after another policy: %+v, the first one sealed %v", next.Challenge, sealed(&made.Challenge))
		}
		if v := b.verify(t, passcode.Ref{Tenant: "default", ID: made.Challenge.ID}, made.Code); v.Reason != passcode.CodeReplaced {
			t.Errorf("the replaced code by its id: %+v", v)
		}
		if c, err := b.Cancel(t.Context(), refTo(g)); err != nil || c.State != passcode.Cancelled || sealed(&c) {
			t.Errorf("cancelled: %+v, %v", c, err)
		}
		if last := b.generate(t, g); last.Challenge.Sends != 3 {
			t.Errorf("after a cancelled one: generation %d", last.Challenge.Sends)
		}
	})
}

// TestALockOutIsOfItsSession locks a generated code and one that was sent: neither lock-out reaches further than it says.
func TestALockOutIsOfItsSession(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("lea@example.org")
		made := b.generate(t, g)
		for _, want := range []passcode.Reason{passcode.WrongCode, passcode.WrongCode, passcode.CodeLocked} {
			if v := b.verify(t, refTo(g), wrong(made.Code)); v.Reason != want {
				t.Fatalf("%+v, want %s", v, want)
			}
		}
		locked := b.Now()
		if v := b.verify(t, refTo(g), made.Code); v.Reason != passcode.CodeLocked {
			t.Errorf("the right code after the last try: %+v", v)
		}
		b.issue(t, request("lea@example.org"))
		for name, change := range map[string]func(*passcode.Generation){
			"scope": func(g *passcode.Generation) { g.Scope = "another" }, "purpose": func(g *passcode.Generation) { g.Purpose = passcode.MFA },
			"key": func(g *passcode.Generation) { g.Key = "LEA@example.org" },
		} {
			other := generation("lea@example.org")
			change(&other)
			if _, err := b.Generate(t.Context(), other); err != nil {
				t.Errorf("another %s: %v", name, err)
			}
		}
		time.Sleep(5*time.Minute - time.Millisecond)
		_, err := b.Generate(t.Context(), g)
		if r := refusal(t, err, passcode.LockedOut); !r.RetryAt.Equal(locked.Add(5 * time.Minute)) {
			t.Errorf("locked out until %v, want five minutes after the last try", r.RetryAt)
		}
		time.Sleep(time.Millisecond)
		if made := b.generate(t, g); made.Challenge.Sends != 2 || made.Reused {
			t.Errorf("after the lock-out: %+v", made.Challenge)
		}
		ref, code := b.issue(t, request("ada@example.org"))
		for range 5 {
			b.verify(t, ref, wrong(code))
		}
		_, err = b.Issue(t.Context(), request("ada@example.org"), 0)
		refusal(t, err, passcode.LockedOut)
		b.generate(t, generation("ada@example.org"))
	})
}

func TestANewSessionBuysNoGuesses(t *testing.T) {
	for _, keys := range [][]string{
		{"lea@example.org", "LEA@example.org", "lea+x@example.org"}, {"+33612345678", "+33 6 12 34 56 78"}, {"user 7"},
	} {
		inBubble(t, func(t *testing.T, b *bench) {
			b.Limits = passcode.Limits{Guesses: passcode.DefaultLimits().Guesses}
			answers := map[passcode.Reason]int{}
			for n := range 12 {
				g := generation(keys[n%len(keys)])
				g.Scope = fmt.Sprint("journey ", n)
				made := b.generate(t, g)
				answers[b.verify(t, refTo(g), wrong(made.Code)).Reason]++
				if n > 9 && b.verify(t, refTo(g), made.Code).Reason != passcode.Throttled {
					t.Errorf("%q: the right code was taken though the guesses are spent", g.Key)
				}
			}
			if answers[passcode.WrongCode] != 10 || answers[passcode.Throttled] != 2 {
				t.Errorf("%q: twelve guesses in twelve sessions are answered %v", keys, answers)
			}
		})
	}
}

func TestANewSessionBuysNoCodes(t *testing.T) {
	for _, keys := range [][]string{{"lea@example.org", "Lea+x@example.org"}, {"user 7"}} {
		inBubble(t, func(t *testing.T, b *bench) {
			begun := b.Now()
			for n := range 20 {
				g := generation(keys[n%len(keys)])
				g.Scope = fmt.Sprint("journey ", n)
				b.generate(t, g)
			}
			g := generation(keys[0])
			_, err := b.Generate(t.Context(), g)
			if r := refusal(t, err, passcode.LimitReached); r.Limit != "generations" || !r.RetryAt.Equal(begun.Add(10*time.Minute)) {
				t.Errorf("the 21st is refused by %q until %v", r.Limit, r.RetryAt)
			}
			if _, err := b.Status(t.Context(), refTo(g)); refusal(t, err, passcode.NotFound) == nil {
				t.Error("a refused generation left a code")
			}
			g.Key = "somebody else"
			b.generate(t, g)
		})
	}
}

func TestGenerationsCountForTheNetwork(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Limits = passcode.Limits{Address: []passcode.Quota{{Count: 2, Window: time.Minute}}}
		g, r := generation("one"), request("lea@example.org")
		g.IP, r.IP = "203.0.113.9", "203.0.113.9"
		b.generate(t, g)
		b.issue(t, r)
		g.Key = "two"
		_, err := b.Generate(t.Context(), g)
		if r := refusal(t, err, passcode.LimitReached); r.Limit != "address" {
			t.Errorf("refused by %q", r.Limit)
		}
		g.IP = ""
		b.generate(t, g)
	})
}

func TestAGeneratedCodeHasNoMessageToSendAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		g := generation("lea@example.org")
		made := b.generate(t, g)
		for _, ref := range []passcode.Ref{refTo(g), {Tenant: "default", ID: made.Challenge.ID}} {
			_, err := b.Resend(t.Context(), ref, app, "", 0)
			refusal(t, err, passcode.NoResendsLeft)
		}
		if n := b.mail.count(); n != 0 {
			t.Errorf("%d messages were sent", n)
		}
		if v := b.verify(t, refTo(g), made.Code); !v.Verified {
			t.Errorf("after that: %+v", v)
		}
	})
}

package passcode_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/passcode"
)

// The tests here are named after what went wrong elsewhere; docs/advisories.md lists them.

// generous is a policy and limits under which only the guess budget can end anything.
func (b *bench) generous() {
	policy := passcode.DefaultPolicy()
	policy.Tries, policy.Lockout, policy.Resends, policy.ResendInterval = 20, 0, 20, 0
	b.Policies["default"] = policy
	b.Limits = passcode.Limits{Guesses: passcode.DefaultLimits().Guesses}
}

// spellings are ways to write one mailbox.
var spellings = []string{"lea@example.org", "LEA@example.org", "Lea@Example.ORG", "lea+shop@example.org", "LEA+a+b@EXAMPLE.org"}

// Authelia CVE-2025-24806 (GO-2025-3468): the count was kept by the name as typed, so a second spelling had a budget of
// its own.
func TestAdvisory_CVE_2025_24806_SpellingsShareOneGuessBudget(t *testing.T) {
	for _, mailbox := range [][]string{
		spellings,
		{"l.ea@gmail.com", "lea@gmail.com", "L.E.A@googlemail.com", "lea+x@gmail.com"},
		{"lea@m\u00fcnchen.example", "LEA@M\u00dcNCHEN.example", "lea@xn--mnchen-3ya.example"},
		{"+33612345678", "+33 6 12 34 56 78", "+33 (0)6-12-34-56-78", "+33.6.12.34.56.78"},
	} {
		inBubble(t, func(t *testing.T, b *bench) {
			b.generous()
			evaluated := 0
			for i := range 12 {
				ref, code := b.issue(t, request(mailbox[i%len(mailbox)]))
				if v := b.verify(t, ref, wrong(code)); v.Reason == passcode.WrongCode {
					evaluated++
				} else if v.Reason != passcode.Throttled {
					t.Fatalf("verdict %+v", v)
				}
			}
			if evaluated != 10 {
				t.Errorf("%q got %d guesses together, want the 10 of one mailbox", mailbox, evaluated)
			}
		})
	}
}

// A key of a code that its caller hands over is no address to otpost, and may be one to whoever mails the code.
func TestAdvisory_CVE_2025_24806_SpellingsOfAKeyShareOneBudget(t *testing.T) {
	keys := []string{"lea@example.org", " lea@example.org", "lea@example.org  ", "LEA@example.org", "<lea@example.org>", "Lea <lea@example.org>",
		`"lea"@example.org`, "lea@example.org.", "lea(home (old))@example.org", "lea@\u200bexample.org", "lea@example\uff0eorg", "lea+1@example.org", "lea@example.org;"}
	inBubble(t, func(t *testing.T, b *bench) {
		b.Limits = passcode.Limits{Generations: []passcode.Quota{{Count: 20, Window: time.Hour}}, Guesses: passcode.DefaultLimits().Guesses}
		made, evaluated := 0, 0
		for i := range 3 * len(keys) {
			g := generation(keys[i%len(keys)])
			g.Scope = fmt.Sprint("journey ", i)
			code, err := b.Generate(t.Context(), g)
			if err != nil {
				refusal(t, err, passcode.LimitReached)
				continue
			}
			made++
			if v := b.verify(t, refTo(g), wrong(code.Code)); v.Reason == passcode.WrongCode {
				evaluated++
			} else if v.Reason != passcode.Throttled {
				t.Fatalf("verdict %+v", v)
			}
		}
		if made != 20 || evaluated != 10 {
			t.Errorf("%d codes and %d guesses for one mailbox, want 20 and 10", made, evaluated)
		}
		// Others have budgets of their own.
		for _, key := range []string{"leo@example.org", "lea", "7b0c6d1e", "()", "<>"} {
			b.generate(t, generation(key))
		}
	})
}

// Vault CVE-2025-6015 and OpenBao CVE-2025-55003 (GO-2025-3842, GO-2025-3856): the limit on guesses could be passed by.
func TestAdvisory_CVE_2025_6015_NoGuessIsFreeAndAFloodStaysUnderTheBudget(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.generous()
		// What cannot be a code is a guess all the same: no look at the text comes before the count.
		ref, code := b.issue(t, request("ada@example.org"))
		for i, typed := range []string{"", "x", strings.Repeat("9", 65), "\x00", "\xff\xfe", "123", "    ", "1234567890", "-", "#" + code} {
			if v := b.verify(t, ref, typed); v.Reason != passcode.WrongCode || v.Challenge.Tries != i+1 {
				t.Errorf("%q: %s after %d tries, want it counted as guess %d", typed, v.Reason, v.Challenge.Tries, i+1)
			}
		}
		if v := b.verify(t, ref, code); v.Reason != passcode.Throttled {
			t.Errorf("after ten of them the right code is answered %+v", v)
		}
		// Thirty passcodes of one mailbox, guessed at together.
		var refs []passcode.Ref
		for i := range 30 {
			r := request(spellings[i%len(spellings)])
			r.Scope = "session " + string(rune('a'+i))
			ref, _ := b.issue(t, r)
			refs = append(refs, ref)
		}
		var flood sync.WaitGroup
		for i := range 300 {
			flood.Go(func() {
				if _, err := b.Verify(context.Background(), refs[i%len(refs)], "never"); err != nil {
					t.Error(err)
				}
			})
		}
		flood.Wait()
		if n := b.tries(t, refs...); n != 10 {
			t.Errorf("300 parallel guesses at 30 passcodes: %d were evaluated, want 10", n)
		}
	})
}

// advance moves the engine's clock on, without what a wait would give the outbox to do.
func (b *bench) advance(d time.Duration) {
	now := b.Now().Add(d)
	b.Now = func() time.Time { return now }
}

// tries is how many codes were evaluated for all of the passcodes.
func (b *bench) tries(t *testing.T, refs ...passcode.Ref) (sum int) {
	t.Helper()
	for _, ref := range refs {
		line, err := b.Status(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		sum += line.Challenge.Tries
	}
	return sum
}

// Vikunja CVE-2026-35597 (GO-2026-5362): a failed login rolled back the transaction that had counted it.
func TestAdvisory_CVE_2026_35597_AGuessIsCountedThoughItsCallerLeaves(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		for range 4 {
			gone, leave := context.WithCancel(t.Context())
			leave()
			if _, err := b.Verify(gone, ref, wrong(code)); err != nil {
				t.Fatal(err)
			}
		}
		if n := b.tries(t, ref); n != 4 {
			t.Errorf("four guesses of callers who left: %d were counted", n)
		}
		if v := b.verify(t, ref, wrong(code)); v.Reason != passcode.CodeLocked {
			t.Errorf("the fifth: %+v", v)
		}
	})
}

// Keycloak CVE-2026-9798: a second way in did not ask about the lock-out.
func TestAdvisory_CVE_2026_9798_ALockHoldsAtEveryEntrance(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		for range 5 {
			b.verify(t, ref, wrong(code))
		}
		byAddress := passcode.Ref{Tenant: "default", To: "lea@example.org", Purpose: passcode.SignIn}
		for _, entrance := range []passcode.Ref{ref, byAddress} {
			if v := b.verify(t, entrance, code); v.Reason != passcode.CodeLocked {
				t.Errorf("%+v takes the right code of a locked passcode: %+v", entrance, v)
			}
			_, err := b.Resend(t.Context(), entrance, app, "", 0)
			refusal(t, err, passcode.Ended)
		}
		for _, purpose := range passcode.Purposes() {
			for _, to := range spellings {
				r := request(to)
				r.Purpose = purpose
				_, err := b.Issue(t.Context(), r, 0)
				refusal(t, err, passcode.LockedOut)
			}
		}
	})
}

// AuthQuake (Microsoft, 2024): thousands of guesses in parallel sessions, and nobody was told.
func TestAdvisory_AuthQuake_GuessingIsReported(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		var told []passcode.Reason
		b.Observe = func(e passcode.Event) {
			if e.Kind == passcode.EventTried || e.Kind == passcode.EventRefused {
				told = append(told, e.Reason)
			}
		}
		policy := passcode.DefaultPolicy()
		policy.Tries = 2
		b.Policies["default"] = policy
		ref, code := b.issue(t, request("lea@example.org"))
		b.verify(t, ref, wrong(code))
		b.verify(t, ref, wrong(code))
		b.Issue(t.Context(), request("lea@example.org"), 0)
		b.Limits.Guesses = []passcode.Quota{{Count: 1, Window: time.Hour}}
		ref, code = b.issue(t, request("ada@example.org"))
		b.verify(t, ref, wrong(code))
		b.verify(t, ref, wrong(code))
		want := []passcode.Reason{passcode.WrongCode, passcode.CodeLocked, passcode.LockedOut, passcode.WrongCode, passcode.Throttled}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// supabase/auth issue 2819 and better-auth issue 11162: a code had no cap of its own, or each resend renewed it.
func TestAdvisory_supabase_auth_2819_GuessesInADayAreBoundedWhateverIsResent(t *testing.T) {
	for name, fresh := range map[string]bool{"the same code again": false, "a fresh code": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				policy := passcode.DefaultPolicy()
				policy.FreshCode = fresh
				b.Policies["default"] = policy
				evaluated := 0
				// Whatever the defaults let through: new passcodes, resends, guesses, every five minutes of a day.
				for began := b.Now(); b.Now().Sub(began) < 24*time.Hour; b.advance(5 * time.Minute) {
					issued, err := b.Issue(t.Context(), request("lea@example.org"), 0)
					if err != nil {
						continue
					}
					ref := passcode.Ref{Tenant: "default", ID: issued.Challenge.ID}
					for range 2 {
						for range 3 {
							b.verify(t, ref, "never")
						}
						b.advance(policy.ResendInterval)
						b.Resend(t.Context(), ref, app, "", 0)
					}
					evaluated += b.tries(t, ref)
				}
				if evaluated < 40 || evaluated > 50 {
					t.Errorf("%d guesses were evaluated in a day, want at most 50, and 40 if the model tries at all", evaluated)
				}
			})
		})
	}
}

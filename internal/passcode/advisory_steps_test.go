package passcode_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/passcode"
)

// step is one thing that somebody who does not know the code can do to a passcode.
type step struct {
	name string
	do   func(t *testing.T, b *bench, ref passcode.Ref)
}

// blindSteps are all that the verbs allow, but for the right code.
func blindSteps() []step {
	try := func(codes ...string) func(*testing.T, *bench, passcode.Ref) {
		return func(t *testing.T, b *bench, ref passcode.Ref) {
			for _, code := range codes {
				if v := b.verify(t, ref, code); v.Verified {
					t.Errorf("%q verified", code)
				}
			}
		}
	}
	return []step{
		{"nothing", func(*testing.T, *bench, passcode.Ref) {}},
		{"a wrong code", try("wrong")},
		{"no code", try("", " ", "-")},
		{"every try", try("1", "2", "3", "4", "5")},
		{"a resend", func(t *testing.T, b *bench, ref passcode.Ref) { b.Resend(t.Context(), ref, app, "", 0) }},
		{"a cancel", func(t *testing.T, b *bench, ref passcode.Ref) { b.Cancel(t.Context(), ref) }},
		{"a look", func(t *testing.T, b *bench, ref passcode.Ref) { b.Status(t.Context(), ref) }},
		{"a newer one", func(t *testing.T, b *bench, ref passcode.Ref) {
			line, err := b.Status(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			b.Issue(t.Context(), request(line.Challenge.To), 0)
		}},
		{"expiry", func(_ *testing.T, b *bench, _ passcode.Ref) { b.advance(10 * time.Minute) }},
	}
}

// Keycloak CVE-2026-18963 and issue 51833: a flow was finished without the step that proves the address.
func TestAdvisory_CVE_2026_18963_NoPairOfStepsStandsInForTheCode(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Limits = passcode.Limits{}
		b.advance(0)
		steps := blindSteps()
		for i, first := range steps {
			for j, second := range steps {
				to := string(rune('a'+i)) + string(rune('a'+j)) + "@example.org"
				ref, code := b.issue(t, request(to))
				first.do(t, b, ref)
				second.do(t, b, ref)
				line, err := b.Status(t.Context(), ref)
				if err != nil || line.Challenge.State == passcode.Verified {
					t.Errorf("%s, then %s: the passcode is %s (%v)", first.name, second.name, line.Challenge.State, err)
				}
				pending := line.Challenge.StateAt(b.Now()) == passcode.Pending
				if v := b.verify(t, ref, code); v.Verified != pending {
					t.Errorf("%s, then %s: the right code is answered %+v though the passcode was pending: %v",
						first.name, second.name, v, pending)
				}
			}
		}
	})
}

// Zitadel CVE-2025-64103 (GO-2025-4083): a session was done after one of its two factors. Here a walk of steps by
// chance meets no change of state that docs/states.md does not draw, and none to verified without the right code.
func TestAdvisory_CVE_2025_64103_StatesOnlyMoveForward(t *testing.T) {
	for seed := range uint64(1) { // more to look longer
		inBubble(t, func(t *testing.T, b *bench) {
			b.Limits = passcode.Limits{}
			b.Policies["default"] = longCodes()
			b.advance(0)
			chance := rand.New(rand.NewPCG(seed, 1))
			steps := append(blindSteps(), step{"the right code", nil})
			ended := map[passcode.State]int{}
			for n := range 50 {
				ref, code := b.issue(t, request(string(rune('a'+n%26))+strings.Repeat("x", n/26)+"@example.org"))
				before := passcode.Challenge{State: passcode.Pending}
				for range 6 {
					s := steps[chance.IntN(len(steps))]
					won := false
					if s.do == nil {
						won = b.verify(t, ref, code).Verified
					} else {
						s.do(t, b, ref)
					}
					line, err := b.Status(t.Context(), ref)
					if err != nil {
						t.Fatal(err)
					}
					after := line.Challenge
					now := after.StateAt(b.Now())
					switch {
					case before.State != passcode.Pending && now != before.State:
						t.Errorf("seed %d: %s made a passcode %s that was %s", seed, s.name, now, before.State)
					case (now == passcode.Verified) != (before.State == passcode.Verified || won):
						t.Errorf("seed %d: %s left a passcode %s that was %s", seed, s.name, now, before.State)
					case after.Tries < before.Tries, after.Sends < before.Sends, after.Tries > after.Policy.Tries:
						t.Errorf("seed %d: %s: from %d tries and %d sends to %d and %d", seed, s.name, before.Tries,
							before.Sends, after.Tries, after.Sends)
					}
					before = after
					before.State = now
				}
				ended[before.State]++
			}
			for _, s := range []passcode.State{passcode.Verified, passcode.Locked, passcode.Expired, passcode.Cancelled, passcode.Replaced} {
				if ended[s] == 0 {
					t.Errorf("seed %d: no walk ended in %s: %v", seed, s, ended)
				}
			}
		})
	}
}

// better-auth pull request 8067: two requests at once, each of which saw the code unused.
func TestAdvisory_better_auth_8067_ARaceHasOneOutcome(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.generous()
		for round := range 20 {
			ref, code := b.issue(t, request(string(rune('a'+round))+"@example.org"))
			var race sync.WaitGroup
			var mu sync.Mutex
			verified, cancelled := 0, false
			for range 4 {
				race.Go(func() {
					if v, err := b.Verify(context.Background(), ref, code); err == nil && v.Verified {
						mu.Lock()
						verified++
						mu.Unlock()
					}
				})
				race.Go(func() {
					c, err := b.Cancel(context.Background(), ref)
					mu.Lock()
					cancelled = cancelled || err == nil && c.State == passcode.Cancelled
					mu.Unlock()
				})
				race.Go(func() {
					var refused *passcode.Refusal
					if _, err := b.Resend(context.Background(), ref, app, "", 0); err != nil && !errors.As(err, &refused) {
						t.Error(err)
					}
				})
			}
			race.Wait()
			if verified > 1 || (verified == 1) == cancelled {
				t.Errorf("round %d: verified %d times, cancelled: %v", round, verified, cancelled)
			}
		}
	})
}

// WordPress Digits before 8.4.6.1: a copy of the form, made for another purpose, had no limit.
func TestAdvisory_Digits_8_4_6_1_EveryPurposeSharesTheGuessBudget(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.generous()
		strict := b.Policies["default"]
		strict.Length = 8
		b.Policies["another"] = strict
		var answers []passcode.Reason
		for _, policy := range []string{"default", "another"} {
			for _, purpose := range passcode.Purposes() {
				r := request("lea@example.org")
				r.Policy, r.Purpose, r.Application = policy, purpose, passcode.Application{ID: "app_" + policy, Name: "Shop"}
				ref, code := b.issue(t, r)
				answers = append(answers, b.verify(t, ref, wrong(code)).Reason, b.verify(t, ref, wrong(code)).Reason)
			}
		}
		want := slices.Concat(slices.Repeat([]passcode.Reason{passcode.WrongCode}, 10), slices.Repeat([]passcode.Reason{passcode.Throttled}, 10))
		if !slices.Equal(answers, want) {
			t.Errorf("twenty guesses over all purposes and two policies are answered %q", answers)
		}
	})
}

// Authelia CVE-2026-47203 (GO-2026-5430): one entrance had no canonical user name. Here every spelling that chance
// makes of an address has one identifier, and the canonical form of a canonical form is itself.
func TestAdvisory_CVE_2026_47203_EverySpellingHasOneIdentifier(t *testing.T) {
	chance := rand.New(rand.NewPCG(47203, 1))
	pick := func(forms ...string) string { return forms[chance.IntN(len(forms))] }
	anyCase := func(s string) string {
		return strings.Map(func(r rune) rune {
			if chance.IntN(2) == 0 {
				return []rune(strings.ToUpper(string(r)))[0]
			}
			return r
		}, s)
	}
	const fullWidth = 0xfee0 // from an ASCII character to its full-width form
	number := func() string {
		var out strings.Builder
		out.WriteRune('+' + rune(chance.IntN(2))*fullWidth)
		for _, digit := range "33612345678" {
			out.WriteRune(digit + rune(chance.IntN(2))*fullWidth)
			out.WriteString(pick("", "", "", " ", "-", "."))
		}
		return strings.TrimRight(out.String(), " -.")
	}
	for _, c := range []struct {
		spelling            func() string
		identifier, mailbox string
	}{
		{func() string { return anyCase("lea.martin@example.org") }, "lea.martin@example.org", "lea.martin@example.org"},
		{func() string { return anyCase("lea+shop@example.org") }, "lea+shop@example.org", "lea@example.org"},
		{func() string {
			return anyCase("lea@" + pick("m\u00fcnchen", "xn--mnchen-3ya") + ".example")
		},
			"lea@xn--mnchen-3ya.example", "lea@xn--mnchen-3ya.example"},
		{number, "+33612345678", "+33612345678"},
	} {
		for range 300 {
			typed := c.spelling()
			got, err := passcode.ParseAddress(typed)
			if err != nil || got.Identifier != c.identifier || got.Mailbox != c.mailbox {
				t.Fatalf("%q is %+v %v, want %s and %s", typed, got, err, c.identifier, c.mailbox)
			}
			if again, err := passcode.ParseAddress(got.Identifier); err != nil || again.Identifier != got.Identifier {
				t.Fatalf("the identifier of %q has the identifier %q %v", typed, again.Identifier, err)
			}
		}
	}
}

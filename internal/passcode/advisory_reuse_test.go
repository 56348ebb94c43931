package passcode_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/store"
)

// entrances are the ways to name one passcode.
func entrances(ref passcode.Ref, to string) []passcode.Ref {
	byAddress := passcode.Ref{Tenant: ref.Tenant, To: to, Purpose: passcode.SignIn}
	shouted := byAddress
	shouted.To = strings.ToUpper(to)
	return []passcode.Ref{ref, byAddress, shouted}
}

// Gitea CVE-2026-20779 (GO-2026-6057) after CVE-2021-45331 (GO-2022-0315): a used code was marked at one entrance only.
func TestAdvisory_CVE_2021_45331_AllEntrancesShareOneConsume(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		ways := entrances(ref, "lea@example.org")
		results := make(chan passcode.Verdict)
		const submits = 63
		for i := range submits {
			go func() {
				v, err := b.Verify(context.Background(), ways[i%len(ways)], code)
				if err != nil {
					t.Error(err)
				}
				results <- v
			}()
		}
		won := 0
		for range submits {
			if v := <-results; v.Verified {
				won++
			} else if v.Reason != passcode.CodeUsed {
				t.Errorf("a submit that lost is answered %q", v.Reason)
			}
		}
		if won != 1 {
			t.Errorf("%d of %d submits over %d entrances won, want 1", won, submits, len(ways))
		}
	})
}

// Vikunja CVE-2026-33473 (GO-2026-4805), nginx-ignition CVE-2026-61630, pquerna/otp issue 61: the library checks a
// code and remembers nothing, so it was good again.
func TestAdvisory_CVE_2026_33473_AUsedCodeStaysUsedAfterARestart(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		if v := b.verify(t, ref, code); !v.Verified {
			t.Fatalf("verdict %+v", v)
		}
		reopened, err := store.Open(t.Context(), "sqlite:"+b.path, b.sealer, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer reopened.Close()
		b.Store = reopened
		for _, entrance := range entrances(ref, "lea@example.org") {
			if v := b.verify(t, entrance, code); v.Reason != passcode.CodeUsed {
				t.Errorf("%+v takes a used code after a restart: %+v", entrance, v)
			}
		}
	})
}

// Dovecot CVE-2026-27855: a cache of answers let a one-time password in a second time.
func TestAdvisory_CVE_2026_27855_NoProcessRemembersAVerdict(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		other := *b
		other.Engine = &passcode.Engine{Store: b.Store, Outbox: b.Outbox, Ring: b.Ring, Compose: b.Compose, Route: b.Route,
			Policy: policies(b.Policies), Limits: b.Limits, Now: b.Now, Rand: b.Rand}
		ref, code := b.issue(t, request("lea@example.org"))
		// The same wrong code costs a try each time, wherever it is tried.
		for i, process := range []*bench{b, &other, b, &other} {
			if v := process.verify(t, ref, wrong(code)); v.TriesLeft != 4-i {
				t.Errorf("wrong code number %d leaves %d tries, want %d", i+1, v.TriesLeft, 4-i)
			}
		}
		if v := b.verify(t, ref, code); !v.Verified {
			t.Fatalf("verdict %+v", v)
		}
		for _, process := range []*bench{&other, b, &other} {
			if v := process.verify(t, ref, code); v.Reason != passcode.CodeUsed {
				t.Errorf("a used code: %+v", v)
			}
		}
	})
}

// Zitadel CVE-2025-46815 (GO-2025-3671): a token that was meant for one use worked again.
func TestAdvisory_CVE_2025_46815_NoPasscodeThatEndedTakesItsCode(t *testing.T) {
	for want, end := range map[passcode.Reason]func(*testing.T, *bench, passcode.Ref, string){
		passcode.CodeUsed:      func(t *testing.T, b *bench, ref passcode.Ref, code string) { b.verify(t, ref, code) },
		passcode.CodeCancelled: func(t *testing.T, b *bench, ref passcode.Ref, _ string) { b.Cancel(t.Context(), ref) },
		passcode.CodeReplaced: func(t *testing.T, b *bench, _ passcode.Ref, _ string) {
			b.issue(t, request("lea@example.org"))
		},
		passcode.CodeExpired: func(*testing.T, *bench, passcode.Ref, string) { time.Sleep(10 * time.Minute) },
		passcode.CodeLocked: func(t *testing.T, b *bench, ref passcode.Ref, code string) {
			for range 5 {
				b.verify(t, ref, wrong(code))
			}
		},
	} {
		t.Run(string(want), func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.Policies["default"] = longCodes()
				ref, code := b.issue(t, request("lea@example.org"))
				end(t, b, ref, code)
				for range 2 {
					if v := b.verify(t, ref, code); v.Verified || v.Reason != want {
						t.Errorf("the right code is answered %+v, want %s", v, want)
					}
				}
			})
		})
	}
}

// longCodes is the default policy with codes so long that no two are the same by chance.
func longCodes() passcode.Policy {
	policy := passcode.DefaultPolicy()
	policy.Length = 12
	return policy
}

// Vikunja CVE-2026-28268 (GO-2026-4575): the token of a finished reset was never deleted.
func TestAdvisory_CVE_2026_28268_AnEndedPasscodeKeepsNoCode(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		sealed := func() []byte {
			line, err := b.Status(t.Context(), ref)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range line.Deliveries {
				if d.Message != nil {
					t.Errorf("a delivery that is %s keeps its message", d.State)
				}
			}
			return line.Challenge.CodeSealed
		}
		if len(sealed()) == 0 {
			t.Fatal("a pending passcode keeps no sealed code, so this test shows nothing")
		}
		b.verify(t, ref, code)
		if len(sealed()) != 0 {
			t.Error("a used passcode keeps its sealed code")
		}
		_, err := b.Resend(t.Context(), ref, app, "", 0)
		refusal(t, err, passcode.Ended)
	})
}

// Fleet CVE-2026-26060 (GO-2026-4888) and Apache Answer CVE-2024-41890 (GO-2024-3064): older links worked on after a
// newer one, or after the password was changed.
func TestAdvisory_CVE_2024_41890_ANewerPasscodeEndsTheOlderOnes(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Policies["default"] = longCodes()
		var refs []passcode.Ref
		var codes []string
		for _, to := range []string{"lea@example.org", "LEA@example.org", "lea@Example.org"} {
			ref, code := b.issue(t, request(to))
			refs, codes = append(refs, ref), append(codes, code)
		}
		for i := range 2 {
			if v := b.verify(t, refs[i], codes[i]); v.Reason != passcode.CodeReplaced {
				t.Errorf("older passcode %d: %+v", i, v)
			}
			if v := b.verify(t, refs[2], codes[i]); v.Verified {
				t.Errorf("the newest passcode takes the code of older passcode %d", i)
			}
		}
		if v := b.verify(t, refs[2], codes[2]); !v.Verified {
			t.Errorf("the newest: %+v", v)
		}
	})
}

// Apache Answer CVE-2023-1976 (GO-2023-1719) and Gogs CVE-2026-52809 (GO-2026-5140): no expiry, and a wrong one.
func TestAdvisory_CVE_2026_52809_EveryPurposeEndsWhenItsPolicySays(t *testing.T) {
	for _, lifetime := range []time.Duration{30 * time.Second, 10 * time.Minute, 24 * time.Hour} {
		inBubble(t, func(t *testing.T, b *bench) {
			policy := longCodes()
			policy.Lifetime = lifetime
			b.Policies["default"] = policy
			b.advance(0)
			var refs [][2]passcode.Ref
			var codes [][2]string
			for _, purpose := range passcode.Purposes() {
				var pair [2]passcode.Ref
				var code [2]string
				for i, to := range []string{string(purpose) + "@example.org", string(purpose) + "@example.com"} {
					r := request(to)
					r.Purpose = purpose
					pair[i], code[i] = b.issue(t, r)
				}
				refs, codes = append(refs, pair), append(codes, code)
			}
			b.advance(lifetime - time.Millisecond)
			for i := range refs {
				if v := b.verify(t, refs[i][0], codes[i][0]); !v.Verified {
					t.Errorf("%s, a millisecond before %v: %s", passcode.Purposes()[i], lifetime, v.Reason)
				}
			}
			b.advance(time.Millisecond)
			for i := range refs {
				if v := b.verify(t, refs[i][1], codes[i][1]); v.Reason != passcode.CodeExpired {
					t.Errorf("%s, at %v: %+v", passcode.Purposes()[i], lifetime, v)
				}
			}
		})
	}
}

// Gogs CVE-2025-64175 (GO-2026-4449): a recovery code opened any account.
func TestAdvisory_CVE_2025_64175_ACodeOpensItsOwnAccountOnly(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Policies["default"] = longCodes()
		people := []string{"lea@example.org", "ada@example.org", "lea@example.com", "+33612345678"}
		refs, codes := make([]passcode.Ref, len(people)), make([]string, len(people))
		for i, to := range people {
			refs[i], codes[i] = b.issue(t, request(to))
		}
		for i := range people {
			for j := range people {
				if i == j {
					continue
				}
				for _, entrance := range entrances(refs[i], people[i]) {
					if v := b.verify(t, entrance, codes[j]); v.Verified {
						t.Errorf("the code of %s opened %s", people[j], people[i])
					}
				}
				refs[i], codes[i] = b.issue(t, request(people[i])) // nobody's tries run out
			}
		}
		for i := range people {
			if v := b.verify(t, refs[i], codes[i]); !v.Verified {
				t.Errorf("%s: %+v", people[i], v)
			}
		}
	})
}

// Casdoor looked codes up by the receiver alone, whichever tenant asked.
func TestAdvisory_Casdoor_OneAddressInTwoTenantsHasTwoPasscodes(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Policies["default"] = longCodes()
		tenants := []string{"one", "two"}
		refs, codes := make([]passcode.Ref, 2), make([]string, 2)
		for i, tenant := range tenants {
			r := request("lea@example.org")
			r.Tenant = tenant
			refs[i], codes[i] = b.issue(t, r)
		}
		for i, tenant := range tenants {
			other := 1 - i
			for _, entrance := range entrances(refs[i], "lea@example.org") {
				if v := b.verify(t, entrance, codes[other]); v.Verified || v.Challenge.Tenant != tenant {
					t.Errorf("tenant %s: the code of tenant %s is answered %+v", tenant, tenants[other], v)
				}
			}
			stolen := passcode.Ref{Tenant: tenant, ID: refs[other].ID}
			_, err := b.Verify(t.Context(), stolen, codes[other])
			refusal(t, err, passcode.NotFound)
			_, err = b.Resend(t.Context(), stolen, app, "", 0)
			refusal(t, err, passcode.NotFound)
			_, err = b.Cancel(t.Context(), stolen)
			refusal(t, err, passcode.NotFound)
			_, err = b.Status(t.Context(), stolen)
			refusal(t, err, passcode.NotFound)
		}
		// Tries of one tenant do not count for the other: each is verified at its fourth.
		for i := range tenants {
			if v := b.verify(t, refs[i], codes[i]); !v.Verified {
				t.Errorf("tenant %s: %+v", tenants[i], v)
			}
		}
	})
}

// The same, where the attacker can write to the database: a hash that is moved to another row proves nothing there.
func TestAdvisory_CVE_2025_64175_AHashMovedToAnotherAccountOpensNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		mine, code := b.issue(t, request("mallory@example.org"))
		var hash []byte
		read := func(c *passcode.Challenge, _ passcode.Turn) error { hash = c.CodeHash; return nil }
		write := func(c *passcode.Challenge, _ passcode.Turn) error { c.CodeHash, c.Tries = hash, 1; return nil }
		if err := b.Store.Update(t.Context(), mine, b.Now(), read); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			to      string
			purpose passcode.Purpose
		}{{"lea@example.org", passcode.SignIn}, {"mallory@example.org", passcode.PasswordReset}} {
			r := request(c.to)
			r.Purpose = c.purpose
			theirs, own := b.issue(t, r)
			if err := b.Store.Update(t.Context(), theirs, b.Now(), write); err != nil {
				t.Fatal(err)
			}
			if v := b.verify(t, theirs, own); v.Verified {
				t.Fatal("the hash was not moved, so this test shows nothing")
			}
			if v := b.verify(t, theirs, code); v.Verified {
				t.Errorf("the code of another row verified %s for %s", c.purpose, c.to)
			}
		}
	})
}

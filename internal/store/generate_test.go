package store_test

import (
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/store/pgtest"
)

// onBoth runs f with an engine over SQLite and with one over PostgreSQL.
func onBoth(t *testing.T, f func(t *testing.T, d *desk, far bool)) {
	same := func(s passcode.Store) passcode.Store { return s }
	t.Run("sqlite", func(t *testing.T) {
		f(t, newDesk(t, "sqlite:"+filepath.Join(t.TempDir(), "otpost.db"), same), false)
	})
	t.Run("postgres", func(t *testing.T) { f(t, newDesk(t, pgtest.Start(t).Database(t), same), true) })
}

// generationPolicies are those that one scope and key meets in turn; as a rule it is one.
func generationPolicies(random *mathrand.Rand) []passcode.Policy {
	list := make([]passcode.Policy, 1+random.IntN(5)/4)
	for i := range list {
		list[i] = passcode.Policy{Alphabet: "0-9", Length: 12, Lifetime: time.Minute, Tries: 1 + random.IntN(5),
			Resends: random.IntN(4), FreshCode: random.IntN(2) == 0, Lockout: time.Duration(random.IntN(4)) * 30 * time.Second}
	}
	return list
}

// TestGeneratedCodesAreTheModel walks by chance through generations, codes that are right, wrong or of before, and time,
// and wants each answer, and what is on disk, to be the model's.
func TestGeneratedCodesAreTheModel(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk, far bool) {
		random := mathrand.New(mathrand.NewPCG(5, 7))
		said := map[string]int{}
		d.Limits = passcode.Limits{Guesses: []passcode.Quota{{Count: 7, Window: 4 * time.Minute}},
			Generations: []passcode.Quota{{Count: 6, Window: 5 * time.Minute}}}
		for walk := range 30 {
			walkGenerated(t, d, &codeModel{sessions: map[place][]*modelCode{}, guesses: map[string]*window{}, generations: map[string]*window{},
				guessLimit: d.Limits.Guesses[0], codeLimit: d.Limits.Generations[0], far: far}, walk, random, said)
			if t.Failed() {
				return
			}
		}
		for _, answer := range []string{"code true", "code false", "locked_out", "no_resends_left", "limit_reached", "verified true",
			"wrong_code", "locked", "expired", "used", "replaced", "throttled", "not_found"} {
			if said[answer] < 3 {
				t.Errorf("the walks met %q %d times: %v", answer, said[answer], said)
			}
		}
	})
}

// walkGenerated is one walk over a few scopes and two keys, one of which is an address.
func walkGenerated(t *testing.T, d *desk, m *codeModel, walk int, random *mathrand.Rand, said map[string]int) {
	t.Helper()
	var places []place
	policies := map[place][]passcode.Policy{}
	for i := range 8 {
		p := place{fmt.Sprint("journey ", i/2), fmt.Sprintf("person%d@example.org", 2*walk+i%2)}
		if i%2 == 1 {
			p.key = fmt.Sprint("user ", walk)
		}
		places, policies[p] = append(places, p), generationPolicies(random)
	}
	for step := range 120 {
		if random.IntN(8) == 0 {
			d.now = d.now.Add([]time.Duration{time.Millisecond, 29 * time.Second, 30 * time.Second, time.Minute}[random.IntN(4)])
		}
		m.now = d.now
		p := places[random.IntN(len(places))]
		var asked, got, want string
		if random.IntN(4) == 0 {
			policy := policies[p][random.IntN(len(policies[p]))]
			made, err := d.Generate(t.Context(), passcode.Generation{Tenant: "default", Scope: p.scope, Purpose: passcode.Verify, Key: p.key, Policy: policy})
			asked, got, want = "generate under "+policy.String(), sayGenerated(made, err), m.generate(p, policy, &made)
		} else {
			ref, c := whichCode(m, p, random)
			code := typedCode(m, p, c, places, random)
			v, err := d.Verify(t.Context(), ref, code)
			asked, got, want = fmt.Sprintf("verify %+v with %s", ref, code), sayTried(v, err), m.verify(p, c, code)
		}
		said[kindOf(got)]++
		if got != want {
			t.Errorf("walk %d, step %d at %s, %v: %s\nanswered %s\nwant     %s", walk, step, stamp(d.now), p, asked, got, want)
			return
		}
	}
	for p, codes := range m.sessions {
		for _, c := range codes {
			line, err := d.Status(t.Context(), passcode.Ref{Tenant: "default", ID: c.id})
			k := line.Challenge
			got := fmt.Sprint(k.StateAt(d.now), " ", k.Tries, " tries, generation ", k.Sends, " until ", stamp(k.ExpiresAt),
				", readable ", k.CodeSealed != nil && k.StateAt(d.now) == passcode.Pending)
			if want := m.kept(c); got != want || err != nil {
				t.Errorf("walk %d, %v: on disk %s, %v, want %s", walk, p, got, err, want)
			}
		}
	}
}

// whichCode is the newest code by its key, as a rule, or any by its id.
func whichCode(m *codeModel, p place, random *mathrand.Rand) (passcode.Ref, *modelCode) {
	codes := m.sessions[p]
	if len(codes) == 0 || random.IntN(4) > 0 {
		return passcode.Ref{Tenant: "default", Scope: p.scope, Key: p.key}, m.newest(p)
	}
	c := codes[random.IntN(len(codes))]
	return passcode.Ref{Tenant: "default", ID: c.id}, c
}

// typedCode is the right code, one of before or of another session, or one that never was.
func typedCode(m *codeModel, p place, c *modelCode, places []place, random *mathrand.Rand) string {
	other := m.newest(places[random.IntN(len(places))])
	switch kind := random.IntN(8); {
	case kind == 0 && c != nil:
		return c.code
	case kind == 1 && c != nil:
		return m.sessions[p][0].code
	case kind == 2 && other != nil:
		return other.code
	}
	return "no code"
}

// kindOf is an answer without what differs from one to the next.
func kindOf(answer string) string {
	switch words := strings.FieldsFunc(answer, func(r rune) bool { return r == ' ' || r == ',' }); {
	case words[0] == "code":
		return "code " + words[3]
	case words[0] == "verified" && words[1] == "false":
		return words[2]
	case words[0] == "verified":
		return "verified true"
	default:
		return words[0]
	}
}

// TestGeneratedCodesTogether asks for the same in parallel: no order of 64 calls gives more than the policy does.
func TestGeneratedCodesTogether(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk, _ bool) {
		d.Limits = passcode.Limits{}
		for round := range 3 {
			for _, fresh := range []bool{false, true} {
				scope := fmt.Sprint("journey ", round, fresh)
				generateAtOnce(t, d, scope, fresh)
				guessAtOnce(t, d, scope)
			}
		}
	})
}

// answers runs f 64 times at once and counts what it says.
func answers(f func(i int) string) map[string]int {
	said, counts := make(chan string), map[string]int{}
	for i := range 64 {
		go func() { said <- f(i) }()
	}
	for range 64 {
		counts[<-said]++
	}
	return counts
}

func generateAtOnce(t *testing.T, d *desk, scope string, fresh bool) {
	t.Helper()
	p := passcode.Policy{Alphabet: "0-9", Length: 12, Lifetime: time.Minute, Tries: 3, Resends: 9, FreshCode: fresh}
	g := passcode.Generation{Tenant: "default", Scope: scope, Purpose: passcode.SignIn, Key: "lea@example.org", Policy: p}
	made := make([]passcode.Generated, 64)
	counts := answers(func(i int) string {
		var err error
		if made[i], err = d.Generate(t.Context(), g); err != nil {
			return sayRefused(err)
		}
		return fmt.Sprint("reused ", made[i].Reused)
	})
	firsts, codes, seen := 1, 1, map[string]bool{}
	if fresh {
		firsts, codes = 10, 10
	}
	if counts["reused false"] != firsts || counts["reused true"] != 10-firsts || counts["no_resends_left"] != 54 {
		t.Errorf("fresh %v: 64 generations of ten: %v", fresh, counts)
	}
	sends, last := map[int]bool{}, ""
	for _, m := range made {
		if m.Code == "" {
			continue
		}
		sends[m.Challenge.Sends], seen[m.Code] = true, true
		if m.Challenge.Sends == 10 {
			last = m.Code
		}
	}
	if len(sends) != 10 || len(seen) != codes || !sends[1] || !sends[10] {
		t.Errorf("fresh %v: ten generations counted %v and made %d codes", fresh, sends, len(seen))
	}
	counts = answers(func(int) string {
		return sayTried(d.Verify(t.Context(), passcode.Ref{Tenant: "default", Scope: scope, Purpose: passcode.SignIn, Key: g.Key}, last))
	})
	if counts["verified true , 2 left"] != 1 || counts["verified false used, 2 left"] != 63 {
		t.Errorf("fresh %v: 64 right codes: %v", fresh, counts)
	}
}

// guessAtOnce tries wrong codes while the same code is handed over again and again.
func guessAtOnce(t *testing.T, d *desk, scope string) {
	t.Helper()
	p := passcode.Policy{Alphabet: "0-9", Length: 12, Lifetime: time.Minute, Tries: 4, Resends: 40, Lockout: time.Minute}
	g := passcode.Generation{Tenant: "default", Scope: scope, Purpose: passcode.MFA, Key: "lea@example.org", Policy: p}
	made, err := d.Generate(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	ref := passcode.Ref{Tenant: "default", Scope: scope, Purpose: passcode.MFA, Key: g.Key}
	counts := answers(func(i int) string {
		if i%8 == 0 {
			again, err := d.Generate(t.Context(), g)
			if err == nil && again.Challenge.ID != made.Challenge.ID {
				return "another code"
			}
			return "handed over"
		}
		v, err := d.Verify(t.Context(), ref, "no code")
		return fmt.Sprintln(v.Reason, v.Last, err)
	})
	if counts["wrong_code false <nil>\n"] != 3 || counts["locked true <nil>\n"] != 1 || counts["locked false <nil>\n"] != 52 || counts["handed over"] != 8 {
		t.Errorf("56 wrong codes against four tries: %v", counts)
	}
	line, err := d.Status(t.Context(), ref)
	if c := line.Challenge; err != nil || c.Tries != 4 || c.State != passcode.Locked || len(line.Notes) != 4 {
		t.Errorf("four tries left %+v with %d notes, %v", c, len(line.Notes), err)
	}
	counts = answers(func(int) string { return sayGenerated(d.Generate(t.Context(), g)) })
	if counts["locked_out until "+stamp(d.now.Add(time.Minute))] != 64 {
		t.Errorf("after the last try: %v", counts)
	}
}

// TestRequestsAtOnceAreKeptApart issues for one address in 64 sessions at once.
func TestRequestsAtOnceAreKeptApart(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk, _ bool) {
		d.Limits = passcode.Limits{Identifier: []passcode.Quota{{Count: 4, Window: time.Hour}}}
		d.Compose = func(c passcode.Content) (outbox.Message, error) {
			return outbox.Message{Channel: c.Channel, To: c.To, Text: "-"}, nil
		}
		for round := range 3 {
			counts := answers(func(i int) string {
				_, err := d.Issue(t.Context(), passcode.Request{Tenant: "default", Scope: fmt.Sprint("journey ", i), To: "lea@example.org",
					Apart: 30 * time.Second}, 0)
				if err != nil {
					return sayRefused(err)
				}
				return "issued"
			})
			if counts["issued"] != 1 || counts["too_soon until "+stamp(d.now.Add(30*time.Second))] != 63 {
				t.Errorf("round %d: %v", round, counts)
			}
			d.now = d.now.Add(30 * time.Second)
		}
	})
}

package otp_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// model is what one identifier of one journey has come to, by the decision table that the profiles are held to: what B2C
// documents, and our choices where it does not.
type model struct {
	// lifetime is also how long the lock-out is. tries and generations are how many there may be.
	lifetime           time.Duration
	tries, generations int
	reuse              bool

	code              string
	tried, made       int
	expires, unlocked time.Time
	// used is true after success, locked after the last wrong code.
	used, locked bool
}

// generate is what the person must be told; again is true where the code must be the one before.
func (m *model) generate(now time.Time) (key string, again bool) {
	switch {
	case m.locked && now.Before(m.unlocked):
		return "UserMessageIfMaxRetryAttempted", false
	case m.made >= m.generations:
		return "UserMessageIfMaxNumberOfCodeGenerated", false
	}
	again = m.reuse && m.alive(now)
	if m.made++; !again {
		m.tried, m.used, m.locked = 0, false, false
	}
	m.expires = now.Add(m.lifetime)
	return "", again
}

func (m *model) alive(now time.Time) bool {
	return m.made > 0 && !m.used && !m.locked && now.Before(m.expires)
}

func (m *model) verify(now time.Time, code string) (key string) {
	switch {
	case m.locked:
		return "UserMessageIfMaxRetryAttempted"
	case !m.alive(now):
		return "UserMessageIfSessionDoesNotExist"
	case code == m.code:
		m.used = true
		return ""
	}
	m.tried++
	if m.tried < m.tries {
		return "UserMessageIfVerificationFailedRetryAllowed"
	}
	m.locked, m.unlocked = true, now.Add(m.lifetime)
	return "UserMessageIfInvalidCode"
}

// TestAgainstTheDecisionTable walks the profiles at random, and holds every answer against the model's.
func TestAgainstTheDecisionTable(t *testing.T) {
	identifiers := []string{"lea@example.org", "ada@example.org", "+33 6 12"}
	for seed := range uint64(6) {
		dice := rand.New(rand.NewPCG(seed, 5))
		seconds, tries, generations, reuse := 60+dice.IntN(3)*60, 1+dice.IntN(4), 3+dice.IntN(9), dice.IntN(2) == 0
		settings := []string{fmt.Sprint("CodeExpirationInSeconds=", seconds), fmt.Sprint("NumRetryAttempts=", tries),
			fmt.Sprint("NumCodeGenerationAttempts=", generations), fmt.Sprint("ReuseSameCode=", reuse),
			"CodeLength=12"} // so that no two are the same by chance
		inBubble(t, both(settings...), func(b *bench) {
			models := map[string]*model{}
			for _, id := range identifiers {
				models[id] = &model{lifetime: time.Duration(seconds) * time.Second, tries: tries, generations: generations, reuse: reuse}
			}
			for step := range 60 {
				id := identifiers[dice.IntN(len(identifiers))]
				m, now := models[id], time.Now()
				var what, got, want string
				switch action := dice.IntN(10); {
				case action < 3:
					what = "generate"
					var again bool
					want, again = m.generate(now)
					var code string
					if code, got = b.generate(id); got == "" {
						if again != (code == m.code) {
							b.t.Errorf("seed %d, step %d: the same code again is %t, want %t", seed, step, code == m.code, again)
						}
						m.code = code
					}
				case action < 8:
					what = "verify"
					code := m.code
					if code == "" {
						code = "000000"
					} else if action > 4 {
						code = wrong(code)
					}
					want = m.verify(now, code)
					got = b.verify(id, code)
				default:
					time.Sleep(time.Duration(1+dice.IntN(seconds/2)) * time.Second)
				}
				if got != want {
					b.t.Fatalf("%v, seed %d, step %d: %s told %q, want %q", settings, seed, step, what, got, want)
				}
			}
		})
	}
}

package passcode_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

func relay(wait time.Duration) passcode.Relay {
	return passcode.Relay{Tenant: "default", Application: app, To: "lea@example.org", Code: "40718265", Purpose: passcode.SignIn,
		Lifetime: 30 * time.Minute, Dedup: []string{"tenant", "correlation"}, AnswerBy: time.Now().Add(wait)}
}

const budget = 800 * time.Millisecond

// outcome relays and returns what the caller is told, and after how long.
func (b *bench) outcome(t *testing.T, r passcode.Relay) (passcode.Relayed, time.Duration) {
	t.Helper()
	began := time.Now()
	relayed, err := b.Relay(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return relayed, time.Since(began)
}

func TestRelayTellsWhatBecameOfTheMessage(t *testing.T) {
	fault := func(c outbox.Class) func(int) error {
		return func(int) error { return outbox.Faultf(c, "550", "no") }
	}
	for name, c := range map[string]struct {
		answer  func(int) error
		took    time.Duration
		want    outbox.Verdict
		after   time.Duration // when the caller is told
		sends   int           // tries a minute later
		inState outbox.State  // a minute later
	}{
		"accepted":             {nil, 100 * time.Millisecond, outbox.Taken, 100 * time.Millisecond, 1, outbox.Accepted},
		"refused recipient":    {fault(outbox.InvalidRecipient), 0, outbox.NotSent, 0, 1, outbox.Failed},
		"provider down":        {fault(outbox.Transient), 0, outbox.NotSent, 0, 1, outbox.Failed},
		"bad credentials":      {fault(outbox.Account), 0, outbox.NotSent, 0, 1, outbox.Failed},
		"slow, then accepted":  {nil, 3 * time.Second, outbox.Unknown, budget, 1, outbox.Accepted},
		"answer lost":          {func(n int) error { return lostOnce(n) }, 0, outbox.Unknown, budget, 2, outbox.Accepted},
		"slow, then down once": {func(n int) error { return downOnce(n) }, time.Second, outbox.Unknown, budget, 2, outbox.Accepted},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				b.mail.answer, b.mail.took = c.answer, c.took
				relayed, took := b.outcome(t, relay(budget))
				if relayed.Outcome.Verdict != c.want || took != c.after {
					t.Errorf("told %q after %v, want %q after %v", relayed.Outcome.Verdict, took, c.want, c.after)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				d, err := b.db.Delivery(t.Context(), relayed.Delivery.ID)
				if err != nil || d.State != c.inState || b.mail.count() != c.sends {
					t.Errorf("a minute later: %s after %d sends (%v), want %s after %d", d.State, b.mail.count(), err, c.inState, c.sends)
				}
			})
		})
	}
}

func lostOnce(n int) error {
	if n > 0 {
		return nil
	}
	return outbox.Faultf(outbox.Ambiguous, "", "connection lost after the final dot")
}

func downOnce(n int) error {
	if n > 0 {
		return nil
	}
	return outbox.Faultf(outbox.Transient, "421", "try later")
}

func TestRelayJoinsARepeat(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.mail.took = time.Second
		var wg sync.WaitGroup
		ids := make([]string, 8)
		for i := range ids {
			wg.Go(func() {
				relayed, _ := b.outcome(t, relay(2*time.Second))
				if relayed.Outcome.Verdict != outbox.Taken {
					t.Errorf("told %q", relayed.Outcome.Verdict)
				}
				ids[i] = relayed.Delivery.ID
			})
		}
		wg.Wait()
		for _, id := range ids {
			if id != ids[0] {
				t.Errorf("a repeat made delivery %s beside %s", id, ids[0])
			}
		}
		// Also long after the first answer, and with another code it is another message.
		if relayed, took := b.outcome(t, relay(budget)); !relayed.Joined || relayed.Outcome.Verdict != outbox.Taken || took != 0 {
			t.Errorf("late repeat: %+v after %v", relayed, took)
		}
		other := relay(2 * time.Second)
		other.Code = "11112222"
		if relayed, _ := b.outcome(t, other); relayed.Joined {
			t.Error("another code joined")
		}
		if b.mail.count() != 2 {
			t.Errorf("%d messages were sent, want 2", b.mail.count())
		}
	})
}

func TestRelayLeavesTheFallbackWhenTold(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.mail.took, b.mail.answer = time.Second, downOnce
		r := relay(budget)
		r.KeepFallback = true
		relayed, _ := b.outcome(t, r)
		if relayed.Outcome.Verdict != outbox.Unknown {
			t.Errorf("told %q", relayed.Outcome.Verdict)
		}
		time.Sleep(time.Minute)
		if d, _ := b.db.Delivery(t.Context(), relayed.Delivery.ID); d.State != outbox.Failed || b.mail.count() != 1 {
			t.Errorf("%s after %d sends; the caller used its fallback, so there must be no second try", d.State, b.mail.count())
		}
	})
}

// TestARepeatDoesNotTakeBackWhatItsFirstRequestWasTold has two callers of one event. The first is told at its deadline
// that the message will be sent; then the provider refuses the try that was under way.
func TestARepeatDoesNotTakeBackWhatItsFirstRequestWasTold(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.mail.took, b.mail.answer = time.Second, downOnce
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * budget / 2)
				if relayed, _ := b.outcome(t, relay(budget)); relayed.Outcome.Verdict != outbox.Unknown || relayed.Delivery.State.Final() {
					t.Errorf("caller %d was told %q of a message that is %s", i, relayed.Outcome.Verdict, relayed.Delivery.State)
				}
			})
		}
		wg.Wait()
		time.Sleep(time.Minute)
		if b.mail.count() != 2 {
			t.Errorf("%d tries were made, want 2: one was refused, and the first caller was told that it will be sent", b.mail.count())
		}
	})
}

func TestRelayIsNotSentWhenNobodyBegan(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.mail.took = 10 * time.Second
		for i := range 16 { // keep every worker busy
			r := relay(time.Millisecond)
			r.Code, r.To = string(rune('a'+i))+"1234567", string(rune('a'+i))+"@example.org"
			b.outcome(t, r)
		}
		relayed, took := b.outcome(t, relay(budget))
		if relayed.Outcome.Verdict != outbox.NotSent || took != budget {
			t.Errorf("told %q after %v, want not_sent: no worker had begun", relayed.Outcome.Verdict, took)
		}
		time.Sleep(time.Minute)
		if b.mail.count() != 16 {
			t.Errorf("%d messages were sent, want 16: the caller was told that its own was not", b.mail.count())
		}
	})
}

func TestRelayThroughOneProviderAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Route = func(d passcode.Destination) passcode.Route {
			if d.Provider != "" {
				return passcode.Route{Providers: []string{d.Provider}}
			}
			return passcode.Route{Providers: []string{"another", "mail"}}
		}
		done, err := b.Relay(t.Context(), passcode.Relay{Tenant: "default", Application: app, To: "lea@example.org", Code: "482913",
			Lifetime: time.Minute, AnswerBy: b.Now().Add(time.Second), Provider: "mail"})
		if err != nil || done.Outcome.Verdict != outbox.Taken || len(done.Delivery.Route) != 1 || done.Outcome.Provider != "mail" {
			t.Errorf("%+v, %v", done, err)
		}
	})
}

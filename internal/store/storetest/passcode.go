package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

func issueWritesBothRows(t *testing.T, s Store) {
	i := issue(t, s, "lea@example.org", now)
	line := timeline(t, s, ref(i))
	if !reflect.DeepEqual(line.Challenge, i.Challenge) {
		t.Errorf("challenge came back as\n%+v, want\n%+v", line.Challenge, i.Challenge)
	}
	want := i.Delivery
	want.Message = nil
	if len(line.Deliveries) != 1 || !reflect.DeepEqual(line.Deliveries[0], want) {
		t.Errorf("deliveries came back as\n%+v, want\n%+v", line.Deliveries, want)
	}
	m, err := s.Message(t.Context(), i.Delivery.ID)
	if err != nil || !reflect.DeepEqual(m, i.Delivery.Message) {
		t.Errorf("message came back as %+v, %v", m, err)
	}
	byAddress := passcode.Ref{Tenant: "default", Purpose: passcode.SignIn, To: "lea@example.org"}
	if got := timeline(t, s, byAddress).Challenge.ID; got != i.Challenge.ID {
		t.Errorf("found by identifier: %q, want %q", got, i.Challenge.ID)
	}
}

func issueReplacesTheNewest(t *testing.T, s Store) {
	first := issue(t, s, "lea@example.org", now)
	second := issue(t, s, "lea@example.org", now.Add(time.Minute))
	old := timeline(t, s, ref(first)).Challenge
	if old.State != passcode.Replaced || !old.EndedAt.Equal(now.Add(time.Minute)) || old.CodeSealed != nil {
		t.Errorf("the first is %s, ended %v, sealed %q; want it replaced and wiped", old.State, old.EndedAt, old.CodeSealed)
	}
	// One that has expired stays expired.
	third := issue(t, s, "lea@example.org", second.Challenge.ExpiresAt)
	if got := timeline(t, s, ref(second)).Challenge.State; got != passcode.Expired {
		t.Errorf("the second is %s, want expired: its time was over when the third came", got)
	}
	if got := timeline(t, s, ref(third)).Challenge.State; got != passcode.Pending {
		t.Errorf("the third is %s, want pending", got)
	}
	other := issuance("lea@example.org", now.Add(time.Hour))
	other.Challenge.Purpose = passcode.MFA
	must(t, s.Issue(t.Context(), other))
	if got := timeline(t, s, ref(third)).Challenge.State; got != passcode.Pending {
		t.Errorf("a passcode for another purpose made the third %s", got)
	}
}

func issueKeepsTenantsApart(t *testing.T, s Store) {
	mine := issue(t, s, "lea@example.org", now)
	theirs := issuance("lea@example.org", now)
	theirs.Challenge.Tenant = "other"
	must(t, s.Issue(t.Context(), theirs))
	if got := timeline(t, s, ref(mine)).Challenge.State; got != passcode.Pending {
		t.Errorf("another tenant's passcode made mine %s", got)
	}
	if _, err := s.Timeline(t.Context(), passcode.Ref{Tenant: "other", ID: mine.Challenge.ID}); !errors.Is(err, passcode.ErrNoChallenge) {
		t.Errorf("another tenant reads my passcode: %v", err)
	}
	err := s.Update(t.Context(), passcode.Ref{Tenant: "other", ID: mine.Challenge.ID}, now,
		func(*passcode.Challenge, passcode.Turn) error {
			t.Error("changed another tenant's passcode")
			return nil
		})
	if !errors.Is(err, passcode.ErrNoChallenge) {
		t.Errorf("another tenant updates my passcode: %v", err)
	}
}

func issueIsAtomicWhenRefused(t *testing.T, s Store) {
	first := issue(t, s, "lea@example.org", now)
	refused := issuance("lea@example.org", now)
	refused.Spends = []passcode.Spend{spend("a", 1), spend("b", 0)}
	refused.Idempotency = &passcode.Idempotency{Application: "app_1", Key: "k", Fingerprint: []byte("f"), ExpiresAt: now.Add(time.Hour)}
	var spent *passcode.Exhausted
	if err := s.Issue(t.Context(), refused); !errors.As(err, &spent) || spent.Name != "b" {
		t.Fatalf("error %v, want limit b exhausted", err)
	}
	if got := timeline(t, s, ref(first)).Challenge.State; got != passcode.Pending {
		t.Errorf("a refused issue made the earlier passcode %s", got)
	}
	if _, err := s.Timeline(t.Context(), ref(refused)); !errors.Is(err, passcode.ErrNoChallenge) {
		t.Errorf("a refused issue left a challenge: %v", err)
	}
	if _, err := s.Delivery(t.Context(), refused.Delivery.ID); !errors.Is(err, outbox.ErrNoDelivery) {
		t.Errorf("a refused issue left a delivery: %v", err)
	}
	refused.Spends = []passcode.Spend{spend("a", 1)}
	if err := s.Issue(t.Context(), refused); err != nil {
		t.Errorf("the same again without the full limit: %v; neither the limit a nor the key may be used up", err)
	}
}

func issuesTogetherLeaveOnePending(t *testing.T, s Store) {
	const n = 32
	issued := make([]passcode.Issuance, n)
	ok := together(n, func(i int) error {
		issued[i] = issuance("lea@example.org", now)
		return s.Issue(t.Context(), issued[i])
	})
	if ok != n {
		t.Errorf("%d of %d were issued", ok, n)
	}
	pending := 0
	for _, i := range issued {
		if timeline(t, s, ref(i)).Challenge.State == passcode.Pending {
			pending++
		}
	}
	if pending != 1 {
		t.Errorf("%d passcodes are pending for one identifier, want 1", pending)
	}
}

func idempotencyKeyWorksOnce(t *testing.T, s Store) {
	const n = 16
	issued := make([]passcode.Issuance, n)
	answers := make([]error, n)
	ok := together(n, func(i int) error {
		issued[i] = issuance("lea@example.org", now)
		issued[i].Idempotency = &passcode.Idempotency{Application: "app_1", Key: "k", Fingerprint: []byte("f"), ExpiresAt: now.Add(time.Hour)}
		answers[i] = s.Issue(t.Context(), issued[i])
		return answers[i]
	})
	if ok != 1 {
		t.Fatalf("%d of %d requests with one key made a passcode, want 1", ok, n)
	}
	winner := ""
	for i, err := range answers {
		if err == nil {
			winner = issued[i].Challenge.ID
		}
	}
	for _, err := range answers {
		var repeated *passcode.Repeated
		if err != nil && (!errors.As(err, &repeated) || repeated.Challenge != winner || string(repeated.Fingerprint) != "f") {
			t.Errorf("a repeat was answered %v (%+v), want the challenge %s", err, repeated, winner)
		}
	}
	other := issuance("ada@example.org", now)
	other.Idempotency = &passcode.Idempotency{Application: "app_2", Key: "k", Fingerprint: []byte("g"), ExpiresAt: now.Add(time.Hour)}
	must(t, s.Issue(t.Context(), other)) // keys belong to an application
}

func failedUpdateChangesNothing(t *testing.T, s Store) {
	i := issue(t, s, "lea@example.org", now)
	failure := errors.New("no")
	err := s.Update(t.Context(), ref(i), now, func(c *passcode.Challenge, turn passcode.Turn) error {
		c.Tries = 3
		must(t, turn.Spend(spend("a", 1)))
		must(t, turn.Send(delivery(c.ID, c.To, now)))
		return failure
	})
	if !errors.Is(err, failure) {
		t.Fatalf("error %v, want the one that change returned", err)
	}
	line := timeline(t, s, ref(i))
	if line.Challenge.Tries != 0 || len(line.Deliveries) != 1 {
		t.Errorf("tries %d, %d deliveries; a failed update must leave 0 and 1", line.Challenge.Tries, len(line.Deliveries))
	}
	must(t, s.Spend(t.Context(), now, spend("a", 1))) // and the limit is not spent
}

func updatesTakeTurns(t *testing.T, s Store) {
	i := issue(t, s, "lea@example.org", now)
	const n = 64
	ok := together(n, func(int) error {
		won := false
		err := s.Update(t.Context(), ref(i), now, func(c *passcode.Challenge, _ passcode.Turn) error {
			c.Tries++
			if won = c.State == passcode.Pending; won {
				c.State, c.EndedAt, c.CodeSealed = passcode.Verified, now, nil
			}
			return nil
		})
		if err == nil && !won {
			return errors.New("came second")
		}
		return err
	})

	if ok != 1 {
		t.Errorf("%d of %d saw the challenge pending, want 1", ok, n)
	}
	if c := timeline(t, s, ref(i)).Challenge; c.Tries != n || c.State != passcode.Verified {
		t.Errorf("tries %d, state %s; want %d and verified", c.Tries, c.State, n)
	}
}

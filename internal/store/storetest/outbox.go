package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

const lease = 30 * time.Second

func claim(t *testing.T, s Store, who string, at time.Time, n int) []outbox.Delivery {
	t.Helper()
	claimed, _, err := s.Claim(t.Context(), who, at, at.Add(lease), n)
	must(t, err)
	return claimed
}

func read(t *testing.T, s Store, id string) outbox.Delivery {
	t.Helper()
	d, err := s.Delivery(t.Context(), id)
	must(t, err)
	return d
}

// to moves a delivery to a state, as judge would.
func to(state outbox.State, at time.Time) func(*outbox.Delivery) {
	return func(d *outbox.Delivery) {
		if d.State.Final() && state != outbox.Accepted {
			return
		}
		d.State, d.DueAt = state, at
		if d.State.Final() {
			d.EndedAt = at
		}
	}
}

func attempt(d outbox.Delivery, class outbox.Class) outbox.Attempt {
	return outbox.Attempt{Delivery: d.ID, Provider: "first", At: now, Took: 5 * time.Millisecond, Class: class}
}

func claimIsExclusive(t *testing.T, s Store) {
	const n = 40
	for range n {
		issue(t, s, outbox.NewID("u", now)+"@example.org", now)
	}
	got := make(chan string, 4*n)
	together(8, func(i int) error {
		for {
			claimed, examined, err := s.Claim(t.Context(), "worker"+string(rune('a'+i)), now, now.Add(lease), 7)
			if err != nil {
				t.Error(err)
				return err
			}
			for _, d := range claimed {
				if d.State != outbox.Sending || d.Message == nil || d.Uncertain {
					t.Errorf("claimed %+v", d)
				}
				got <- d.ID
			}
			if examined == 0 {
				return nil
			}
		}
	})
	close(got)
	seen := map[string]bool{}
	for id := range got {
		if seen[id] {
			t.Errorf("%s was claimed twice", id)
		}
		seen[id] = true
	}
	// Rows that another transaction has locked are skipped, so a last look picks up what was left between.
	for _, d := range claim(t, s, "last", now, n) {
		seen[d.ID] = true
	}
	if len(seen) != n {
		t.Errorf("%d of %d were claimed", len(seen), n)
	}
}

func lapsedLeaseIsClaimed(t *testing.T, s Store) {
	i := issuance("lea@example.org", now)
	i.Delivery.State, i.Delivery.Lease, i.Delivery.DueAt = outbox.Sending, "dead", now.Add(lease)
	must(t, s.Issue(t.Context(), i))
	if got := claim(t, s, "b", now.Add(lease-time.Millisecond), 5); len(got) != 0 {
		t.Fatal("claimed before the lease lapsed")
	}
	if got := claim(t, s, "dead", now.Add(2*lease), 5); len(got) != 0 {
		t.Fatal("a holder claimed its own backlog")
	}
	held, err := s.Renew(t.Context(), i.Delivery.ID, "dead", now.Add(2*lease))
	if err != nil || !held {
		t.Fatalf("renew: %v %v", held, err)
	}
	if got := claim(t, s, "b", now.Add(lease), 5); len(got) != 0 {
		t.Fatal("claimed though the lease was renewed")
	}
	got := claim(t, s, "b", now.Add(2*lease), 5)
	if len(got) != 1 || !got[0].Uncertain || got[0].Lease != "b" {
		t.Fatalf("claimed %+v, want one that is uncertain and held by b", got)
	}
	if held, err := s.Renew(t.Context(), i.Delivery.ID, "dead", now.Add(9*lease)); err != nil || held {
		t.Errorf("the dead holder renewed a lost lease: %v %v", held, err)
	}
}

func claimEndsWhatMustNotBeSent(t *testing.T, s Store) {
	late := issue(t, s, "late@example.org", now)
	verified := issue(t, s, "verified@example.org", now)
	must(t, s.Update(t.Context(), ref(verified), now, func(c *passcode.Challenge, _ passcode.Turn) error {
		c.State, c.EndedAt, c.CodeSealed = passcode.Verified, now, nil
		return nil
	}))
	replaced := issue(t, s, "twice@example.org", now)
	wanted := issue(t, s, "twice@example.org", now)
	unanswered := relayed(now)
	unanswered.AnswerBy = now.Add(time.Second)
	_, _, err := s.Relay(t.Context(), unanswered, nil, now)
	must(t, err)

	got := claim(t, s, "b", now.Add(2*time.Second), 10)
	if len(got) != 2 {
		t.Fatalf("claimed %d, want the late one (not late yet) and the wanted one", len(got))
	}
	for id, want := range map[string]outbox.State{verified.Delivery.ID: outbox.Stale, replaced.Delivery.ID: outbox.Stale,
		unanswered.ID: outbox.Failed, wanted.Delivery.ID: outbox.Sending} {
		if d := read(t, s, id); d.State != want {
			t.Errorf("%s is %s, want %s", d.To, d.State, want)
		}
	}
	if got := claim(t, s, "c", late.Delivery.Deadline, 10); len(got) != 0 {
		t.Errorf("claimed %d at the deadline, want none", len(got))
	}
	if d := read(t, s, late.Delivery.ID); d.State != outbox.Stale {
		t.Errorf("past its deadline a delivery is %s, want stale", d.State)
	}
}

func awaitedRowIsLeftAlone(t *testing.T, s Store) {
	d := relayed(now)
	d.AnswerBy = now.Add(3 * time.Second)
	d.State, d.Lease, d.DueAt = outbox.Sending, "dead", now.Add(time.Second)
	_, _, err := s.Relay(t.Context(), d, nil, now)
	must(t, err)
	if got := claim(t, s, "b", now.Add(2*time.Second), 5); len(got) != 0 {
		t.Fatal("claimed while its caller may come again")
	}
	if due, err := s.NextDue(t.Context(), "b"); err != nil || !due.Equal(d.AnswerBy) {
		t.Errorf("next due %v, %v; want when the caller's time is over", due, err)
	}
	if got := claim(t, s, "b", d.AnswerBy, 5); len(got) != 0 {
		t.Error("sent though its caller was never told")
	}
	if d := read(t, s, d.ID); d.State != outbox.Failed || !d.Uncertain {
		t.Errorf("after that it is %s, uncertain %v; want failed, and nobody knows whether it was sent", d.State, d.Uncertain)
	}
}

func relayed(at time.Time) outbox.Delivery {
	d := delivery("", "lea@example.org", at)
	d.Dedup = []byte("dedup")
	return d
}

func lostLeaseCannotMoveARow(t *testing.T, s Store) {
	issue(t, s, "lea@example.org", now)
	mine := claim(t, s, "a", now, 1)[0]
	theirs := claim(t, s, "b", now.Add(lease), 1)[0]
	after, err := s.Fail(t.Context(), attempt(mine, outbox.Transient), "a", to(outbox.Failed, now))
	must(t, err)
	if after.State != outbox.Sending || after.Lease != "b" || after.Tries != 1 {
		t.Errorf("a late failure of a lost lease left %+v, want it still held by b, with the try counted", after)
	}
	after, err = s.Fail(t.Context(), attempt(theirs, outbox.Transient), "b", to(outbox.Queued, now.Add(time.Minute)))
	must(t, err)
	if after.State != outbox.Queued || after.Lease != "" || after.Tries != 2 {
		t.Errorf("the holder's failure left %+v, want it queued", after)
	}
}

// accept records one acceptance.
func accept(t *testing.T, s Store, d outbox.Delivery, a outbox.Attempt, at time.Time) (outbox.Accepting, error) {
	became, err := s.Accept(t.Context(), []outbox.Acceptance{{Delivery: d, Attempt: a}}, at)
	if err != nil {
		return outbox.Accepting{}, err
	}
	return became[0], nil
}

// acceptancesGoTogether mixes what a sender holds, what it lost meanwhile, and what is gone.
func acceptancesGoTogether(t *testing.T, s Store) {
	issue(t, s, "lea@example.org", now)
	issue(t, s, "ada@example.org", now)
	held := claim(t, s, "a", now, 2)
	lost := claim(t, s, "b", now.Add(lease), 1)[0]
	took := []outbox.Acceptance{{Delivery: outbox.Delivery{ID: "dl_none"}, Attempt: outbox.Attempt{Delivery: "dl_none", At: now}}}
	for _, d := range held {
		took = append(took, outbox.Acceptance{Delivery: d, Attempt: attempt(d, "")})
	}
	became, err := s.Accept(t.Context(), took, now)
	must(t, err)
	if len(became) != 3 || became[0].State != "" || became[1].State != outbox.Accepted || became[2].State != outbox.Accepted {
		t.Errorf("became %+v", became)
	}
	for _, d := range held {
		after := read(t, s, d.ID)
		line := timeline(t, s, passcode.Ref{Tenant: "default", ID: d.Challenge})
		if after.State != outbox.Accepted || after.Tries != 1 || len(line.Attempts) != 1 {
			t.Errorf("left %+v with attempts %+v (lost: %v)", after, line.Attempts, d.ID == lost.ID)
		}
	}
}

func acceptedIsAFact(t *testing.T, s Store) {
	issue(t, s, "lea@example.org", now)
	mine := claim(t, s, "a", now, 1)[0]
	claim(t, s, "b", now.Add(lease), 1)
	a := attempt(mine, "")
	a.Ref = "250 queued as 1"
	_, err := accept(t, s, mine, a, now)
	must(t, err)
	after := read(t, s, mine.ID)
	if after.State != outbox.Accepted || after.Provider != "first" {
		t.Errorf("an acceptance under a lost lease left %+v, want accepted", after)
	}
	if got := claim(t, s, "c", now.Add(5*lease), 1); len(got) != 0 {
		t.Error("an accepted delivery was claimed")
	}
	line := timeline(t, s, passcode.Ref{Tenant: "default", ID: mine.Challenge})
	if len(line.Attempts) != 1 || line.Attempts[0].N != 1 || line.Attempts[0].Ref != "250 queued as 1" || line.Attempts[0].Took != 5*time.Millisecond {
		t.Errorf("attempts %+v", line.Attempts)
	}
}

func statesMoveForward(t *testing.T, s Store) {
	issue(t, s, "lea@example.org", now)
	d := claim(t, s, "a", now, 1)[0]
	_, err := accept(t, s, d, attempt(d, ""), now)
	must(t, err)
	after, err := s.Fail(t.Context(), attempt(d, outbox.Transient), "a", to(outbox.Queued, now))
	must(t, err)
	if after.State != outbox.Accepted {
		t.Errorf("a late failure made an accepted delivery %s", after.State)
	}
	after, err = s.Settle(t.Context(), d.ID, to(outbox.Failed, now))
	must(t, err)
	if after.State != outbox.Accepted {
		t.Errorf("settling made an accepted delivery %s", after.State)
	}
	// A second acceptance, by a holder who was thought dead, changes nothing but the count of tries.
	later := attempt(d, "")
	later.Provider, later.Ref = "second", "other"
	became, err := accept(t, s, d, later, now.Add(time.Second))
	must(t, err)
	if after = read(t, s, d.ID); became.State != outbox.Accepted || became.Tries != 3 || after.State != outbox.Accepted || after.Provider != "first" || !after.EndedAt.Equal(now) || after.Tries != 3 {
		t.Errorf("a second acceptance left %+v", after)
	}
	// One after the delivery was given up is still a fact.
	issue(t, s, "ada@example.org", now)
	d = claim(t, s, "a", now, 1)[0]
	_, err = s.Settle(t.Context(), d.ID, to(outbox.Failed, now))
	must(t, err)
	_, err = accept(t, s, d, attempt(d, ""), now)
	must(t, err)
	if after = read(t, s, d.ID); after.State != outbox.Accepted {
		t.Errorf("an acceptance after a failure left %s", after.State)
	}
}

func bodyGoesWithTheLastChance(t *testing.T, s Store) {
	for _, end := range []outbox.State{outbox.Failed, outbox.Stale} {
		issue(t, s, string(end)+"@example.org", now)
		d := claim(t, s, "a", now, 1)[0]
		_, err := s.Fail(t.Context(), attempt(d, outbox.Transient), "a", to(outbox.Queued, now))
		must(t, err)
		if _, err := s.Message(t.Context(), d.ID); err != nil {
			t.Errorf("the body is gone though the message may have to be sent again: %v", err)
		}
		d = claim(t, s, "a", now, 1)[0]
		_, err = s.Fail(t.Context(), attempt(d, outbox.Transient), "a", to(end, now))
		must(t, err)
		if _, err := s.Message(t.Context(), d.ID); !errors.Is(err, outbox.ErrNoDelivery) {
			t.Errorf("the body of a delivery that is %s is still there: %v", end, err)
		}
	}
}

func acceptanceWipesTheBody(t *testing.T, s Store) {
	issue(t, s, "lea@example.org", now)
	d := claim(t, s, "a", now, 1)[0]
	_, err := accept(t, s, d, attempt(d, ""), now)
	must(t, err)
	if _, err := s.Message(t.Context(), d.ID); !errors.Is(err, outbox.ErrNoDelivery) {
		t.Errorf("the body of an accepted delivery is still there: %v", err)
	}
	became, err := accept(t, s, outbox.Delivery{ID: "dl_none"}, outbox.Attempt{Delivery: "dl_none", At: now}, now)
	if err != nil || became.State != "" {
		t.Errorf("accepting a row that is not there: %+v, %v", became, err)
	}
}

func returnedRowsAreDue(t *testing.T, s Store) {
	issue(t, s, "lea@example.org", now)
	d := claim(t, s, "a", now, 1)[0]
	must(t, s.Return(t.Context(), "b", []string{d.ID}, now)) // not b's to return
	if got := claim(t, s, "c", now, 1); len(got) != 0 {
		t.Fatal("somebody else returned a held row")
	}
	must(t, s.Return(t.Context(), "a", []string{d.ID}, now))
	due, err := s.NextDue(t.Context(), "c")
	if err != nil || !due.Equal(now) {
		t.Errorf("next due %v, %v; want now", due, err)
	}
	if got := claim(t, s, "c", now, 1); len(got) != 1 || got[0].Uncertain {
		t.Errorf("claimed %+v, want the returned row, certainly unsent", got)
	}
}

func repeatedRelayJoins(t *testing.T, s Store) {
	d := relayed(now)
	d.AnswerBy = now.Add(time.Second)
	d.State, d.Lease, d.DueAt = outbox.Sending, "a", now.Add(lease)
	joined, tookUp, err := s.Relay(t.Context(), d, []passcode.Spend{spend("a", 1)}, now)
	if err != nil || joined != nil || tookUp {
		t.Fatalf("first: %v %v %v", joined, tookUp, err)
	}
	again := relayed(now.Add(time.Second))
	again.AnswerBy = now.Add(2 * time.Second)
	joined, tookUp, err = s.Relay(t.Context(), again, []passcode.Spend{spend("a", 1)}, now.Add(time.Second))
	if err != nil || joined == nil || joined.ID != d.ID || tookUp {
		t.Fatalf("again: %v %v %v, want it to join %s without a spend", joined, tookUp, err, d.ID)
	}
	if got := read(t, s, d.ID); !got.AnswerBy.Equal(again.AnswerBy) || got.Lease != "a" {
		t.Errorf("joined row %+v, want it held by a, with the new caller's time", got)
	}
	// The ring was rotated between the two, or the nodes that got them are not at the same key.
	rotated := relayed(now.Add(time.Second))
	rotated.AnswerBy, rotated.Dedup = again.AnswerBy, []byte("under another key")
	rotated.DedupElse = [][]byte{[]byte("under a third"), []byte("dedup")}
	if joined, _, err := s.Relay(t.Context(), rotated, nil, now.Add(time.Second)); err != nil || joined == nil || joined.ID != d.ID {
		t.Errorf("again under another key: %v %v, want it to join %s", joined, err, d.ID)
	}
	other := relayed(now)
	other.Dedup = []byte("other")
	if joined, _, err := s.Relay(t.Context(), other, nil, now); err != nil || joined != nil {
		t.Errorf("another request joined: %v %v", joined, err)
	}
}

func relaysTogetherMakeOne(t *testing.T, s Store) {
	made := together(16, func(int) error {
		joined, _, err := s.Relay(t.Context(), relayed(now), []passcode.Spend{spend("a", 1)}, now)
		if err == nil && joined != nil {
			return errors.New("joined")
		}
		if err != nil {
			t.Error(err)
		}
		return err
	})
	if made != 1 {
		t.Errorf("%d deliveries were made of one request, want 1", made)
	}
}

func relayTakesUpAbandoned(t *testing.T, s Store) {
	d := relayed(now)
	d.AnswerBy = now.Add(time.Second)
	d.State, d.Lease, d.DueAt = outbox.Sending, "dead", now.Add(lease)
	_, _, err := s.Relay(t.Context(), d, nil, now)
	must(t, err)
	must(t, s.Own(t.Context(), now)) // voids the lease on SQLite; PostgreSQL waits for it to lapse
	at := now.Add(lease)
	again := relayed(at)
	again.AnswerBy = at.Add(time.Second)
	again.State, again.Lease, again.DueAt = outbox.Sending, "b", at.Add(lease)
	joined, tookUp, err := s.Relay(t.Context(), again, nil, at)
	if err != nil || joined == nil || !tookUp || joined.ID != d.ID || joined.Lease != "b" || !joined.Uncertain {
		t.Fatalf("%+v %v %v, want the first row, now held by b, uncertain", joined, tookUp, err)
	}
}

func settleDecidesOnce(t *testing.T, s Store) {
	d := relayed(now)
	_, _, err := s.Relay(t.Context(), d, nil, now)
	must(t, err)
	ok := together(16, func(int) error {
		decided := false
		_, err := s.Settle(t.Context(), d.ID, func(d *outbox.Delivery) {
			decided = true
			to(outbox.Failed, now)(d)
		})
		if err == nil && !decided {
			return errors.New("was final")
		}
		return err
	})
	if ok != 1 {
		t.Errorf("%d callers decided, want 1", ok)
	}
	if _, err := s.Settle(t.Context(), "dl_none", func(*outbox.Delivery) {}); !errors.Is(err, outbox.ErrNoDelivery) {
		t.Errorf("settling a row that is not there: %v", err)
	}
}

func sweepEndsAndForgets(t *testing.T, s Store) {
	i := issue(t, s, "lea@example.org", now)
	_, err := s.Sweep(t.Context(), i.Challenge.ExpiresAt, time.Hour)
	must(t, err)
	c := timeline(t, s, ref(i)).Challenge
	if c.State != passcode.Expired || c.CodeSealed != nil || !c.EndedAt.Equal(c.ExpiresAt) {
		t.Errorf("after its time a challenge is %s, sealed %q, ended %v", c.State, c.CodeSealed, c.EndedAt)
	}
	claim(t, s, "a", now.Add(time.Hour), 10) // ends the delivery
	_, err = s.Sweep(t.Context(), now.Add(26*time.Hour), time.Hour)
	must(t, err)
	if _, err := s.Timeline(t.Context(), ref(i)); !errors.Is(err, passcode.ErrNoChallenge) {
		t.Errorf("after the retention time the challenge is still there: %v", err)
	}
	if _, err := s.Delivery(t.Context(), i.Delivery.ID); !errors.Is(err, outbox.ErrNoDelivery) {
		t.Errorf("after the retention time the delivery is still there: %v", err)
	}
}

package storetest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// generated is a plausible challenge without a message.
func generated(scope, key string, at time.Time) passcode.Challenge {
	c := issuance(key, at).Challenge
	c.Channel, c.Scope, c.Identifier, c.Metadata, c.Locale = outbox.Caller, scope, "key:"+key, nil, ""
	return c
}

func refOf(c *passcode.Challenge) passcode.Ref {
	return passcode.Ref{Tenant: c.Tenant, Scope: c.Scope, Purpose: c.Purpose, To: c.Identifier}
}

// generate writes c with its count carried on: in the place of the newest one, or where again is set only if there is none.
func generate(ctx context.Context, s Store, c passcode.Challenge, again bool, spends ...passcode.Spend) (kept passcode.Challenge, err error) {
	err = s.Generate(ctx, refOf(&c), c.CreatedAt, func(newest *passcode.Challenge, t passcode.Turn) (*passcode.Challenge, error) {
		if err := t.Spend(spends...); err != nil {
			return nil, err
		}
		kept = c
		switch {
		case newest == nil:
			return &kept, nil
		case again:
			newest.Sends++
			newest.SentAt, newest.ExpiresAt = c.SentAt, c.ExpiresAt
			kept = *newest
			return nil, nil
		}
		newest.State, newest.EndedAt, newest.CodeSealed = passcode.Replaced, c.CreatedAt, nil
		kept.Sends = newest.Sends + 1
		return &kept, nil
	})
	return kept, err
}

// generateTogether generates n times at once for one key, and returns the counts that came of it.
func generateTogether(t *testing.T, s Store, n int, key string, again bool) (sends []int, kept []passcode.Challenge) {
	t.Helper()
	kept = make([]passcode.Challenge, n)
	ok := together(n, func(i int) (err error) {
		kept[i], err = generate(t.Context(), s, generated("session", key, now), again)
		return err
	})
	if ok != n {
		t.Errorf("%d of %d generations went through", ok, n)
	}
	for _, c := range kept {
		sends = append(sends, c.Sends)
	}
	slices.Sort(sends)
	return sends, kept
}

func upTo(n int) (numbers []int) {
	for i := range n {
		numbers = append(numbers, i+1)
	}
	return numbers
}

func oneGenerationIsTheFirst(t *testing.T, s Store) {
	const n = 16
	for round := range 8 { // the first ones meet while connections are opened
		sends, kept := generateTogether(t, s, n, strconv.Itoa(round), true)
		if !slices.Equal(sends, upTo(n)) {
			t.Errorf("%d generations together counted %v", n, sends)
		}
		for _, c := range kept {
			if c.ID != kept[0].ID {
				t.Errorf("one made %s and another %s; the first was to be handed over again", c.ID, kept[0].ID)
				break
			}
		}
		if c := timeline(t, s, refOf(&kept[0])).Challenge; c.Sends != n || c.State != passcode.Pending {
			t.Errorf("%d generations left a challenge with %d, %s", n, c.Sends, c.State)
		}
	}
}

func generationsTakeTurns(t *testing.T, s Store) {
	const n = 24
	sends, kept := generateTogether(t, s, n, "lea@example.org", false)
	if !slices.Equal(sends, upTo(n)) {
		t.Errorf("%d generations together counted %v", n, sends)
	}
	newest := timeline(t, s, refOf(&kept[0])).Challenge
	for _, c := range kept {
		want := passcode.Replaced
		if c.Sends == n {
			want = passcode.Pending
		}
		got := timeline(t, s, passcode.Ref{Tenant: c.Tenant, ID: c.ID}).Challenge
		if got.State != want || (c.ID == newest.ID) != (c.Sends == n) {
			t.Errorf("generation %d of %d is %s, want %s; the newest is %d", c.Sends, n, got.State, want, newest.Sends)
		}
	}
}

func refusedGenerationChangesNothing(t *testing.T, s Store) {
	failure, limit := errors.New("no"), spend("generations", 1)
	for _, before := range []bool{false, true} {
		c := generated(strconv.FormatBool(before), "lea@example.org", now)
		if before {
			_, err := generate(t.Context(), s, c, false)
			must(t, err)
		}
		err := s.Generate(t.Context(), refOf(&c), now, func(newest *passcode.Challenge, turn passcode.Turn) (*passcode.Challenge, error) {
			must(t, turn.Spend(limit))
			if (newest != nil) != before {
				t.Errorf("the newest one is %+v", newest)
			}
			if newest != nil {
				newest.Sends, newest.State, newest.EndedAt, newest.CodeSealed = 7, passcode.Replaced, now, nil
			}
			next := generated(c.Scope, "lea@example.org", now)
			return &next, failure
		})
		if !errors.Is(err, failure) {
			t.Fatalf("error %v, want the one that change returned", err)
		}
		line, err := s.Timeline(t.Context(), refOf(&c))
		if !before && !errors.Is(err, passcode.ErrNoChallenge) {
			t.Errorf("a refused generation left %+v, %v", line.Challenge, err)
		}
		if before && !reflect.DeepEqual(line.Challenge, c) {
			t.Errorf("a refused generation left\n%+v, want\n%+v", line.Challenge, c)
		}
	}
	must(t, s.Spend(t.Context(), now, limit)) // and the limit is not spent
}

func generationGivesItsPlace(t *testing.T, s Store) {
	first, err := generate(t.Context(), s, generated("session", "lea@example.org", now), false)
	must(t, err)
	if got := timeline(t, s, refOf(&first)); !reflect.DeepEqual(got.Challenge, first) || len(got.Deliveries) != 0 {
		t.Errorf("came back as\n%+v, want\n%+v", got, first)
	}
	again, err := generate(t.Context(), s, generated("session", "lea@example.org", now.Add(time.Minute)), true)
	must(t, err)
	if got := timeline(t, s, refOf(&first)).Challenge; !reflect.DeepEqual(got, again) || again.ID != first.ID || again.Sends != 2 ||
		!again.ExpiresAt.Equal(first.ExpiresAt.Add(time.Minute)) {
		t.Errorf("handed over again it is\n%+v, want\n%+v", got, again)
	}
	next, err := generate(t.Context(), s, generated("session", "lea@example.org", now.Add(time.Hour)), false)
	must(t, err)
	if got := timeline(t, s, refOf(&first)).Challenge; !reflect.DeepEqual(got, next) || next.Sends != 3 {
		t.Errorf("the next one is\n%+v, want\n%+v", got, next)
	}
	old := timeline(t, s, passcode.Ref{Tenant: first.Tenant, ID: first.ID}).Challenge
	if old.State != passcode.Replaced || !old.EndedAt.Equal(now.Add(time.Hour)) || old.CodeSealed != nil || old.Sends != 2 {
		t.Errorf("the one before it is %+v", old)
	}
}

func generationsKeepTheLimit(t *testing.T, s Store) {
	const n, scopes = 64, 8
	limit := spend("generations", 10)
	for _, again := range []bool{true, false} {
		limit.Key = spend(strconv.FormatBool(again), 0).Key
		var counted [scopes]int
		ok := together(n, func(i int) error {
			c := generated(strconv.Itoa(i%scopes)+strconv.FormatBool(again), "lea@example.org", now)
			_, err := generate(t.Context(), s, c, again, limit)
			return err
		})
		for i := range counted {
			c := generated(strconv.Itoa(i)+strconv.FormatBool(again), "lea@example.org", now)
			line, err := s.Timeline(t.Context(), refOf(&c))
			if err == nil {
				counted[i] = line.Challenge.Sends
			} else if !errors.Is(err, passcode.ErrNoChallenge) {
				t.Fatal(err)
			}
		}
		sum := 0
		for _, sends := range counted {
			sum += sends
		}
		if ok != 10 || sum != 10 {
			t.Errorf("%d of %d generations over %d scopes went through a limit of 10, and are counted as %v", ok, n, scopes, counted)
		}
	}
}

func generationsAreKeptApart(t *testing.T, s Store) {
	mine := generated("session", "lea@example.org", now)
	_, err := generate(t.Context(), s, mine, false)
	must(t, err)
	for name, change := range map[string]func(*passcode.Challenge){
		"tenant":  func(c *passcode.Challenge) { c.Tenant = "other" },
		"scope":   func(c *passcode.Challenge) { c.Scope = "Session" },
		"purpose": func(c *passcode.Challenge) { c.Purpose = passcode.MFA },
		"key":     func(c *passcode.Challenge) { c.Identifier = "key:Lea@example.org" },
	} {
		c := generated("session", "lea@example.org", now)
		change(&c)
		if kept, err := generate(t.Context(), s, c, false); err != nil || kept.Sends != 1 {
			t.Errorf("another %s: generation %d, %v, want a first one", name, kept.Sends, err)
		}
	}
	issue(t, s, "lea@example.org", now) // what is sent is something else
	if got := timeline(t, s, refOf(&mine)).Challenge; got.State != passcode.Pending || got.Sends != 1 {
		t.Errorf("mine is %s with %d generations, want it untouched", got.State, got.Sends)
	}
}

// sweepSparesWhatLivesOn hands a code over for two days. What it counts and locks must outlive the row's age.
func sweepSparesWhatLivesOn(t *testing.T, s Store) {
	const retention = time.Hour
	c := generated("session", "lea@example.org", now)
	for day := range 3 {
		c.SentAt, c.ExpiresAt = now.AddDate(0, 0, day), now.AddDate(0, 0, day+1)
		_, err := generate(t.Context(), s, c, true)
		must(t, err)
	}
	for _, step := range []struct {
		at    time.Time
		state passcode.State
	}{
		{c.ExpiresAt.Add(-time.Millisecond), passcode.Pending},
		{c.ExpiresAt, passcode.Expired},
		{c.ExpiresAt.Add(24*time.Hour + retention), passcode.Expired},
		{c.ExpiresAt.Add(24*time.Hour + retention + time.Millisecond), ""},
	} {
		_, err := s.Sweep(t.Context(), step.at, retention)
		must(t, err)
		line, err := s.Timeline(t.Context(), refOf(&c))
		if step.state == "" && !errors.Is(err, passcode.ErrNoChallenge) || step.state != "" && (err != nil || line.Challenge.Sends != 3) ||
			line.Challenge.State != step.state {
			t.Errorf("%v after its end: %s with %d generations, %v, want %q", step.at.Sub(c.ExpiresAt), line.Challenge.State,
				line.Challenge.Sends, err, step.state)
		}
	}
}

package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
	"github.com/otpost/otpost/internal/store/pgtest"
)

// updating is a store that leaves every try to Update.
type updating struct{ passcode.Store }

func (updating) Try(context.Context, passcode.Ref, time.Time, func() (passcode.Try, error)) (c passcode.Challenge, done bool, err error) {
	return c, false, nil
}

// counting counts the tries that were done in one step.
type counting struct {
	passcode.Store
	done int
}

func (s *counting) Try(ctx context.Context, ref passcode.Ref, now time.Time, try func() (passcode.Try, error)) (passcode.Challenge, bool, error) {
	c, done, err := s.Store.Try(ctx, ref, now, try)
	if done {
		s.done++
	}
	return c, done, err
}

// desk is an engine whose codes can be read and whose clock can be set.
type desk struct {
	*passcode.Engine
	db   *store.DB
	code string
	now  time.Time
}

func newDesk(t *testing.T, url string, wrap func(passcode.Store) passcode.Store) *desk {
	t.Helper()
	db, ring := openWithRing(t, url)
	d := &desk{db: db, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	p := passcode.DefaultPolicy()
	p.ResendInterval, p.Tries = 0, 3
	d.Engine = &passcode.Engine{Store: wrap(db), Outbox: outbox.New(outbox.Settings{Store: db, Capacity: outbox.CarryNothing}), Ring: ring,
		Compose: func(c passcode.Content) (outbox.Message, error) {
			d.code = c.Code
			return outbox.Message{Channel: c.Channel, To: c.To, Text: c.Code, Code: c.Code}, nil
		},
		Route: func(passcode.Destination) passcode.Route { return passcode.Route{Providers: []string{"mail"}} },
		Policy: func(_ passcode.Application, name string) (passcode.Policy, bool) {
			if name == "letters" {
				return passcode.Policy{Alphabet: "A-Z2-9", Length: 8, Lifetime: time.Minute, Tries: 2}, true
			}
			return p, name == "" || name == "default"
		},
		Limits: passcode.Limits{Guesses: []passcode.Quota{
			{Count: 4, Window: 2 * time.Minute}, {Count: 9, Window: time.Hour}}},
		Now:  func() time.Time { return d.now },
		Rand: rand.Reader,
	}
	return d
}

// rows are what is on disk of the person's passcodes and of all limits, without what is drawn by chance.
func (d *desk) rows(t *testing.T, ids []string) (rows []string) {
	t.Helper()
	for _, id := range ids {
		line, err := d.db.Timeline(t.Context(), passcode.Ref{Tenant: "default", ID: id})
		if err != nil {
			t.Fatal(err)
		}
		c := line.Challenge
		rows = append(rows, fmt.Sprint(c.State, c.Tries, c.Sends, c.ExpiresAt, c.EndedAt, len(c.CodeHash), len(c.CodeSealed), c.Policy, len(line.Deliveries), line.Notes))
	}
	return rows
}

// TestATryInOneStepIsATry plays the same to an engine whose store tries in one step and to one whose store never does,
// and wants the same answers and the same rows.
func TestATryInOneStepIsATry(t *testing.T) {
	server := pgtest.Start(t)
	quick := &counting{}
	one := newDesk(t, server.Database(t), func(s passcode.Store) passcode.Store { quick.Store = s; return quick })
	two := newDesk(t, server.Database(t), func(s passcode.Store) passcode.Store { return updating{s} })
	random := mathrand.New(mathrand.NewPCG(3, 4))
	const people, steps = 12, 60
	for person := range people {
		var ids [2][]string
		var codes [2]string
		to := fmt.Sprintf("person%d@example.test", person)
		for step := range steps {
			verb, policy := random.IntN(10), []string{"", "", "letters"}[random.IntN(3)]
			if len(ids[0]) == 0 {
				verb = 0
			}
			which := 0
			if len(ids[0]) > 0 {
				which = len(ids[0]) - 1 - min(random.IntN(5)/3, len(ids[0])-1) // now and then the one before
			}
			wait := time.Duration(random.IntN(40)) * time.Second
			var said [2]string
			for i, d := range []*desk{one, two} {
				d.now = d.now.Add(wait)
				switch {
				case verb == 0:
					made, err := d.Issue(t.Context(), passcode.Request{Tenant: "default", To: to, Policy: policy}, 0)
					if said[i] = fmt.Sprint(err); err == nil {
						ids[i], codes[i] = append(ids[i], made.Challenge.ID), d.code
					}
				case verb == 1:
					_, err := d.Resend(t.Context(), passcode.Ref{Tenant: "default", ID: ids[i][which]}, passcode.Application{}, "", 0)
					said[i] = fmt.Sprint(err)
				default:
					code := codes[i]
					if verb < 8 {
						code = "no code"
					}
					v, err := d.Verify(t.Context(), passcode.Ref{Tenant: "default", ID: ids[i][which]}, code)
					said[i] = fmt.Sprint(v.Verified, v.Reason, v.TriesLeft, v.RetryAt, v.Challenge.State, v.Challenge.EndedAt, err)
				}
			}
			if said[0] != said[1] {
				t.Fatalf("person %d, step %d, verb %d: in one step %s, in several %s", person, step, verb, said[0], said[1])
			}
		}
		if a, b := one.rows(t, ids[0]), two.rows(t, ids[1]); !slices.Equal(a, b) {
			t.Fatalf("person %d has other rows:\n%v\n%v", person, a, b)
		}
	}
	if quick.done < 50 {
		t.Errorf("only %d tries were done in one step", quick.done)
	}
}

// TestARowThatWasChangedMatchesNoCode moves a passcode to somebody else, as a writer to the database could.
func TestARowThatWasChangedMatchesNoCode(t *testing.T) {
	server := pgtest.Start(t)
	for _, change := range []string{"identifier = 'mallory@example.test'", "purpose = 'sign_in'"} {
		d := newDesk(t, server.Database(t), func(s passcode.Store) passcode.Store { return s })
		made, err := d.Issue(t.Context(), passcode.Request{Tenant: "default", To: "lea@example.test"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.db.Exec(t.Context(), "UPDATE challenges SET "+change); err != nil {
			t.Fatal(err)
		}
		v, err := d.Verify(t.Context(), passcode.Ref{Tenant: "default", ID: made.Challenge.ID}, d.code)
		if err != nil || v.Verified || v.Reason != passcode.WrongCode {
			t.Errorf("after %s: %+v, %v", change, v, err)
		}
	}
}

// TestARightCodeNeedsABudget spends the guesses of a person, and then has the right code.
func TestARightCodeNeedsABudget(t *testing.T) {
	d := newDesk(t, pgtest.Start(t).Database(t), func(s passcode.Store) passcode.Store { return s })
	var ref passcode.Ref
	for range 2 { // two passcodes of three tries each; the budget is four guesses
		made, err := d.Issue(t.Context(), passcode.Request{Tenant: "default", To: "lea@example.test"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		ref = passcode.Ref{Tenant: "default", ID: made.Challenge.ID}
		for range 2 {
			if v, err := d.Verify(t.Context(), ref, "no code"); err != nil || v.Reason != passcode.WrongCode {
				t.Fatalf("got %+v, %v", v, err)
			}
		}
	}
	if v, err := d.Verify(t.Context(), ref, d.code); err != nil || v.Verified || v.Reason != passcode.Throttled {
		t.Errorf("the right code after the budget: %+v, %v; want it throttled", v, err)
	}
	d.now = d.now.Add(2 * time.Minute)
	if v, err := d.Verify(t.Context(), ref, d.code); err != nil || !v.Verified {
		t.Errorf("the right code in the next window: %+v, %v", v, err)
	}
}

// TestACodeOutlivesARotation verifies a passcode that was issued under the key before.
func TestACodeOutlivesARotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "otpost.keys")
	before, _, err := seal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(seal.Stage(path), seal.Rotate(path)); err != nil {
		t.Fatal(err)
	}
	after, _, err := seal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	quick := &counting{}
	d := newDesk(t, pgtest.Start(t).Database(t), func(s passcode.Store) passcode.Store { quick.Store = s; return quick })
	for _, under := range []*seal.Ring{before, after} {
		d.Ring = under
		made, err := d.Issue(t.Context(), passcode.Request{Tenant: "default", To: "lea@example.test"}, 0)
		if err != nil {
			t.Fatal(err)
		}
		d.Ring = after
		ref := passcode.Ref{Tenant: "default", ID: made.Challenge.ID}
		if v, err := d.Verify(t.Context(), ref, "no code"); err != nil || v.Reason != passcode.WrongCode || v.TriesLeft != 2 {
			t.Errorf("a wrong code: %+v, %v", v, err)
		}
		if v, err := d.Verify(t.Context(), ref, d.code); err != nil || !v.Verified {
			t.Errorf("the right code: %+v, %v", v, err)
		}
	}
	if quick.done != 2 {
		t.Errorf("%d tries were done in one step, want the two under the newer key", quick.done)
	}
}

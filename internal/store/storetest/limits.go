package storetest

import (
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/passcode"
)

func spend(name string, limit int) passcode.Spend {
	sum := sha256.Sum256([]byte(name))
	return passcode.Spend{Key: sum[:16], Name: name, Limit: limit, Window: time.Minute, Cost: 1}
}

func limitsHoldTogether(t *testing.T, s Store) {
	// Narrow limits come first and the shared one last, as the engine orders them.
	shared, narrow := spend("shared", 40), [2]passcode.Spend{spend("x", 25), spend("y", 25)}
	ok := together(100, func(i int) error { return s.Spend(t.Context(), now, narrow[i%2], shared) })
	if ok != 40 {
		t.Errorf("%d of 100 were let through, want 40", ok)
	}
	if got := together(20, func(int) error { return s.Spend(t.Context(), now, shared) }); got != 0 {
		t.Errorf("%d more were let through a spent limit", got)
	}
}

func limitsAllOrNone(t *testing.T, s Store) {
	a, b := spend("a", 2), spend("b", 1)
	must(t, s.Spend(t.Context(), now, a, b))
	var spent *passcode.Exhausted
	if err := s.Spend(t.Context(), now, a, b); !errors.As(err, &spent) || spent.Name != "b" || !spent.RetryAt.Equal(now.Add(time.Minute)) {
		t.Fatalf("error %+v, want b exhausted until its window ends", err)
	}
	must(t, s.Spend(t.Context(), now, a)) // the refusal gave it back
	if err := s.Spend(t.Context(), now, a); err == nil {
		t.Error("a third unit of a limit of two")
	}
}

func splitLimitIsOne(t *testing.T, s Store) {
	split := spend("split", 43)
	split.Parts = 8
	narrow := spend("narrow", 1000)
	if ok := together(120, func(int) error { return s.Spend(t.Context(), now, narrow, split) }); ok != 43 {
		t.Errorf("%d of 120 were let through a limit of 43 in 8 parts", ok)
	}
	var spent *passcode.Exhausted
	if err := s.Spend(t.Context(), now, narrow, split); !errors.As(err, &spent) || spent.Name != "split" || !spent.RetryAt.Equal(now.Add(time.Minute)) {
		t.Errorf("after that: %+v", err)
	}
	narrow.Limit = 44 // what the refused ones took was given back
	must(t, s.Spend(t.Context(), now, narrow))
	if err := s.Spend(t.Context(), now, narrow); err == nil {
		t.Error("a refused spend left more or less than it found")
	}
	must(t, s.Spend(t.Context(), now.Add(time.Minute), split))
}

func windowEndsAtItsEdge(t *testing.T, s Store) {
	a := spend("a", 1)
	must(t, s.Spend(t.Context(), now, a))
	if err := s.Spend(t.Context(), now.Add(time.Minute-time.Millisecond), a); err == nil {
		t.Error("let through a millisecond before the window ends")
	}
	must(t, s.Spend(t.Context(), now.Add(time.Minute), a))
	if err := s.Spend(t.Context(), now.Add(2*time.Minute-time.Millisecond), a); err == nil {
		t.Error("the second window did not begin with its first spend")
	}
	// A clock that stands still or goes back does not open a spent window.
	if err := s.Spend(t.Context(), now.Add(-time.Hour), a); err == nil {
		t.Error("a clock that went back opened a spent window")
	}
}

func askingTakesNothing(t *testing.T, s Store) {
	a := spend("a", 1)
	ask := a
	ask.Cost = 0
	for range 3 {
		must(t, s.Spend(t.Context(), now, ask))
	}
	must(t, s.Spend(t.Context(), now, a))
	var spent *passcode.Exhausted
	if err := s.Spend(t.Context(), now, ask, spend("b", 5)); !errors.As(err, &spent) || spent.Name != "a" {
		t.Errorf("asking a spent limit: %v", err)
	}
	must(t, s.Spend(t.Context(), now.Add(time.Minute), ask))
}

package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/otpost/otpost/internal/passcode"
)

// guess spends for one code that was tried on a challenge.
func guess(ctx context.Context, s Store, i passcode.Issuance, right bool, spends ...passcode.Spend) error {
	return s.Update(ctx, ref(i), now, func(_ *passcode.Challenge, t passcode.Turn) error {
		return t.Guess(right, spends...)
	})
}

func guessTakesForWrongCodes(t *testing.T, s Store) {
	i := issue(t, s, "lea@example.org", now)
	quarter, day := spend("quarter", 2), spend("day", 10)
	for _, right := range []bool{true, false, true, true, false} {
		if err := guess(t.Context(), s, i, right, quarter, day); err != nil {
			t.Fatalf("right %v: %v, want two wrong codes to fit and right ones to take nothing", right, err)
		}
	}
	for _, right := range []bool{true, false} {
		var spent *passcode.Exhausted
		if err := guess(t.Context(), s, i, right, quarter, day); !errors.As(err, &spent) || spent.Name != "quarter" {
			t.Errorf("right %v, after the limit: %v, want it refused", right, err)
		}
	}
	must(t, guess(t.Context(), s, i, true, day)) // a refused guess took nothing of the other limit
}

func guessesTogetherStayWithinTheLimit(t *testing.T, s Store) {
	limit := spend("guesses", 10)
	issued := make([]passcode.Issuance, 8)
	for n := range issued {
		issued[n] = issue(t, s, string(rune('a'+n))+"@example.org", now)
	}
	ok := together(64, func(n int) error { return guess(t.Context(), s, issued[n%8], false, limit) })
	if ok != 10 {
		t.Errorf("%d of 64 wrong codes were let through a limit of 10", ok)
	}
	if ok := together(16, func(n int) error { return guess(t.Context(), s, issued[n%8], true, limit) }); ok != 0 {
		t.Errorf("%d codes were looked at after the limit", ok)
	}
}

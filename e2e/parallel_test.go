package e2e_test

import (
	"fmt"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

func TestRightCodesInParallelVerifyOnce(t *testing.T) {
	const n = 64
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		k := rig.StartSink(t, "")
		k.Answer(-1)
		set := db.Settings().With(k.Settings())
		p := rig.Start(t, set)
		c := rig.NewClient(t, p, rig.CreateKey(t, set, "Shop"))
		for person := range 3 {
			made := c.Issue(rig.Address(person), "")
			code := k.To(t, rig.Address(person), 1)[0].Code
			got := c.TryAll(made.ID, n, func(int) string { return code })
			if got.Reasons["verified"] != 1 || got.Reasons["used"] != n-1 {
				t.Errorf("got %v, want 1 verified and %d used", got.Reasons, n-1)
			}
			if state := db.Texts(t, `SELECT state FROM challenges WHERE id = $1`, made.ID); state[0] != "verified" {
				t.Errorf("the passcode is %s, want verified", state)
			}
		}
		p.Stop()
	})
}

func TestWrongGuessesInParallelNeverPassTheCap(t *testing.T) {
	const n, tries = 1000, 5
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		k := rig.StartSink(t, "")
		k.Answer(-1)
		set := db.Settings().With(k.Settings(), rig.Settings{"lockout": "0s"})
		p := rig.Start(t, set)
		c := rig.NewClient(t, p, rig.CreateKey(t, set, "Shop"))
		made := c.Issue(rig.Address(1), "")
		code := k.To(t, rig.Address(1), 1)[0].Code
		got := c.TryAll(made.ID, n, func(i int) string { return rig.Other(code, i) })
		if got.Reasons["wrong_code"] != tries-1 || got.Reasons["locked"] != n-(tries-1) {
			t.Errorf("got %v, want %d wrong codes and the rest locked", got.Reasons, tries-1)
		}
		counted := map[int]int{}
		for _, left := range got.Left {
			counted[left]++
		}
		for left := range tries {
			if want := max(1, (n-tries+1)*(1-min(left, 1))); counted[left] != want {
				t.Errorf("%d answers have %d attempts left, want %d", counted[left], left, want)
			}
		}
		if counts := db.Number(t, `SELECT tries FROM challenges WHERE id = $1`, made.ID); counts != tries {
			t.Errorf("the database counts %d tries, want %d", counts, tries)
		}
		if v := c.Verify(made.ID, code); v.Verified || v.Reason != "locked" {
			t.Errorf("the right code after the lock: %+v", v)
		}

		// A new passcode brings new tries, but no new budget of guesses: ten in a quarter of an hour, five are spent.
		made = c.Issue(rig.Address(1), "")
		second := c.TryAll(made.ID, n/4, func(i int) string { return rig.Other(code, i) })
		made = c.Issue(rig.Address(1), "")
		third := c.TryAll(made.ID, n/4, func(i int) string { return rig.Other(code, i) })
		if second.Reasons["wrong_code"] > tries || third.Reasons["throttled"] != n/4 {
			t.Errorf("got %v and then %v, want the budget of guesses to be spent", second.Reasons, third.Reasons)
		}
		p.Stop()
	})
}

func TestALockedPersonGetsNoNewCode(t *testing.T) {
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		k := rig.StartSink(t, "")
		k.Answer(-1)
		set := db.Settings().With(k.Settings())
		p := rig.Start(t, set)
		c := rig.NewClient(t, p, rig.CreateKey(t, set, "Shop"))
		made := c.Issue(rig.Address(1), "")
		code := k.To(t, rig.Address(1), 1)[0].Code
		c.TryAll(made.ID, 20, func(i int) string { return rig.Other(code, i) })
		refused, header := c.Refused("POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q}`, rig.Address(1)), 429)
		if refused.Code != "locked_out" || header.Get("Retry-After") == "" {
			t.Errorf("got %+v, want locked_out with Retry-After", refused)
		}
		c.Issue(rig.Address(2), "") // somebody else is not locked out
		p.Stop()
	})
}

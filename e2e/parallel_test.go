package e2e_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
)

// tally counts verdicts by reason; a right code's reason is "verified".
type tally struct {
	mu      sync.Mutex
	reasons map[string]int
	left    []int
}

// tryAll sends so many codes at the same time and wants an answer of 200 to each.
func (c *client) tryAll(id string, n int, code func(i int) string) *tally {
	c.t.Helper()
	all := &tally{reasons: map[string]int{}}
	together(n, n, func(i int) {
		got, err := c.send("POST", "/v1/passcodes/"+id+"/verify", fmt.Sprintf(`{"code":%q}`, code(i)))
		var v verdict
		if err != nil || got.status != 200 || json.Unmarshal(got.body, &v) != nil {
			c.t.Errorf("verify %d: %v %v", i, err, got)
			return
		}
		all.mu.Lock()
		defer all.mu.Unlock()
		if v.Verified {
			v.Reason = "verified"
		}
		all.reasons[v.Reason]++
		all.left = append(all.left, v.AttemptsLeft)
	})
	return all
}

func TestRightCodesInParallelVerifyOnce(t *testing.T) {
	const n = 64
	onBoth(t, func(t *testing.T, db *database) {
		k := startSink(t, "")
		k.answer(-1)
		set := db.settings().with(k.settings())
		p := start(t, set)
		c := newClient(t, p, createKey(t, set, "Shop"))
		for person := range 3 {
			made := c.issue(address(person), "")
			code := k.to(t, address(person), 1)[0].code
			got := c.tryAll(made.ID, n, func(int) string { return code })
			if got.reasons["verified"] != 1 || got.reasons["used"] != n-1 {
				t.Errorf("got %v, want 1 verified and %d used", got.reasons, n-1)
			}
			if state := db.texts(t, `SELECT state FROM challenges WHERE id = $1`, made.ID); state[0] != "verified" {
				t.Errorf("the passcode is %s, want verified", state)
			}
		}
		p.stop()
	})
}

func TestWrongGuessesInParallelNeverPassTheCap(t *testing.T) {
	const n, tries = 1000, 5
	onBoth(t, func(t *testing.T, db *database) {
		k := startSink(t, "")
		k.answer(-1)
		set := db.settings().with(k.settings(), settings{"lockout": "0s"})
		p := start(t, set)
		c := newClient(t, p, createKey(t, set, "Shop"))
		made := c.issue(address(1), "")
		code := k.to(t, address(1), 1)[0].code
		got := c.tryAll(made.ID, n, func(i int) string { return other(code, i) })
		if got.reasons["wrong_code"] != tries-1 || got.reasons["locked"] != n-(tries-1) {
			t.Errorf("got %v, want %d wrong codes and the rest locked", got.reasons, tries-1)
		}
		counted := map[int]int{}
		for _, left := range got.left {
			counted[left]++
		}
		for left := range tries {
			if want := max(1, (n-tries+1)*(1-min(left, 1))); counted[left] != want {
				t.Errorf("%d answers have %d attempts left, want %d", counted[left], left, want)
			}
		}
		if counts := db.number(t, `SELECT tries FROM challenges WHERE id = $1`, made.ID); counts != tries {
			t.Errorf("the database counts %d tries, want %d", counts, tries)
		}
		if v := c.verify(made.ID, code); v.Verified || v.Reason != "locked" {
			t.Errorf("the right code after the lock: %+v", v)
		}

		// A new passcode brings new tries, but no new budget of guesses: ten in a quarter of an hour, five are spent.
		made = c.issue(address(1), "")
		second := c.tryAll(made.ID, n/4, func(i int) string { return other(code, i) })
		made = c.issue(address(1), "")
		third := c.tryAll(made.ID, n/4, func(i int) string { return other(code, i) })
		if second.reasons["wrong_code"] > tries || third.reasons["throttled"] != n/4 {
			t.Errorf("got %v and then %v, want the budget of guesses to be spent", second.reasons, third.reasons)
		}
		p.stop()
	})
}

// other is a code of six digits that is not the right one.
func other(right string, i int) string {
	code := fmt.Sprintf("%06d", i)
	if code == right {
		return "999999"
	}
	return code
}

func TestALockedPersonGetsNoNewCode(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		k := startSink(t, "")
		k.answer(-1)
		set := db.settings().with(k.settings())
		p := start(t, set)
		c := newClient(t, p, createKey(t, set, "Shop"))
		made := c.issue(address(1), "")
		code := k.to(t, address(1), 1)[0].code
		c.tryAll(made.ID, 20, func(i int) string { return other(code, i) })
		refused, header := c.refused("POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q}`, address(1)), 429)
		if refused.Code != "locked_out" || header.Get("Retry-After") == "" {
			t.Errorf("got %+v, want locked_out with Retry-After", refused)
		}
		c.issue(address(2), "") // somebody else is not locked out
		p.stop()
	})
}

package crash_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// count is what was seen on one kind of database, over all worlds.
type count struct {
	mu                            sync.Mutex
	kills, flying, accepted, lost int
	repeated, excused, generated  int
	twice, uncounted, stuck       int
}

func (c *count) kill()          { c.add(&c.kills, 1) }
func (c *count) inFlight(n int) { c.add(&c.flying, n) }

func (c *count) add(to *int, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*to += n
}

// figures says what was counted.
func (c *count) figures(t *testing.T, kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kills == 0 {
		return // the tests of this database were not asked for
	}
	for _, f := range []struct {
		name  string
		value int
		words string
	}{
		{"kills", c.kills, "kills, each at the fault point that was ordered"},
		{"inflight", c.flying, "passcodes on their way at the kills, over all kills"},
		{"accepted", c.accepted, "passcodes and events that were accepted"},
		{"lost", c.lost, "accepted passcodes and events that were never mailed"},
		{"repeated", c.repeated, "messages that were sent again"},
		{"excused", c.excused, "of these, messages whose provider's answer was lost with the process"},
		{"generated", c.generated, "codes that a policy handed over to its caller"},
		{"twice", c.twice, "codes that verified twice"},
		{"uncounted", c.uncounted, "passcodes with a counted try that was forgotten"},
		{"stuck", c.stuck, "deliveries that were not final in the end"},
	} {
		rig.Figure(t, "crash."+f.name+"."+kind, f.value, f.words+", on "+kind)
	}
}

// recover starts a server that is not told to die, lets callers ask again, and holds everything so far to the promise.
func (w *world) recover() {
	w.t.Helper()
	w.sink.Answer(-1)
	p := rig.Start(w.t, w.set)
	c := w.callers(nil, p)
	c.repeat()
	rig.Await(w.t, "every delivery to end", func() bool {
		return w.db.Number(w.t, `SELECT COUNT(*) FROM deliveries WHERE ended_at = 0`) == 0
	})
	states := w.deliveries()
	w.wantNothingLost()
	w.wantNoneSentAgain(states)
	w.wantWholeRows()
	c.wantCodesUsedOnce()
	c.wantGenerationsKept()
	w.wantTriesCounted()
	p.Kill()
	w.count.add(&w.count.stuck, w.db.Number(w.t, `SELECT COUNT(*) FROM deliveries WHERE ended_at = 0 OR lease <> ''`))
}

// wantNothingLost wants a mail for each 201 and each 200 of Entra's, and none for an event whose fallback was used.
func (w *world) wantNothingLost() {
	w.t.Helper()
	mailed, sources := map[string]int{}, map[string]map[string]bool{}
	for id, mails := range w.book.everything() {
		for _, m := range mails {
			mailed[m.To]++
			if sources[m.To] == nil {
				sources[m.To] = map[string]bool{}
			}
			sources[m.To][id] = true
		}
	}
	for _, wish := range w.book.all() {
		accepted := wish.id != "" || wish.taken
		if accepted && !wish.seen {
			wish.seen = true
			w.count.add(&w.count.accepted, 1)
			if mailed[wish.to] == 0 {
				w.count.add(&w.count.lost, 1)
				w.t.Errorf("%s was accepted and never mailed: %v", wish.to, w.fate(wish.to))
			}
		}
		if wish.unsent && mailed[wish.to] > 0 {
			w.t.Errorf("Entra was told that %s was not sent, and it got %d mails", wish.to, mailed[wish.to])
		}
		if most := 1 + wish.resends.got + wish.resends.lost; len(sources[wish.to]) > most {
			w.t.Errorf("%s got messages of %d deliveries, want at most %d", wish.to, len(sources[wish.to]), most)
		}
		if wish.event != "" && mailed[wish.to] > 0 && w.book.codeOf(wish.to) != wish.code {
			w.t.Errorf("%s got the code %s, and Entra's is %s", wish.to, w.book.codeOf(wish.to), wish.code)
		}
	}
}

// fate is what the database knows of a recipient's messages.
func (w *world) fate(to string) []string {
	return w.db.Texts(w.t, `SELECT id || ' ' || state || ', tries ' || tries || ', uncertain ' || uncertain || ', challenge "' || challenge ||
		'", created ' || created_at || ', answer by ' || answer_by || ', ended ' || ended_at FROM deliveries WHERE recipient = $1`, to)
}

// wantNoneSentAgain wants one mail of each delivery, and one more at most for each crash, and each answer that otpost
// itself saw get lost, while it was under way.
func (w *world) wantNoneSentAgain(states map[string]string) {
	w.t.Helper()
	for id, mails := range w.book.everything() {
		if states[id] == "" {
			w.t.Errorf("%s was mailed, and there is no such delivery", id)
		}
		for _, m := range mails {
			if m.Code != mails[0].Code || m.To != mails[0].To || m.Code == "" {
				w.t.Errorf("%s was mailed as %v and as %v", id, mails[0], m)
			}
		}
		if then, found := w.final[id]; found && then != len(mails) {
			w.t.Errorf("%s was final after %d mails, and then there were %d", id, then, len(mails))
		}
		again := len(mails) - 1 - w.known[id]
		w.known[id] += again
		if again == 0 {
			continue
		}
		w.count.add(&w.count.repeated, again)
		excuses := w.underWay[id] + w.db.Number(w.t, `SELECT COUNT(*) FROM attempts WHERE delivery = $1 AND class = 'ambiguous'`, id)
		if w.known[id] > excuses {
			w.t.Errorf("%s was mailed %d times, and only %d answers can have been lost", id, len(mails), excuses)
			continue
		}
		w.count.add(&w.count.excused, again)
	}
	for id, state := range states {
		if n := len(w.book.mails(id)); state == "accepted" && n == 0 {
			w.t.Errorf("%s is recorded as accepted, and nothing arrived", id)
		}
		if _, found := w.final[id]; !found {
			w.final[id] = len(w.book.mails(id))
		}
	}
}

// wantWholeRows wants challenge and delivery together or neither, and nothing left of what ended.
func (w *world) wantWholeRows() {
	w.t.Helper()
	for what, query := range map[string]string{
		"challenges without a delivery":    `SELECT COUNT(*) FROM challenges WHERE channel <> 'caller' AND id NOT IN (SELECT challenge FROM deliveries)`,
		"deliveries without a challenge":   `SELECT COUNT(*) FROM deliveries WHERE challenge <> '' AND challenge NOT IN (SELECT id FROM challenges)`,
		"deliveries still under a lease":   `SELECT COUNT(*) FROM deliveries WHERE lease <> ''`,
		"final deliveries with a body":     `SELECT COUNT(*) FROM deliveries WHERE message IS NOT NULL`,
		"accepted without their attempt":   `SELECT COUNT(*) FROM deliveries WHERE state = 'accepted' AND NOT EXISTS (SELECT 1 FROM attempts WHERE delivery = deliveries.id AND class = '')`,
		"attempts that are not counted":    `SELECT COUNT(*) FROM deliveries WHERE tries <> (SELECT COUNT(*) FROM attempts WHERE delivery = deliveries.id)`,
		"verified with a code to be sent":  `SELECT COUNT(*) FROM challenges WHERE state = 'verified' AND code_sealed IS NOT NULL`,
		"tries after the code's expiry":    `SELECT COUNT(*) FROM attempts JOIN deliveries ON id = delivery WHERE at >= deadline`,
		"recipients with two live codes":   `SELECT COUNT(*) FROM (SELECT identifier FROM challenges WHERE state = 'pending' GROUP BY identifier HAVING COUNT(*) > 1) AS twice`,
		"verified passcodes without a try": `SELECT COUNT(*) FROM challenges WHERE state = 'verified' AND tries = 0`,
	} {
		if n := w.db.Number(w.t, query); n != 0 {
			w.t.Errorf("there are %d %s", n, what)
		}
	}
}

// wantCodesUsedOnce tries each right code until it is used up, and then again by two at once.
func (c *callers) wantCodesUsedOnce() {
	c.t.Helper()
	var mine []*wish
	for _, w := range c.book.all() {
		if w.event == "" && w.id != "" && !w.spent {
			mine = append(mine, w)
		}
	}
	rig.Together(8, len(mine), func(i int) {
		w := mine[i]
		c.try(w, c.book.codeOf(w.to), &w.right)
		before := w.verified + w.used
		rig.Together(2, 2, func(int) { c.try(w, c.book.codeOf(w.to), &w.right) })
		if w.spent = true; w.verified+w.used != before+2 {
			c.t.Errorf("a used code of %s was not answered with used: %s", w.to, w.tally())
		}
		if w.verified > 1 {
			c.count.add(&c.count.twice, 1)
			c.t.Errorf("the code of %s verified %d times", w.to, w.verified)
		}
		if w.verified == 0 && w.right.lost == 0 {
			c.t.Errorf("the code of %s is used, and nobody was told that it verified: %s", w.to, w.tally())
		}
	})
}

// wantTriesCounted compares the tries on disk with what was answered: each that was answered is there, each whose
// answer was lost may be.
func (w *world) wantTriesCounted() {
	w.t.Helper()
	tries := map[string]int{}
	for _, row := range w.db.Texts(w.t, `SELECT id || ' ' || tries FROM challenges`) {
		var id string
		var n int
		if _, err := fmt.Sscan(row, &id, &n); err != nil {
			w.t.Fatal(err)
		}
		tries[id] = n
	}
	for _, wish := range w.book.all() {
		if wish.id == "" {
			continue
		}
		least := wish.wrong.got + wish.verified
		most := wish.wrong.got + wish.wrong.lost + 1
		if n := tries[wish.id]; n < least || n > most {
			w.count.add(&w.count.uncounted, 1)
			w.t.Errorf("%s has %d tries on disk, want %d to %d: %s", wish.to, n, least, most, wish.tally())
		}
	}
}

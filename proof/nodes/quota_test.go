package nodes_test

import (
	"fmt"
	"sync"

	"github.com/otpost/otpost/proof/rig"
)

// The quotas that persons have by default: messages, and wrong codes when a passcode allows as many.
const (
	sends   = 5
	guesses = 10
	persons = 3
)

// manyTries let the budget of guesses be spent on one passcode.
var manyTries = rig.Settings{"code_tries": "20"}

// quotas are persons whose limits are spent little by little while servers die.
type quotas struct {
	l *load

	mu sync.Mutex
	// granted are the ids of the passcodes that each asker was given.
	granted map[string]map[string]bool
	asked   int
	victims map[string]*victim
}

// victim is somebody whose passcode is guessed at.
type victim struct {
	id                        string
	wrong, throttled, unclear int
}

func asker(n int) string { return fmt.Sprintf("asker%d@example.test", n) }

func target(n int) string { return fmt.Sprintf("target%d@example.test", n) }

func openQuotas(l *load) *quotas {
	q := &quotas{l: l, granted: map[string]map[string]bool{}, victims: map[string]*victim{}}
	for n := range persons {
		q.granted[asker(n)] = map[string]bool{}
		i, ok := l.issue(target(n), fmt.Sprintf("target-%d", n))
		if !ok || i.ID == "" {
			l.t.Fatalf("no passcode for %s: %v", target(n), i.Answer)
		}
		q.victims[target(n)] = &victim{id: i.ID}
	}
	return q
}

// spend lets each asker ask, and each victim be guessed at, so many times, all at the same time.
func (q *quotas) spend(asks, tries int) {
	var both sync.WaitGroup
	both.Go(func() { rig.Together(persons*asks, persons*asks, func(i int) { q.ask(asker(i % persons)) }) })
	both.Go(func() { rig.Together(persons*tries, persons*tries, func(i int) { q.guess(target(i%persons), i) }) })
	both.Wait()
}

func (q *quotas) ask(to string) {
	q.mu.Lock()
	q.asked++
	key := fmt.Sprintf("asker-%d", q.asked)
	q.mu.Unlock()
	i, ok := q.l.issue(to, key)
	if !ok || i.ID == "" {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.granted[to][i.ID] = true
}

func (q *quotas) guess(to string, n int) {
	first, ok := q.l.mail.await(to)
	if !ok {
		q.l.t.Errorf("%s got no mail", to)
		return
	}
	v := q.victims[to]
	reason, unclear := q.l.verify(v.id, rig.Other(first.Code, n))
	q.mu.Lock()
	defer q.mu.Unlock()
	v.unclear += unclear
	switch reason {
	case "wrong_code":
		v.wrong++
	case "throttled":
		v.throttled++
	default:
		q.l.t.Errorf("a wrong code for %s was answered %q", to, reason)
	}
}

// judge wants each limit to have granted what it says, neither more nor less, once more was asked for.
func (q *quotas) judge() {
	t := q.l.t
	for to, ids := range q.granted {
		letters := map[string]bool{}
		for _, m := range q.l.mail.to(to) {
			letters[m.ID] = true
		}
		if len(ids) != sends || len(letters) > sends {
			t.Errorf("%s was granted %d passcodes and sent %d messages, want %d passcodes", to, len(ids), len(letters), sends)
		}
	}
	for to, v := range q.victims {
		// A guess that got no answer may have been counted; whoever made it learned nothing.
		if v.wrong > guesses || v.wrong+v.unclear < guesses || v.throttled == 0 {
			t.Errorf("%d wrong codes for %s were looked at, %d throttled, %d tries had no answer, want %d looked at",
				v.wrong, to, v.throttled, v.unclear, guesses)
		}
	}
}

package linear_test

import (
	"fmt"
	"math"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/otpost/otpost/proof/rig"
)

// checkTime bounds the check of one history. What is not decided by then is not proved.
const checkTime = 3 * time.Minute

// operations are a history in the checker's form. A call without an answer ends with the history.
func operations(history []record) (all []porcupine.Operation) {
	for i := range history {
		r := &history[i]
		ended := r.ended
		if r.call.lost {
			ended = math.MaxInt64
		}
		all = append(all, porcupine.Operation{ClientId: r.client, Input: &r.call, Output: &r.answer, Call: r.began, Return: ended})
	}
	return all
}

// check holds all histories of a run against the model, one for each person, and says the figures.
func (r *run) check() {
	r.t.Helper()
	m := &model{rules: r.rules, mails: r.resolve()}
	if len(r.cluster.nodes) > 1 && time.Since(r.began) > time.Minute { // before that nobody sweeps
		m.sweptAhead = r.cluster.skew().Milliseconds()
	}
	r.limits()
	r.coverage()
	var mu sync.Mutex
	var slowest time.Duration
	violations := 0
	rig.Together(2, len(r.people), func(i int) {
		history := r.people[i].history
		began := time.Now()
		result := porcupine.CheckOperationsTimeout(m.checkable(), operations(history), checkTime)
		mu.Lock()
		defer mu.Unlock()
		slowest = max(slowest, time.Since(began))
		if result != porcupine.Ok {
			violations++
			if violations <= 3 {
				r.t.Errorf("the history of person %d is %s: see %s", i, verdict(result), picture(r.t, m, history))
			}
		}
	})
	r.figures(violations, slowest)
}

func (r *run) figures(violations int, slowest time.Duration) {
	calls, lost := 0, 0
	for _, p := range r.people {
		calls += len(p.history)
		for _, rec := range p.history {
			if rec.call.lost {
				lost++
			}
		}
	}
	figure := func(name string, value any, words string, args ...any) {
		rig.Figure(r.t, "linear."+r.name+"."+name, value, fmt.Sprintf(words, args...))
	}
	figure("operations", calls, "calls to so many nodes: %d; greatest difference of clocks: %v; histories, one for each recipient: %d",
		len(r.cluster.nodes), r.cluster.skew(), len(r.people))
	figure("kills", r.cluster.kills, "times a node was killed and started again; answers lost: %d", lost)
	figure("violations", violations, "histories that are not linearizable; slowest check: %v", slowest.Round(time.Millisecond))
}

// coverage wants that all kinds of answers are in the histories that the rules are there for. The short form is too
// short for the seldom ones.
func (r *run) coverage() {
	r.t.Helper()
	seen := map[string]int{}
	for _, p := range r.people {
		for _, rec := range p.history {
			seen[rec.kind()]++
		}
	}
	r.t.Logf("%s: %v", r.name, seen)
	wanted := []string{verified, "wrong_code", replaced}
	if rig.Full() {
		wanted = append(wanted, r.wanted...)
	}
	for _, kind := range wanted {
		if seen[kind] == 0 {
			r.t.Errorf("no call was answered %q, so nothing is proved of it: %v", kind, seen)
		}
	}
}

// kind is what sort of an answer a call got.
func (r *record) kind() string {
	switch {
	case r.call.lost:
		return "lost"
	case r.answer.verified:
		return verified
	case r.answer.replayed:
		return "replayed"
	case r.answer.refusal+r.answer.reason != "":
		return r.answer.refusal + r.answer.reason
	}
	return string(r.call.verb)
}

func verdict(r porcupine.CheckResult) string {
	if r == porcupine.Unknown {
		return fmt.Sprintf("not decided within %v", checkTime)
	}
	return "not linearizable"
}

// picture draws a history and how far it could be explained, and says where.
func picture(t *testing.T, m *model, history []record) string {
	checkable := m.checkable()
	drawn := operations(history)
	for i := range drawn { // a picture as long as the history
		drawn[i].Return = min(drawn[i].Return, history[len(history)-1].ended+1)
	}
	_, info := porcupine.CheckOperationsVerbose(checkable, drawn, checkTime)
	file, err := os.CreateTemp("", "otpost-history-*.html")
	if err != nil {
		t.Error(err)
		return ""
	}
	defer file.Close()
	if err := porcupine.Visualize(checkable, info, file); err != nil {
		t.Error(err)
	}
	return file.Name()
}

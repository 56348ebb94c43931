package faults_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/proof/rig"
)

// TestEveryFaultIsUnderstoodAndSurvived makes each row of the matrix happen to passcodes, and then lets the servers be
// well.
func TestEveryFaultIsUnderstoodAndSurvived(t *testing.T) {
	t.Parallel()
	test := func(db func(testing.TB) *rig.Database, pipelining bool) func(*testing.T) {
		return func(t *testing.T) {
			t.Parallel()
			h := startHost(t, db(t), pipelining)
			smtp, http := h.smtp(), h.http()
			t.Run("rows", func(t *testing.T) {
				for _, p := range []*protocol{smtp, http} {
					t.Run(p.name, func(t *testing.T) {
						t.Parallel()
						h.each(t, p)
					})
				}
			})
			h.settle(t)
			h.judge(t, smtp, http)
			h.checkTraces(t, smtp, http)
		}
	}
	t.Run("sqlite", test(rig.NewSQLite, true))
	if rig.Full() {
		t.Run("postgres", test(rig.NewPostgres, false))
	}
}

// repeat is the rows as often as passcodes are to meet each.
func repeat(rows []*row) []*row { return slices.Repeat(rows, rig.Size(1, 3)) }

// each lets every row of a protocol happen.
func (h *host) each(t *testing.T, p *protocol) {
	var messages, alone, connections []*row
	for _, r := range p.rows {
		switch {
		case p.ofConnection(r):
			connections = append(connections, r)
		case r.alone:
			alone = append(alone, r)
		default:
			messages = append(messages, r)
		}
	}
	groups := batches(connections)
	for _, batch := range groups {
		if p.besides(batch[0]) {
			h.batch(t, p, batch)
		}
	}
	h.burst(t, p, repeat(messages))
	for _, r := range repeat(alone) {
		h.burst(t, p, []*row{r})
		h.endConnections(t, p)
	}
	for _, batch := range groups {
		if !p.besides(batch[0]) {
			h.batch(t, p, batch)
			h.endConnections(t, p)
		}
	}
	h.nobodyListens(t, p)
}

// burst sends messages that each meet a row of their own, all at once.
func (h *host) burst(t *testing.T, p *protocol, rows []*row) {
	var to []string
	for i, r := range rows {
		to = append(to, h.expect(p, r))
		p.plan.arm(to[i], r)
	}
	rig.Together(8, len(to), func(i int) {
		r := rows[i]
		want, final := r.end()
		if !final {
			h.issue(t, to[i], "")
			return
		}
		began := time.Now()
		state := h.issue(t, to[i], `,"wait_ms":10000`)
		if state != want && time.Since(began) < 10*time.Second { // else the machine is slow; judge sees the end
			t.Errorf("%s: the waiting caller is told %q, want %q", r.name, state, want)
		}
	})
	h.awaitBegun(t, p)
}

// batches groups rows of connections by what follows, since nobody knows which message meets which of them.
func batches(rows []*row) (groups [][]*row) {
	index := map[string]int{}
	for _, r := range rows {
		key := fmt.Sprint(r.may, r.slow)
		at, ok := index[key]
		if !ok {
			at = len(groups)
			index[key] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], r)
	}
	slices.SortStableFunc(groups, func(a, b []*row) int { return rank(a[0]) - rank(b[0]) })
	return groups
}

// rank puts what is tried again soon at the end, since whatever follows waits for that.
func rank(r *row) int {
	switch {
	case slices.ContainsFunc(r.may, permanent):
		return 0
	case r.allows(outbox.Transient):
		return 2
	}
	return 1
}

// batch makes every new connection meet one of the rows until each of its messages has met one and, unless others
// are sent meanwhile, the try has ended.
func (h *host) batch(t *testing.T, p *protocol, rows []*row) {
	// Nothing but its own messages is to meet it.
	rig.Await(t, "the tries before to end", func() bool { return soonAgain(t, h.db, p.pattern) == 0 })
	p.plan.connections(rows...)
	if !p.besides(rows[0]) {
		h.endConnections(t, p) // what is open from now on meets one of the rows
	}
	var to []string
	for _, r := range repeat(rows) {
		to = append(to, h.expect(p, r))
	}
	rig.Together(8, len(to), func(i int) { h.issue(t, to[i], "") })
	if p.besides(rows[0]) {
		rig.Await(t, "the tries to have begun", func() bool { return h.truth.times(rows...) >= len(to) })
	} else {
		h.awaitBegun(t, p)
	}
	p.plan.connections()
}

// endConnections closes what is kept. A mail connection is not looked at while it is idle, so otpost finds out when it
// next uses it.
func (h *host) endConnections(t *testing.T, p *protocol) {
	p.door.goodbye()
	if p.name == "http" {
		rig.Await(t, "otpost to close its side", func() bool { return p.door.connections() == 0 })
	}
}

// nobodyListens lets connections be refused.
func (h *host) nobodyListens(t *testing.T, p *protocol) {
	r := &row{name: "connection refused", at: "connect", may: notNow}
	p.door.shut()
	for _, r := range repeat([]*row{r}) {
		h.issue(t, h.expect(p, r), "")
	}
	h.awaitBegun(t, p)
	p.door.open()
	h.truth.acted(r, "")
	p.rows = append(p.rows, r)
}

// awaitBegun waits until every message so far was tried.
func (h *host) awaitBegun(t *testing.T, p *protocol) {
	rig.Await(t, "a try of every message", func() bool { return begun(t, h.db, p.pattern) == p.issued })
}

// settle lets time pass, with well servers, until every message has its end.
func (h *host) settle(t *testing.T) {
	rig.Await(t, "what can be tried again soon", func() bool { return soonAgain(t, h.db, "%") == 0 })
	h.checkWaits(t)
	if !rig.Full() { // the full form waits until the database says so
		hurry(t, h.db)
	}
	rig.Await(t, "the end of every message", func() bool { return underWay(t, h.db) == 0 })
	if rig.Full() {
		h.checkWaits(t)
	}
}

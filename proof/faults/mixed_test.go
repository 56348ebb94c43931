package faults_test

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/proof/rig"
)

// TestNothingIsLostWhileFaultsChange lets the fault change at random, by a fixed seed, with every connection and every
// try, on both senders at once.
func TestNothingIsLostWhileFaultsChange(t *testing.T) {
	t.Parallel()
	test := func(db func(testing.TB) *rig.Database, pipelining bool) func(*testing.T) {
		return func(t *testing.T) {
			t.Parallel()
			h := startHost(t, db(t), pipelining)
			smtp, http := h.smtp(), h.http()
			h.mix(t, rig.Size(150, 2000), smtp, http)
		}
	}
	t.Run("sqlite", test(rig.NewSQLite, true))
	if rig.Full() {
		t.Run("postgres", test(rig.NewPostgres, false))
	}
}

// mix issues n passcodes while faults change, then lets the servers be well and counts.
func (h *host) mix(t *testing.T, n int, protocols ...*protocol) {
	for _, p := range protocols {
		p.plan.chance(dice(p, 20261122))
	}
	to := make([]string, n)
	for i := range to {
		to[i] = h.expect(protocols[i%len(protocols)], nil)
	}
	rig.Together(16, n, func(i int) { h.issue(t, to[i], "") })
	for _, p := range protocols {
		h.awaitBegun(t, p)
	}
	// A message that met six faults waits three quarters of a minute for its next try.
	rig.AwaitFor(t, 4*rig.Patience, "the end of every message", func() bool { return underWay(t, h.db) == 0 })
	for _, p := range protocols {
		p.plan.chance(nil)
	}
	h.count(t, to)
	h.checkTraces(t, protocols...)
}

// count holds every message against what the servers know.
func (h *host) count(t *testing.T, to []string) {
	all := deliveries(t, h.db)
	h.truth.mu.Lock()
	defer h.truth.mu.Unlock()
	c := &counts{classes: map[outbox.Class]int{}}
	faults := 0
	for _, to := range to {
		d := all[to]
		if d == nil || len(d.attempts) == 0 {
			t.Errorf("the passcode for %s is lost", to)
			c.lost++
			continue
		}
		h.truth.check(t, c, to, d)
	}
	for _, times := range h.truth.suffered {
		faults += times
	}
	if faults < len(to)/4 || c.duplicates == 0 || c.classes[outbox.Ambiguous] == 0 || c.classes[outbox.Transient] == 0 {
		t.Errorf("%d faults, %d duplicates, classes %v: the providers were too well to prove anything", faults, c.duplicates, c.classes)
	}
	rig.Figure(t, "faults.mixed.faults."+h.db.Kind(), faults, "faults that were acted out")
	c.say(t, "faults.mixed", h.db.Kind())
}

// dice chooses a fault for about every second try of a message, as long as it is young, and for some connections. Faults
// that wait for a mended account are left out: what they delay, the matrix shows.
func dice(p *protocol, seed uint64) func(to string, n int) *row {
	var messages, connections []*row
	for _, r := range p.rows {
		switch {
		case r.alone: // what it leaves on the connection is taken for the answer to another message
		case r.stale || r.allows(outbox.Account) || r.allows(outbox.Quota):
		case !p.ofConnection(r):
			messages = append(messages, r)
		case !slices.ContainsFunc(r.may, permanent):
			connections = append(connections, r)
		}
	}
	return func(to string, n int) *row {
		hash := fnv.New64a()
		hash.Write([]byte(to))
		chance := rand.New(rand.NewPCG(seed, hash.Sum64()+uint64(n)))
		switch {
		case to == "" && chance.IntN(8) == 0:
			return connections[chance.IntN(len(connections))]
		case to != "" && n <= rig.Size(1, 3) && chance.IntN(2) == 0:
			return messages[chance.IntN(len(messages))]
		}
		return nil
	}
}

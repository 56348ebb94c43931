package failover_test

import (
	"slices"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// outcome is what came of a fault.
type outcome struct {
	callers, inTime, sent, not int
	// lost are messages that were accepted and that nobody took; twice are those that were taken again, by why.
	lost, twiceByLoss, twiceByHedge, unexplained int
	// tries are those at the faulty provider.
	tries int
}

func (o *outcome) add(other outcome) {
	o.callers += other.callers
	o.inTime += other.inTime
	o.sent += other.sent
	o.not += other.not
	o.lost += other.lost
	o.twiceByLoss += other.twiceByLoss
	o.twiceByHedge += other.twiceByHedge
	o.unexplained += other.unexplained
	o.tries += other.tries
}

// judge holds what the callers of a cell were told, and what is on disk, against what the two providers took.
func (h *house) judge(t *testing.T, c *cell, rows map[string]*delivery) (o outcome) {
	t.Helper()
	good, bad := h.good.posts(), map[string]int{}
	if c.vendor != nil {
		bad = c.vendor.kept()
		for _, problem := range c.vendor.complaints() {
			t.Errorf("%s: the vendor was asked wrongly: %s", c.name, problem)
		}
	}
	onTime := 0
	for _, caller := range c.told {
		o.callers++
		d := rows[caller.to]
		if d == nil {
			t.Errorf("%s: there is no delivery to %s", c.name, caller.to)
			o.lost++
			continue
		}
		takes := good[d.id] + bad[d.id]
		o.count(caller)
		h.judgeOne(t, c, caller, d, takes, &o)
		if by := map[string]map[string]int{"good": good, c.name: bad}[d.provider]; d.state == "accepted" && by[d.id] == 0 {
			t.Errorf("%s: the row says that %q took the message, which did not", c.name, d.provider)
		}
		for _, a := range d.tries {
			if a.provider != c.name {
				continue
			}
			o.tries++
			if slices.Contains(c.may, a.class) {
				onTime++
			}
			if !slices.Contains(c.may, a.class) && !a.late() {
				t.Errorf("%s: a try is %q, %s, want one of %q", c.name, a.class, a.detail, c.may)
			}
		}
	}
	if rig.Full() && o.tries > 0 && onTime == 0 { // that all are late is for a busy machine only
		t.Errorf("%s: no try of %d is any of %q", c.name, o.tries, c.may)
	}
	return o
}

func (o *outcome) count(caller told) {
	if caller.inTime {
		o.inTime++
	}
	if caller.sent {
		o.sent++
	}
	if caller.not {
		o.not++
	}
}

// judgeOne judges one message, which was taken so many times.
func (h *house) judgeOne(t *testing.T, c *cell, caller told, d *delivery, takes int, o *outcome) {
	t.Helper()
	switch {
	case caller.not:
		if takes > 0 {
			t.Errorf("%s: a caller was told that nothing was sent, and a provider has it: %+v", c.name, d)
		}
		if !h.mode.relayed { // the other provider is well, and the code lives
			o.lost++
		}
	case caller.unknown:
		if d.state != "failed" || d.count("ambiguous") == 0 {
			t.Errorf("%s: a caller was told that nobody knows, and it is known: %+v", c.name, d)
		}
	case takes == 0:
		t.Errorf("%s: accepted and never taken: %+v", c.name, d)
		o.lost++
	case d.state != "accepted":
		t.Errorf("%s: taken, and the row says %s: %+v", c.name, d.state, d)
	}
	for range takes - 1 {
		switch {
		case h.mode.hedge != "" && d.overlap():
			o.twiceByHedge++
		case c.lost && d.count("ambiguous") > 0, d.lost():
			o.twiceByLoss++
		default:
			t.Errorf("%s: taken %d times without a reason: %+v", c.name, takes, d)
			o.unexplained++
		}
	}
}

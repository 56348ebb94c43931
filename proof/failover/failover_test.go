package failover_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// TestOneProviderOfTwoMisbehaves lets callers wait for passcodes on routes of which the first provider misbehaves, each
// fault in each way to ask. In the full form each fault has an otpost of its own, with the workers it has by default.
func TestOneProviderOfTwoMisbehaves(t *testing.T) {
	table := map[string]map[string]outcome{}
	for _, m := range modes() {
		var houses []*house
		if rig.Full() {
			for _, f := range faults() {
				houses = append(houses, openHouse(t, m, f))
			}
		} else {
			houses = append(houses, openHouse(t, m, faults()...))
		}
		table[m.name] = run(t, houses)
	}
	report(t, table)
}

// run drives houses side by side, and judges each fault.
func run(t *testing.T, houses []*house) map[string]outcome {
	t.Helper()
	rig.Together(len(houses), len(houses), func(i int) { houses[i].drive(rig.Size(12, 200), rig.Size(12, 10)) })
	came := map[string]outcome{}
	for _, h := range houses {
		settle(t, h.db)
		h.server.Stop()
		rows := deliveries(t, h.db)
		for _, c := range h.cells {
			came[c.name] = h.judge(t, c, rows)
		}
	}
	return came
}

// report says the figures, and that nothing was lost.
func report(t *testing.T, table map[string]map[string]outcome) {
	t.Helper()
	var all outcome
	for _, m := range modes() {
		var sum outcome
		for _, o := range table[m.name] {
			sum.add(o)
		}
		all.add(sum)
		say := func(name string, value any, words string) { rig.Figure(t, "failover."+name+"."+m.name, value, words) }
		say("passcodes", sum.callers, "passcodes asked for while one of two providers misbehaved, "+m.words)
		say("twice.loss", sum.twiceByLoss, "messages taken twice because the faulty provider's answer was lost")
		say("twice.hedge", sum.twiceByHedge, "messages taken twice because the second provider was asked before the first had answered")
		if m.relayed {
			say("fallback", sum.not, "events of which Entra was told that the code was not sent, and it was not")
		}
	}
	if all.lost+all.unexplained > 0 {
		t.Errorf("%d passcodes were lost, %d were sent again without a reason", all.lost, all.unexplained)
	}
	rig.Figure(t, "failover.faults", len(faults()), "ways in which the provider misbehaved")
	rig.Figure(t, "failover.lost", all.lost, "accepted passcodes that no provider took")
	rig.Figure(t, "failover.unexplained", all.unexplained, "messages taken twice without such a reason")
	for _, f := range faults() {
		var inTime, tries []string
		for _, m := range modes() {
			o := table[m.name][f.name]
			inTime = append(inTime, fmt.Sprintf("%.1f", 100*float64(o.inTime)/float64(o.callers)))
			tries = append(tries, fmt.Sprint(1000*o.tries/o.callers))
		}
		rig.Figure(t, "failover.in_time."+f.name, strings.Join(inTime, " / "),
			"% told within 800 ms that a provider took it, "+modeNames()+": "+f.words)
		rig.Figure(t, "failover.tries."+f.name, strings.Join(tries, " / "), "tries at the faulty provider for 1000 messages, "+modeNames())
	}
}

func modeNames() string {
	var names []string
	for _, m := range modes() {
		names = append(names, m.name)
	}
	return strings.Join(names, " / ")
}

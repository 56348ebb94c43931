package main

import "slices"

// part is one group of promises and the tests that hold otpost to it.
type part struct {
	name string
	// shows is what is true when its tests pass.
	shows    string
	packages []string
	// tests selects among the packages' tests; empty is all.
	tests string
}

// parts are in the order in which they run, one after the other: what they measure must not disturb each other.
func parts() []part {
	return []part{
		{"advisories", "the field's known mistakes are not made, codes are uniform, no way around the guess budget",
			[]string{"./internal/...", "./docs"}, "Advisor|Uniform|Draw|Route|Inventory"},
		{"crash", "kill -9 at each named point: nothing accepted is lost, no code verifies twice", []string{"./proof/crash"}, ""},
		{"faults", "each way a provider can misbehave is survived and named rightly", []string{"./proof/faults"}, ""},
		{"failover", "one provider of two misbehaves: nothing is lost, and little is late", []string{"./proof/failover"}, ""},
		{"linear", "histories of many clients are those of one passcode after the other", []string{"./proof/linear"}, ""},
		{"nodes", "nodes and the primary database die under load: nothing accepted is lost, limits hold", []string{"./proof/nodes"}, ""},
		{"silence", "who is known and what the code is shows in no answer, time, file or log", []string{"./proof/silence"}, ""},
		{"entra", "what Entra is told is what became of the message, at scale", []string{"./proof/entra"}, ""},
		{"growth", "a million rows change neither speed nor memory", []string{"./proof/growth"}, ""},
	}
}

func partNames() (names []string) {
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

func partNamed(name string) (part, bool) {
	all := parts()
	i := slices.IndexFunc(all, func(p part) bool { return p.name == name })
	if i < 0 {
		return part{}, false
	}
	return all[i], true
}

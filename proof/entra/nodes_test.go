package entra_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// nodes are the servers over one database, each at an address that it keeps over restarts.
type nodes struct {
	settings []rig.Settings
	servers  []*rig.Server
	// target is where Entra calls.
	target string
	kills  []kill
}

// kill is one server's death: it lived until from at least, was gone at gone, and could be reached again at back.
type kill struct {
	node             string
	from, gone, back time.Time
}

func nodeName(i int) string { return fmt.Sprintf("node%d.example.test", i) }

// startNodes starts n servers; several are reached through a balancer.
func startNodes(t *testing.T, n int, settings func(node string) rig.Settings) *nodes {
	t.Helper()
	all := &nodes{}
	var addresses []string
	for i := range n {
		addresses = append(addresses, rig.FreeAddress(t))
		all.settings = append(all.settings, settings(nodeName(i)).With(rig.Settings{"listen": addresses[i]}))
		all.servers = append(all.servers, rig.Start(t, all.settings[i]))
	}
	all.target = addresses[0]
	if n > 1 {
		all.target = inTurns(t, addresses)
	}
	return all
}

// kill kills servers at the same moment, and starts them again.
func (n *nodes) kill(t *testing.T, which ...int) {
	t.Helper()
	first := len(n.kills)
	for _, i := range which {
		k := kill{node: nodeName(i), from: time.Now()}
		n.servers[i].Kill()
		k.gone = time.Now()
		n.kills = append(n.kills, k)
	}
	for j, i := range which {
		n.servers[i] = rig.Start(t, n.settings[i])
		n.kills[first+j].back = time.Now()
	}
}

// all are the numbers of all servers.
func (n *nodes) all() (numbers []int) {
	for i := range n.servers {
		numbers = append(numbers, i)
	}
	return numbers
}

// stop stops all servers and wants them to end well.
func (n *nodes) stop() {
	for _, s := range n.servers {
		s.Stop()
	}
}

// killedBetween reports whether the server of that name died between two times.
func (n *nodes) killedBetween(node string, from, to time.Time) bool {
	for _, k := range n.kills {
		if k.node == node && !k.gone.Before(from) && !k.from.After(to) {
			return true
		}
	}
	return false
}

// down reports whether any server was dying or dead at some time of the span.
func (n *nodes) down(from, to time.Time) bool {
	for _, k := range n.kills {
		if !k.from.After(to) && !k.back.Before(from) {
			return true
		}
	}
	return false
}

package entra_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// nodes are the servers over one database, each at an address that it keeps over restarts.
type nodes struct {
	settings  func(name string) rig.Settings
	addresses []string
	servers   []*rig.Server
	// names are what the living are called, by which the provider knows them. A restarted one has another name.
	names []string
	born  map[string]time.Time
	// target is where Entra calls.
	target string
	kills  []kill
}

// kill is one server's death: it lived until from at least, was gone at gone, and could be reached again at back.
type kill struct {
	name             string
	from, gone, back time.Time
}

// startNodes starts n servers; several are reached through a balancer.
func startNodes(t *testing.T, n int, settings func(name string) rig.Settings) *nodes {
	t.Helper()
	all := &nodes{settings: settings, born: map[string]time.Time{}, servers: make([]*rig.Server, n), names: make([]string, n)}
	for i := range n {
		all.addresses = append(all.addresses, rig.FreeAddress(t))
		all.start(t, i)
	}
	all.target = all.addresses[0]
	if n > 1 {
		all.target = inTurns(t, all.addresses)
	}
	return all
}

func (n *nodes) start(t *testing.T, i int) {
	t.Helper()
	n.names[i] = fmt.Sprintf("server%d.example.test", len(n.born))
	n.born[n.names[i]] = time.Now()
	n.servers[i] = rig.Start(t, n.settings(n.names[i]).With(rig.Settings{"listen": n.addresses[i]}))
}

// kill kills servers at the same moment, and starts them again.
func (n *nodes) kill(t *testing.T, which ...int) {
	t.Helper()
	first := len(n.kills)
	for _, i := range which {
		k := kill{name: n.names[i], from: time.Now()}
		n.servers[i].Kill()
		k.gone = time.Now()
		n.kills = append(n.kills, k)
	}
	for j, i := range which {
		n.start(t, i)
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

// killedBefore reports whether the server of that name was dead, or dying, by then. The provider may read a message to
// its end when the server that wrote it is dead.
func (n *nodes) killedBefore(name string, then time.Time) bool {
	for _, k := range n.kills {
		if k.name == name && !k.from.After(then) {
			return true
		}
	}
	return false
}

// stale is how long a caller on a busy machine may take to notice that a connection it kept is dead.
const stale = 5 * time.Second

// down reports whether any server was dying or dead at some time of the span, or a while before.
func (n *nodes) down(from, to time.Time) bool {
	for _, k := range n.kills {
		if !k.from.After(to) && !k.back.Add(stale).Before(from) {
			return true
		}
	}
	return false
}

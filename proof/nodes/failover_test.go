package nodes_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/store/pgtest"
	"github.com/otpost/otpost/proof/rig"
)

// crowd is the settings of nodes that many people use: few workers leave messages waiting in memory while the mail
// server is slow, and all of Entra's events come from one address.
var crowd = rig.Settings{"outbox_workers": "4", "limit_address": "off", "limit_network": "off", "log_level": "info"}

// leases are short, so that a dead node's messages do not wait long for another.
func leases() rig.Settings {
	if rig.Full() {
		return rig.ShortLeases
	}
	return rig.Settings{"lease": "2500ms", "attempt_timeout": "2s"}
}

// cut is how the primary is caught by the power cut.
type cut struct {
	name string
	// halted is the process that stops shortly before, so that transactions are between commit and answer; server says
	// whose it is.
	halted string
	server func(*pgtest.Pair) *pgtest.Server
}

// cuts are the ways. With a transaction's fate open, its caller hears nothing clear and asks again with the same key.
var cuts = []cut{
	// What waits for its answer is on the standby's side already, and is there after the promotion.
	{"unanswered", "walreceiver", func(p *pgtest.Pair) *pgtest.Server { return p.Standby }},
	// What waits has not left the primary, and is lost with it.
	{"unsent", "walsender", func(p *pgtest.Pair) *pgtest.Server { return p.Primary }},
	{name: "plain"},
}

// TestNodesAndPrimaryDieUnderLoad kills one of three nodes and then the primary, promotes the standby, and brings the
// node back, while people sign in all the time.
func TestNodesAndPrimaryDieUnderLoad(t *testing.T) {
	for _, c := range cuts[:rig.Size(1, len(cuts))] {
		t.Run(c.name, func(t *testing.T) { newStory(t, c).run() })
	}
}

// story is one such course of events.
type story struct {
	t      testing.TB
	cut    cut
	pair   *pgtest.Pair
	mail   *mailroom
	f      *fleet
	l      *load
	quotas *quotas
}

func newStory(t testing.TB, c cut) *story {
	t.Helper()
	s := &story{t: t, cut: c, pair: pgtest.StartPair(t), mail: openMailroom(t)}
	issuer := rig.NewIssuer(t)
	set := rig.Settings{"database": s.pair.Database(t), "keys": filepath.Join(t.TempDir(), "otpost.keys")}.
		With(s.mail.Settings(), issuer.Settings(), leases(), crowd, manyTries)
	key := rig.CreateKey(t, set, "Shop")
	s.f = launch(t, set, 3)
	s.f.http.Timeout = 5 * time.Second // nobody waits for a code request for ever
	rig.Await(t, "the nodes to be ready", func() bool { return s.f.ready(true) })
	s.l = startLoad(t, s.f, s.mail, issuer, key, 40)
	s.quotas = openQuotas(s.l)
	return s
}

func (s *story) run() {
	s.quotas.spend(2, 3)
	s.pass(rig.Size(20, 200))
	s.killNode()
	s.pass(rig.Size(20, 200))
	killed := s.killPrimary()
	s.quotas.spend(3*sends, 3*guesses)
	s.f.revive(0)
	back := time.Now()
	rig.Await(s.t, "the node that came back to take its share", func() bool { return len(by(0, s.l.answered(back))) >= 5 })
	s.pass(rig.Size(20, 400))
	s.l.stop()
	s.quotas.judge()
	s.judge(killed)
	s.f.stop()
}

// pass waits until so many more passcodes are issued.
func (s *story) pass(n int) {
	s.t.Helper()
	since := time.Now()
	rig.Await(s.t, "the load to go on", func() bool { return len(s.l.answered(since)) >= n })
}

// killNode kills the first node while messages wait in its memory.
func (s *story) killNode() {
	s.t.Helper()
	const waiting = 10
	since := time.Now()
	s.mail.Hold()
	rig.Await(s.t, "messages in the node's hands", func() bool { return len(by(0, s.l.answered(since))) >= waiting })
	s.f.kill(0)
	killed := time.Now()
	var held []string
	for _, i := range by(0, s.l.answered(since)) {
		if len(s.mail.to(i.to)) == 0 {
			held = append(held, i.to)
		}
	}
	s.mail.Answer(-1)
	var took []time.Duration
	for _, to := range held {
		if first, ok := s.mail.await(to); ok {
			took = append(took, first.at.Sub(killed))
		} else {
			s.t.Errorf("the message to %s was lost with the node that held it", to)
		}
	}
	s.figure("node.held", len(held), "messages that waited in the memory of a killed node")
	if len(took) > 0 {
		s.figure("node.recovered_ms", slices.Max(took).Milliseconds(),
			"ms from the kill of a node until other nodes had sent all that it held; the lease is "+s.f.settings["lease"])
	}
}

// killPrimary cuts the primary's power, promotes the standby, and returns when it cut.
func (s *story) killPrimary() (killed time.Time) {
	s.t.Helper()
	resume := func() {}
	if s.cut.halted != "" {
		resume = s.cut.server(s.pair).Suspend(s.t, s.cut.halted)
		s.pair.Primary.Await(s.t, "transactions between commit and answer",
			`SELECT COUNT(*) >= 8 FROM pg_stat_activity WHERE wait_event = 'SyncRep'`)
	}
	spent := make(chan struct{})
	go func() { defer close(spent); s.quotas.spend(1, 3) }()
	s.pair.Primary.Kill(s.t)
	killed = time.Now()
	resume()
	s.promote(killed)
	rig.AwaitClosed(s.t, "what was asked meanwhile", spent)
	return killed
}

// promote makes the standby the primary once every node has noticed that the old one is lost, since then.
func (s *story) promote(lost time.Time) {
	s.t.Helper()
	rig.Await(s.t, "the nodes to say that they are not ready", func() bool { return s.f.ready(false) })
	noticed := time.Now()
	s.pair.Standby.Promote(s.t)
	promoted := time.Now()
	rig.Await(s.t, "a passcode to be issued again", func() bool { return len(s.l.answered(noticed)) > 0 })
	first := slices.MinFunc(s.l.answered(noticed), func(a, b *issue) int { return a.at.Compare(b.at) }).at
	rig.Await(s.t, "the nodes to say that they are ready", func() bool { return s.f.ready(true) })
	ready := time.Now()
	s.figure("primary.noticed_ms", noticed.Sub(lost).Milliseconds(), "ms from the loss of the primary until every node said that it is not ready")
	s.figure("primary.promotion_ms", promoted.Sub(noticed).Milliseconds(), "ms that the promotion of the standby took")
	s.figure("primary.reconnection_ms", max(0, first.Sub(promoted)).Milliseconds(), "ms from then until the first passcode was issued")
	s.figure("primary.recovery_ms", first.Sub(lost).Milliseconds(), "ms from the loss of the primary until the first passcode was issued")
	s.figure("primary.ready_ms", ready.Sub(promoted).Milliseconds(), "ms from the promotion until every node said that it is ready")
}

func (s *story) figure(name string, value any, words string) {
	s.t.Helper()
	rig.Figure(s.t, "nodes."+s.cut.name+"."+name, value, words)
}

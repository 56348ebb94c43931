package entra_test

import (
	"slices"
	"testing"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/proof/rig"
)

// TestScale plays, on each database, a calm in which the provider is healthy, a storm in which it misbehaves, cannot be
// reached at times, and servers are killed, and a crowd that wants more mail to one mailbox than the limit allows.
func TestScale(t *testing.T) {
	if !rig.Full() {
		rig.OnBoth(t, func(t *testing.T, db *rig.Database) { scale(t, db) })
		return
	}
	// One after the other: the figures are times.
	t.Run("sqlite", func(t *testing.T) { scale(t, rig.NewSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { scale(t, rig.NewPostgres(t)) })
}

// seed makes every run meet the same faults.
const seed = 20261122

// mailboxLimit is how many mails one mailbox may get while the test runs.
const mailboxLimit = 5

func scale(t *testing.T, db *rig.Database) {
	p, who := startProvider(t, seed), rig.NewIssuer(t)
	count := 1
	if db.Kind() == "postgres" {
		count = rig.Size(2, 3)
	}
	n := startNodes(t, count, func(name string) rig.Settings {
		return db.Settings().With(who.Settings(), p.settings(name), leases(), rig.Settings{
			"entra_budget": budget.String(), "log_level": "info", "limit_identifier": "5/10m",
			"limit_network": "1000000/1h", "limit_application": "1000000/1h"})
	})
	token := who.Token(extension.Grant{})
	rate := rig.Size(40, 450)

	calm := play{"calm{n}@example.test", rig.Size(40, 8_000), rate}.run(t, n.target, token)
	p.misbehave(true)
	storm := play{"storm{n}@example.test", rig.Size(180, 41_000), rate}
	stormy := storm.run(t, n.target, token, scenes(t, storm.count, p, n)...)
	rig.Await(t, "all deliveries to be final", func() bool {
		return db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE state IN ('queued', 'sending')`) == 0
	})
	p.misbehave(false)
	v := hold(t, db, p, n, calm, stormy)
	refused := play{"crowd@example.test", rig.Size(12, 1_100), rate}.overLimit(t, db, p, n.target, token)
	n.stop()

	t.Logf("the provider met %v", p.met)
	figures(t, db.Kind(), &v, n, refused, calm.sum, stormy.sum)
}

// hold holds what Entra was told, and what is on disk, against what the provider took.
func hold(t *testing.T, db *rig.Database, p *provider, n *nodes, runs ...played) (v verdict) {
	t.Helper()
	var said sum
	gaveUp := givenUp(t, db)
	for _, r := range runs {
		v.judge(t, r.accounts, p, n, gaveUp)
		said.Events, said.Sent, said.Fallback = said.Events+r.sum.Events, said.Sent+r.sum.Sent, said.Fallback+r.sum.Fallback
	}
	if v.events != said.Events || v.sent != said.Sent || v.fellBack != said.Fallback {
		t.Errorf("the emulator's sums are %+v, those of its events %+v", said, v)
	}
	if v.sent == 0 {
		t.Error("nothing was sent, so nothing is proved")
	}
	slowness(t, &v)
	wantWithinCrash(t, &v, n)
	wantTrueRows(t, db, p, &v)
	return v
}

// slowness judges what only a machine that is too slow brings about. Budget, patience and leases are real time, and the
// short form may run on a machine that is busy with other tests. The full form has the machine for itself, at a rate
// that otpost must bear.
func slowness(t *testing.T, v *verdict) {
	t.Helper()
	if !rig.Full() {
		return
	}
	if v.bothByLate > 0 {
		t.Errorf("Entra mailed %d codes itself after a mail of ours, because it got no answer in time", v.bothByLate)
	}
	if v.twiceByLapse > 0 {
		t.Errorf("%d mails were sent again because their record was not on disk when the lease lapsed", v.twiceByLapse)
	}
}

// scenes are the kills and the times at which the provider cannot be reached, spread over the events.
func scenes(t *testing.T, events int, p *provider, n *nodes) (all []scene) {
	kills, gaps := rig.Size(2, 20), rig.Size(1, 10)
	for i := range kills {
		all = append(all, scene{events * (i + 1) / (kills + 1), func() {
			which := []int{i % len(n.servers)}
			if i == kills-1 {
				which = n.all()
			}
			n.kill(t, which...)
		}})
	}
	for i := range gaps {
		begin := events * (2*i + 1) / (2*gaps + 1)
		all = append(all, scene{begin, p.shut}, scene{begin + events/100, func() { p.open(t) }})
	}
	slices.SortStableFunc(all, func(a, b scene) int { return a.after - b.after })
	return all
}

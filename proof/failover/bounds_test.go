package failover_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/registry"
	"github.com/otpost/otpost/proof/rig"
)

// pair is two nodes over one PostgreSQL, with callers of both.
type pair struct {
	db      *rig.Database
	servers [2]*rig.Server
	clients [2]*rig.Client
}

func openPair(t testing.TB, docs documents) *pair {
	t.Helper()
	p := &pair{db: rig.NewPostgres(t)}
	set := p.db.Settings().With(rig.Settings{"log_level": "info", "limit_address": "1000000/1h", "limit_network": "1000000/1h"}, patient)
	docs.apply(t, set)
	key := rig.CreateKey(t, set, "Shop")
	for i := range p.servers {
		p.servers[i] = rig.Start(t, set)
		p.clients[i] = rig.NewClient(t, p.servers[i], key)
	}
	return p
}

// issue asks the nodes in turn for n passcodes, so many at the same time, and returns the answers.
func (p *pair) issue(t testing.TB, n, together int, to func(i int) string) []rig.Answer {
	t.Helper()
	answers := make([]rig.Answer, n)
	rig.Together(together, n, func(i int) {
		got, err := p.clients[i%2].Send("POST", "/v1/passcodes", fmt.Sprintf(`{"to":%q,"wait_ms":5000}`, to(i)))
		if err != nil {
			t.Errorf("issue %d: %v", i, err)
		}
		answers[i] = got
	})
	return answers
}

func (p *pair) stop() {
	for _, s := range p.servers {
		s.Stop()
	}
}

// TestTwoNodesKeepOneRate gives a provider a rate that is far below what is asked for, and wants it to be given exactly
// that by both nodes together, and everything else to the next provider.
func TestTwoNodesKeepOneRate(t *testing.T) {
	t.Parallel()
	const rate = 40
	n := rig.Size(150, 2000)
	bounded, good := openVendor(t, &fault{name: "bounded"}), openGood(t)
	bounded.recover()
	docs := documents{}
	provider := resend(bounded.url(), tryTimeout)
	provider["rate"] = object{"messages": rate, "per": "1h"}
	docs.add(registry.ProviderKind, "bounded", provider)
	docs.add(registry.ProviderKind, "good", good.document())
	docs.route("mail", "example.test", "", "bounded", "good")
	p := openPair(t, docs)
	for i, got := range p.issue(t, n, 64, rig.Address) {
		if got.Status != 201 {
			t.Errorf("passcode %d: %v", i, got)
		}
	}
	settle(t, p.db)
	p.stop()
	kept, posts := bounded.kept(), good.posts()
	for to, d := range deliveries(t, p.db) {
		if kept[d.id]+posts[d.id] != 1 || d.state != "accepted" {
			t.Errorf("%s was sent %d messages and is %s, want one that was accepted", to, kept[d.id]+posts[d.id], d.state)
		}
	}
	if len(kept) != rate || len(posts) != n-rate {
		t.Errorf("of %d messages the bounded provider was given %d and the other %d, want %d and %d", n, len(kept), len(posts), rate, n-rate)
	}
	over := p.db.Number(t, `SELECT COUNT(*) FROM attempts WHERE provider = 'bounded' AND code = 'rate'`)
	rig.Figure(t, "failover.rate.granted", len(kept), fmt.Sprintf("messages given to a provider with a rate of %d an hour, by two nodes asked for %d", rate, n))
	rig.Figure(t, "failover.rate.refused", over, "messages that were held back by the rate, before the provider was left alone")
}

// TestTwoNodesKeepOneBudget lets 64 callers at once ask two nodes for text messages that cost more together than may be
// spent, and wants exactly what the money is enough for to be accepted and sent.
func TestTwoNodesKeepOneBudget(t *testing.T) {
	t.Parallel()
	// Numbers of France cost 0.07, all others 0.20.
	for name, c := range map[string]struct {
		number           string // a format
		perDay, perMonth string
		affords          int
		spent            string // the limit that a caller is told of
	}{
		"a day's":   {number: "+3361%07d", perDay: "4", perMonth: "100", affords: 57, spent: "daily budget"},
		"a month's": {number: "+44791%07d", perDay: "50", perMonth: "4.10", affords: 20, spent: "monthly budget"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := openGood(t)
			docs := documents{}
			docs.add(registry.ProviderKind, "texts", good.document())
			docs.add(registry.RouteKind, "texts", object{"channel": "sms", "providers": []object{{"provider": "texts"}}})
			docs.add(registry.GuardKind, registry.GuardName, object{"prices": object{"FR": "0.07", "default": "0.20"},
				"budget": object{"per_day": c.perDay, "per_month": c.perMonth}})
			p := openPair(t, docs)
			accepted := 0
			for i, got := range p.issue(t, rig.Size(120, 400), 64, func(i int) string { return fmt.Sprintf(c.number, 1000000+i) }) {
				switch {
				case got.Status == 201:
					accepted++
				case got.Status != 429 || !strings.Contains(string(got.Body), c.spent):
					t.Errorf("text message %d: %v", i, got)
				}
			}
			settle(t, p.db)
			p.stop()
			if accepted != c.affords || len(good.posts()) != c.affords {
				t.Errorf("%d text messages were accepted and %d sent, want %d", accepted, len(good.posts()), c.affords)
			}
			rig.Figure(t, "failover.money."+strings.ReplaceAll(c.spent, " ", "_"), len(good.posts()),
				fmt.Sprintf("text messages sent by two nodes of a budget that is enough for %d", c.affords))
		})
	}
}

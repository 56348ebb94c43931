package e2e_test

import (
	"bytes"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// TestABacklogLongerThanALeaseSendsNothingTwice holds more messages in memory than can be sent before their leases
// lapse. A process must not take its own backlog for a dead one's.
func TestABacklogLongerThanALeaseSendsNothingTwice(t *testing.T) {
	const people = 60
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		k := rig.StartSink(t, "")
		set := db.Settings().With(k.Settings(), rig.Settings{"lease": "2s", "attempt_timeout": "500ms", "outbox_workers": "1"})
		p := rig.Start(t, set)
		key := rig.CreateKey(t, set, "Shop")
		k.Feed(t, 50) // 3 s for all
		rig.NewClient(t, p, key).IssueAll(0, people)
		rig.Await(t, "every delivery to be accepted", func() bool {
			return db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE state = 'accepted'`) == people
		})
		rig.Await(t, "an empty outbox", func() bool {
			metrics, err := p.Get("/metrics")
			return err == nil && bytes.Contains(metrics.Body, []byte("\notpost_outbox_waiting 0\n"))
		})
		p.Stop()
		// Where the machine was too slow for a try, its answer was lost.
		lost := db.Number(t, `SELECT COUNT(*) FROM attempts WHERE class = 'ambiguous'`)
		if total, persons := k.Total(), len(k.ByRecipient()); total > people+lost || persons != people {
			t.Errorf("%d messages reached %d people and %d answers were lost, want one for each of %d", total, persons, lost, people)
		}
	})
}

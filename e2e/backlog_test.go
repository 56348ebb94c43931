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
		set := db.Settings().With(k.Settings(), rig.Settings{"lease": "4s", "attempt_timeout": "3s", "outbox_workers": "1"})
		p := rig.Start(t, set)
		key := rig.CreateKey(t, set, "Shop")
		k.Feed(t, 80) // 4.8 s for all; a message that waits for its answer longer than a try lasts would come twice
		rig.NewClient(t, p, key).IssueAll(0, people)
		rig.Await(t, "every delivery to be accepted", func() bool {
			return db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE state = 'accepted'`) == people
		})
		rig.Await(t, "an empty outbox", func() bool {
			metrics, err := p.Get("/metrics")
			return err == nil && bytes.Contains(metrics.Body, []byte("\notpost_outbox_waiting 0\n"))
		})
		p.Stop()
		if total, persons := k.Total(), len(k.ByRecipient()); total != people || persons != people {
			t.Errorf("%d messages reached %d people, want one for each of %d", total, persons, people)
		}
	})
}

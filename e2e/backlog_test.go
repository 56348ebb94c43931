package e2e_test

import (
	"bytes"
	"testing"
)

// TestABacklogLongerThanALeaseSendsNothingTwice holds more messages in memory than can be sent before their leases
// lapse. A process must not take its own backlog for a dead one's.
func TestABacklogLongerThanALeaseSendsNothingTwice(t *testing.T) {
	const people = 60
	onBoth(t, func(t *testing.T, db *database) {
		k := startSink(t, "")
		set := db.settings().with(k.settings(), settings{"lease": "2s", "attempt_timeout": "500ms", "outbox_workers": "1"})
		p := start(t, set)
		newClient(t, p, createKey(t, set, "Shop")).issueAll(0, people)
		k.feed(t, 50) // 3 s for all
		await(t, "every delivery to be accepted", func() bool {
			return db.number(t, `SELECT COUNT(*) FROM deliveries WHERE state = 'accepted'`) == people
		})
		await(t, "an empty outbox", func() bool {
			metrics, err := p.get("/metrics")
			return err == nil && bytes.Contains(metrics.body, []byte("\notpost_outbox_waiting 0\n"))
		})
		p.stop()
		if total, persons := k.total(), len(k.byRecipient()); total != people || persons != people {
			t.Errorf("%d messages reached %d people, want one for each of %d", total, persons, people)
		}
	})
}

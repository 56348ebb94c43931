package e2e_test

import (
	"encoding/json"
	"testing"
)

// TestStopFinishesWhatIsUnderWay asks a server to stop while its mail server is slow: requests are answered, messages
// in the hands of workers are finished, the rest is given back, and the next server sends all of it once.
func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	const waiting, people = 3, 200
	onBoth(t, func(t *testing.T, db *database) {
		k := startSink(t, "")
		set := db.settings().with(k.settings())
		key := createKey(t, set, "Shop")
		p := start(t, set)
		c := newClient(t, p, key)
		c.issueAll(waiting, people-waiting) // fills all workers first
		await(t, "all workers to be busy", func() bool { return k.waiting() == workers })
		answers := make(chan answer, waiting)
		for i := range waiting {
			go func() {
				got, err := c.send("POST", "/v1/passcodes", `{"to":"`+address(i)+`","wait_ms":1500}`)
				if err != nil {
					t.Errorf("a request under way was cut off: %v", err)
				}
				answers <- got
			}()
		}
		await(t, "the requests", func() bool { return db.number(t, `SELECT COUNT(*) FROM challenges`) == people })

		p.term()
		await(t, "readiness to go", func() bool {
			got, err := p.get("/readyz")
			return err == nil && got.status == 503
		})
		for range waiting {
			got := <-answers
			var made passcode
			if err := json.Unmarshal(got.body, &made); got.status != 201 || err != nil || made.ID == "" {
				t.Errorf("got %v for a request under way, want 201", got)
			}
		}
		k.feed(t, 20) // 4 s for all
		p.stopped()

		if lines := p.log.lines(`"level":"ERROR"`); len(lines) > 0 {
			t.Errorf("the stop logged errors: %s", lines)
		}
		states := map[string]int{}
		for _, state := range db.texts(t, `SELECT state || ' ' || lease FROM deliveries`) {
			states[state]++
		}
		sent := k.total()
		if states["accepted "] != sent || states["queued "] != people-sent || sent < workers || sent == people {
			t.Errorf("got deliveries %v, want the %d that were sent to be accepted and the rest queued", states, sent)
		}

		p = start(t, set)
		k.answer(-1)
		await(t, "every delivery to be accepted", func() bool {
			return db.number(t, `SELECT COUNT(*) FROM deliveries WHERE state = 'accepted'`) == people
		})
		if total, persons := k.total(), len(k.byRecipient()); total != people || persons != people {
			t.Errorf("%d messages reached %d people, want one for each of %d", total, persons, people)
		}
		p.stop()
	})
}

// TestStopEndsInTimeThoughTheMailServerHangs asks a server to stop whose mail server never answers.
func TestStopEndsInTimeThoughTheMailServerHangs(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		k := startSink(t, "")
		set := db.settings().with(k.settings(), settings{"shutdown_timeout": "1s"})
		p := start(t, set)
		newClient(t, p, createKey(t, set, "Shop")).issueAll(0, workers+4)
		await(t, "all workers to be busy", func() bool { return k.waiting() == workers })
		p.stop() // exit code 0, long before an attempt times out by itself
		const open = `SELECT COUNT(*) FROM deliveries WHERE state = 'queued' AND lease = ''`
		if n := db.number(t, open); n != workers+4 {
			t.Errorf("%d deliveries wait for another process, want all %d", n, workers+4)
		}
		if n := db.number(t, `SELECT COUNT(*) FROM deliveries WHERE uncertain = 1`); n != workers {
			t.Errorf("%d deliveries are marked as perhaps sent, want the %d that were cut off", n, workers)
		}
	})
}

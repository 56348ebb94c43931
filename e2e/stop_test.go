package e2e_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// TestAnIdleStopTellsItsStepsInOrder: readiness goes before the listener, also where nothing keeps the listener up.
func TestAnIdleStopTellsItsStepsInOrder(t *testing.T) {
	p := rig.Start(t, rig.NewSQLite(t).Settings())
	p.Term()
	p.Stopped()
	var said []string
	for _, line := range p.Log.Lines(`"level":"INFO"`) {
		for _, step := range []string{"stopping:", "requests are finished:"} {
			if strings.Contains(line, step) {
				said = append(said, step)
			}
		}
	}
	if !slices.Equal(said, []string{"stopping:", "requests are finished:"}) {
		t.Errorf("the log says %q", said)
	}
}

// TestStopFinishesWhatIsUnderWay asks a server to stop while its mail server is slow: requests are answered, messages
// in the hands of workers are finished, the rest is given back, and the next server sends all of it once.
func TestStopFinishesWhatIsUnderWay(t *testing.T) {
	const waiting, people = 3, 200
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		k := rig.StartSink(t, "")
		// No attempt ends by itself meanwhile.
		set := db.Settings().With(k.Settings(), rig.Settings{"lease": "100s", "attempt_timeout": "90s", "shutdown_timeout": "90s"})
		key := rig.CreateKey(t, set, "Shop")
		p := rig.Start(t, set)
		c := rig.NewClient(t, p, key)
		c.IssueAll(waiting, people-waiting) // fills all workers first
		rig.Await(t, "all workers to be busy", func() bool { return k.Waiting() == rig.Workers })
		answers := make(chan rig.Answer, waiting)
		for i := range waiting {
			go func() {
				got, err := c.Send("POST", "/v1/passcodes", `{"to":"`+rig.Address(i)+`","wait_ms":1500}`)
				if err != nil {
					t.Errorf("a request under way was cut off: %v", err)
				}
				answers <- got
			}()
		}
		rig.Await(t, "the requests", func() bool { return db.Number(t, `SELECT COUNT(*) FROM challenges`) == people })

		p.Term()
		rig.Await(t, "readiness to go", func() bool {
			got, err := p.Get("/readyz")
			return err == nil && got.Status == 503
		})
		for range waiting {
			got := <-answers
			var made rig.Passcode
			if err := json.Unmarshal(got.Body, &made); got.Status != 201 || err != nil || made.ID == "" {
				t.Errorf("got %v for a request under way, want 201", got)
			}
		}
		// Connections that never carried a request keep the listener up for some seconds; workers go on until it is down.
		rig.Await(t, "the listener to be down", func() bool { return len(p.Log.Lines("requests are finished")) > 0 })
		if sent := k.Total(); sent != rig.Workers {
			t.Errorf("%d messages were sent, want the %d that all workers hold", sent, rig.Workers)
		}
		k.Answer(-1)
		p.Stopped()

		if lines := p.Log.Lines(`"level":"ERROR"`); len(lines) > 0 {
			t.Errorf("the stop logged errors: %s", lines)
		}
		states := map[string]int{}
		for _, state := range db.Texts(t, `SELECT state || ' ' || lease FROM deliveries`) {
			states[state]++
		}
		if states["accepted "] != rig.Workers || states["queued "] != people-rig.Workers {
			t.Errorf("got deliveries %v, want the %d that were being sent to be accepted and the rest queued", states, rig.Workers)
		}

		p = rig.Start(t, set)
		rig.Await(t, "every delivery to be accepted", func() bool {
			return db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE state = 'accepted'`) == people
		})
		if total, persons := k.Total(), len(k.ByRecipient()); total != people || persons != people {
			t.Errorf("%d messages reached %d people, want one for each of %d", total, persons, people)
		}
		p.Stop()
	})
}

// TestStopEndsInTimeThoughTheMailServerHangs asks a server to stop whose mail server never answers.
func TestStopEndsInTimeThoughTheMailServerHangs(t *testing.T) {
	rig.OnBoth(t, func(t *testing.T, db *rig.Database) {
		k := rig.StartSink(t, "")
		set := db.Settings().With(k.Settings(), rig.Settings{"shutdown_timeout": "1s"})
		p := rig.Start(t, set)
		rig.NewClient(t, p, rig.CreateKey(t, set, "Shop")).IssueAll(0, rig.Workers+4)
		rig.Await(t, "all workers to be busy", func() bool { return k.Waiting() == rig.Workers })
		p.Stop() // exit code 0, long before an attempt times out by itself
		const open = `SELECT COUNT(*) FROM deliveries WHERE state = 'queued' AND lease = ''`
		if n := db.Number(t, open); n != rig.Workers+4 {
			t.Errorf("%d deliveries wait for another process, want all %d", n, rig.Workers+4)
		}
		if n := db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE uncertain = 1`); n != rig.Workers {
			t.Errorf("%d deliveries are marked as perhaps sent, want the %d that were cut off", n, rig.Workers)
		}
	})
}

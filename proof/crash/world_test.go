package crash_test

import (
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/proof/rig"
)

// world is one database with a mail server and callers, through many crashes.
type world struct {
	t    *testing.T
	db   *rig.Database
	sink *rig.Sink
	book *book
	set  rig.Settings
	key  string
	// token opens Entra's door.
	token string
	mu    sync.Mutex
	made  int // wishes so far, for names
	count *count

	// final is how many mails of a delivery had arrived when a crash found it final. underWay counts the crashes that
	// found it with somebody who was sending it, or about to.
	final, underWay map[string]int
	// known are the repeats of a delivery that were counted.
	known map[string]int
}

func newWorld(t *testing.T, db *rig.Database, who *rig.Issuer, c *count) *world {
	t.Helper()
	w := &world{t: t, db: db, sink: rig.StartSink(t, ""), book: newBook(), count: c,
		token: who.Token(extension.Grant{}), final: map[string]int{}, underWay: map[string]int{}, known: map[string]int{}}
	w.sink.RejectWith(w.book.receive)
	w.set = db.Settings().With(w.sink.Settings(), who.Settings(), rig.Policies(t), rig.ShortLeases, rig.Settings{"resend_interval": "0s",
		"limit_address": "off", "limit_network": "off", "entra_budget": "300ms"}, quick)
	w.key = rig.CreateKey(t, w.set, "Shop")
	return w
}

// crash lets a server die at a point while people use it, and notes what it left behind.
func (w *world) crash(at point, pass int) {
	w.t.Helper()
	if at.stage == starting {
		w.abandon()
	}
	w.open()
	p := serve(w.t, w.set, at, pass)
	server := p.listening()
	limit, answered := rig.Patience, func() {}
	if server != nil && !p.isDead() {
		c := w.callers(p, server)
		switch at.stage {
		case traffic:
			answered = w.slowly(p.dead)
			c.use()
		case silence:
			c.use()
		case stopping:
			c.fill(48)
			w.stop(p)
		case sweeping:
			c.batch()
			w.age()
			limit = 3 * rig.Patience
		}
	}
	p.died(limit)
	answered()
	w.buried()
}

// open lets the mail server finish with the dead, and then answer nothing.
func (w *world) open() {
	w.t.Helper()
	w.sink.Answer(-1)
	rig.Await(w.t, "the mail server to finish with the dead", func() bool { return w.sink.Waiting() == 0 })
	w.sink.Hold()
}

// slowly answers mails and keeps a few in hand, until a server is dead.
func (w *world) slowly(dead <-chan struct{}) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-dead:
				return
			case <-tick.C:
				for range w.sink.Waiting() - 3 {
					w.sink.Answer(1)
				}
			}
		}
	}()
	return func() { <-done }
}

// stop asks a server to stop while each of its workers is busy and as many messages wait twice over. The workers finish
// what they send, and the rest is given back.
func (w *world) stop(p *process) {
	w.t.Helper()
	rig.Await(w.t, "all workers to be busy", func() bool { return w.sink.Waiting() >= rig.Workers || p.isDead() })
	p.terminate()
	rig.Await(w.t, "the server to stop", func() bool { return p.isDead() || p.says("stopping") })
	w.sink.Answer(rig.Workers)
}

// abandon leaves messages in the hands of a server that is killed from outside.
func (w *world) abandon() {
	w.t.Helper()
	w.open()
	p := rig.Start(w.t, w.set)
	w.callers(nil, p).fill(24)
	p.Kill()
	w.buried()
}

// age makes something that the sweeper takes away: idempotency keys that are as old as they get.
func (w *world) age() {
	w.t.Helper()
	if _, err := w.db.SQL.Exec(`UPDATE idempotency SET expires_at = 1`); err != nil {
		w.t.Error(err)
	}
	w.sink.Answer(-1)
}

// buried notes what a dead server left on disk, once the database has done with it.
func (w *world) buried() {
	w.t.Helper()
	gone(w.t, w.db)
	w.count.kill()
	open := 0
	for id, state := range w.deliveries() {
		switch _, before := w.final[id]; {
		case state == "queued":
			open++
		case state == "sending":
			open++
			w.underWay[id]++
		case !before:
			w.final[id] = len(w.book.mails(id))
		}
	}
	w.count.inFlight(open)
}

// deliveries are all deliveries' states by id.
func (w *world) deliveries() map[string]string {
	w.t.Helper()
	states := map[string]string{}
	rows, err := w.db.SQL.Query(`SELECT id, state FROM deliveries`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, state string
		if err := rows.Scan(&id, &state); err != nil {
			w.t.Fatal(err)
		}
		states[id] = state
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return states
}

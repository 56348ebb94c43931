package growth_test

import (
	"testing"

	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/proof/rig"
)

// sample is a passcode that the program wrote and delivered, and a message that it sealed: what a filler multiplies.
type sample struct {
	// challenge and delivery are the ids of its rows.
	challenge, delivery string
	// message is the message of another passcode, opened: that of a delivered one is wiped.
	message []byte
	ring    *seal.Ring
}

// takeSample runs the program over an empty database until it has written a sample.
func takeSample(t testing.TB, db *rig.Database, settings rig.Settings, mail *rig.Sink) *sample {
	t.Helper()
	p := rig.Start(t, settings)
	c := rig.NewClient(t, p, rig.CreateKey(t, settings, "Sample"))
	c.Issue("sample@example.test", "")
	rig.Await(t, "the sample to be delivered", func() bool {
		return db.Number(t, `SELECT COUNT(*) FROM attempts`) == 1
	})
	mail.Hold()
	c.Issue("message@example.test", "")
	rig.Await(t, "the message to be with its provider", func() bool { return mail.Waiting() == 1 })
	s := (&sample{}).newest(t, db)
	var id string
	var sealed []byte
	if err := db.SQL.QueryRow(`SELECT id, message FROM deliveries WHERE message IS NOT NULL`).Scan(&id, &sealed); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.ring, _, err = seal.Open(db.Settings()["keys"]); err != nil {
		t.Fatal(err)
	}
	if s.message, err = s.ring.Open(sealed, "message "+id); err != nil {
		t.Fatal(err)
	}
	mail.Answer(-1)
	p.Stop()
	return s
}

// newest is the same sample with the newest delivered passcode of the database in the place of its own.
func (s sample) newest(t testing.TB, db *rig.Database) *sample {
	t.Helper()
	row := db.SQL.QueryRow(`SELECT challenge, id FROM deliveries WHERE challenge <> '' AND state = 'accepted' ORDER BY id DESC LIMIT 1`)
	if err := row.Scan(&s.challenge, &s.delivery); err != nil {
		t.Fatal(err)
	}
	return &s
}

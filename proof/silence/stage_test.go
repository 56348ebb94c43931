package silence_test

import (
	"slices"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// stage is a scene before which many people have been.
type stage struct {
	scene
	// returning have proved a passcode, pending have one that is, and again have both.
	returning, pending, again []visitor
}

// visitor is a person and their newest passcode.
type visitor struct{ to, id, code string }

func setStage(t *testing.T, db *rig.Database, n int) *stage {
	t.Helper()
	s := &stage{scene: scene{t: t, db: db, sink: rig.StartSink(t, ""), issuer: rig.NewIssuer(t)}}
	s.sink.Answer(-1)
	// One worker can be held by one message that is not answered, so that nothing goes on behind the questions. The
	// limits are as many as by default, and never reached.
	set := db.Settings().With(s.sink.Settings(), s.issuer.Settings(), rig.Settings{"outbox_workers": "1",
		"attempt_timeout": "5m", "lease": "10m", "limit_identifier": "1000/10m,2000/24h", "limit_application": "20000000/1h",
		"limit_guesses": "1000/15m,2000/24h", "code_tries": "20", "entra_function_key": functionKey, "log_level": "info",
		"entra_budget": "5s"})
	s.key, s.revoked = rig.CreateKey(t, set, "Shop"), rig.CreateKey(t, set, "Gone")
	s.exec(`UPDATE keys SET revoked_at = 1 WHERE application IN (SELECT id FROM applications WHERE name = 'Gone')`)
	s.p = rig.Start(t, set)
	s.client = rig.NewClient(t, s.p, s.key)
	s.returning, s.pending, s.again = s.visitors(s.people(n)), s.visitors(s.people(2*n)), s.people(n)
	s.prove(s.returning)
	s.prove(s.visitors(s.again))
	s.again = s.visitors(s.again)
	return s
}

func (s *stage) people(n int) []visitor {
	all := make([]visitor, n)
	for i := range all {
		all[i].to = s.person()
	}
	return all
}

// visitors issues a passcode to each of them and waits for the messages.
func (s *stage) visitors(people []visitor) []visitor {
	s.t.Helper()
	all := slices.Clone(people)
	s.each(len(all), func(i int) bool {
		got, err := s.client.Send("POST", "/v1/passcodes", s.issue(all[i].to).body)
		all[i].id = memberOf(got.Body, "id")
		return err == nil && got.Status == 201
	})
	rig.Await(s.t, "every message to be taken", func() bool {
		return s.db.Number(s.t, `SELECT COUNT(*) FROM deliveries WHERE ended_at = 0`) == 0
	})
	mails := s.sink.ByRecipient()
	for i, v := range all {
		all[i].code = mails[v.to][len(mails[v.to])-1].Code
	}
	return all
}

// prove tries everybody's right code.
func (s *stage) prove(people []visitor) {
	s.t.Helper()
	s.each(len(people), func(i int) bool {
		got, err := s.client.Send("POST", "/v1/passcodes/"+people[i].id+"/verify", `{"code":"`+people[i].code+`"}`)
		return err == nil && memberOf(got.Body, "status") == "verified"
	})
}

// each does something so many times, many at a time, and wants it to work.
func (s *stage) each(n int, do func(i int) bool) {
	s.t.Helper()
	rig.Together(16, n, func(i int) {
		if !do(i) {
			s.t.Errorf("%d did not work", i)
		}
	})
	if s.t.Failed() {
		s.t.FailNow()
	}
}

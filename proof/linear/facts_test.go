package linear_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"time"
)

// fact is what the database holds of one passcode after the run.
type fact struct {
	id, request string
	created     int64
}

// resolve completes the histories with what the database and the mail server know at the end: which of the requests
// without an answer made a passcode, and which code each passcode has. It then has every passcode shown once more.
func (r *run) resolve() (mails map[string][]mail) {
	r.t.Helper()
	facts := r.facts()
	made := map[string]fact{}
	for _, f := range facts {
		if _, twice := made[f.request]; twice {
			r.t.Errorf("the request %s made two passcodes", f.request)
		}
		made[f.request] = f
	}
	for _, p := range r.people {
		p.complete(made)
	}
	for i, id := range r.ids(facts) {
		p := r.people[i]
		for _, id := range id {
			p.do(0, rand.New(rand.NewPCG(0, 0)), call{verb: status, passcode: id})
		}
	}
	return r.codes()
}

func (r *run) facts() (facts []fact) {
	rows, err := r.db.SQL.Query(`SELECT id, metadata, created_at FROM challenges ORDER BY id`)
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var f fact
		var metadata string
		var said struct{ Request string }
		if err := rows.Scan(&f.id, &metadata, &f.created); err != nil {
			r.t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(metadata), &said); err != nil {
			r.t.Fatal(err)
		}
		f.request = said.Request
		facts = append(facts, f)
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	return facts
}

// ids are the passcodes of each person.
func (r *run) ids(facts []fact) [][]string {
	ids := make([][]string, len(r.people))
	for _, f := range facts {
		number, _, _ := strings.Cut(f.request, ".")
		n := r.personOf("person" + number + "+").n
		ids[n] = append(ids[n], f.id)
	}
	return ids
}

// complete settles what became of the issues that were not answered, and wants to find those that were.
func (p *person) complete(made map[string]fact) {
	var kept []record
	for _, rec := range p.history {
		f, found := made[rec.call.request]
		switch {
		case rec.call.verb != issue:
			if rec.call.lost && rec.call.verb == status {
				continue // nobody saw it and it changes nothing
			}
		case rec.call.lost && !found:
			continue // it was not carried out
		case rec.call.lost:
			rec.call.passcode = f.id
			if rec.call.key == "" {
				if err := rec.happened(time.UnixMilli(f.created)); err != nil {
					p.run.t.Error(err)
				}
			}
		case rec.answer.passcode != "" && rec.answer.passcode != f.id:
			p.run.t.Errorf("%v was answered with %s, which is not in the database", rec.call, rec.answer.passcode)
		}
		kept = append(kept, rec)
	}
	p.history = kept
}

// codes are the messages of each passcode that was mailed, oldest first.
func (r *run) codes() map[string][]mail {
	code := map[string]string{}
	for _, messages := range r.sink.ByRecipient() {
		for _, m := range messages {
			id, _, _ := strings.Cut(strings.TrimPrefix(m.ID, "<"), "@")
			if before, again := code[id]; again && before != m.Code {
				r.t.Errorf("the message %s came with two codes", id)
			}
			code[id] = m.Code
		}
	}
	rows, err := r.db.SQL.Query(`SELECT challenge, id, created_at FROM deliveries ORDER BY created_at, id`)
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	mails := map[string][]mail{}
	for rows.Next() {
		var challenge, id string
		var m mail
		if err := rows.Scan(&challenge, &id, &m.created); err != nil {
			r.t.Fatal(err)
		}
		m.code = code[id]
		delete(code, id)
		mails[challenge] = append(mails[challenge], m)
	}
	if err := rows.Err(); err != nil {
		r.t.Fatal(err)
	}
	if len(code) > 0 {
		r.t.Errorf("%d messages are of no delivery", len(code))
	}
	if !r.rules.freshCodes {
		for id, all := range mails {
			mails[id] = []mail{oneCode(r, id, all)}
		}
	}
	return mails
}

// oneCode is the code that all messages of a passcode have, as far as they came.
func oneCode(r *run, id string, all []mail) mail {
	one := all[0]
	for _, m := range all[1:] {
		if one.code == "" {
			one.code = m.code
		}
		if m.code != "" && m.code != one.code {
			r.t.Errorf("the messages of %s have different codes", id)
		}
	}
	return one
}

// limits wants that nobody was granted more messages than the limits allow while no window ends.
func (r *run) limits() {
	for _, p := range r.people {
		rows := r.db.Number(r.t, `SELECT COUNT(*) FROM deliveries WHERE recipient IN ($1, $2)`, p.slot[0].to, p.slot[1].to)
		for _, q := range r.rules.sends {
			if lasting(q.window) && rows > q.count {
				r.t.Errorf("%s was granted %d messages, want at most %d", p.slot[0].to, rows, q.count)
			}
		}
	}
}

package entra_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/proof/rig"
)

// wantWithinCrash wants no more mails sent twice than the kills can have cut off from their record.
func wantWithinCrash(t *testing.T, v *verdict, n *nodes) {
	t.Helper()
	const most = workers + rig.Records
	if v.twiceByKill > most*len(n.kills) {
		t.Errorf("%d kills made %d mails be sent again, more than %d each", len(n.kills), v.twiceByKill, most)
	}
}

// wantTrueRows holds what is on disk against what the provider took.
func wantTrueRows(t *testing.T, db *rig.Database, p *provider) {
	t.Helper()
	rows := map[string]string{}
	for _, row := range db.Texts(t, `SELECT recipient || ' ' || state || ' ' || CAST(uncertain AS TEXT) FROM deliveries`) {
		to, state, _ := strings.Cut(row, " ")
		if rows[to] != "" {
			t.Errorf("%s has two deliveries", to)
		}
		rows[to] = state
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for to, who := range p.people {
		// "failed 0" says: it is proved that nothing was sent.
		state, mailed := rows[to], len(who.mails) > 0
		if state == "" || state == "failed 0" && mailed || state == "accepted 0" && !mailed || state == "accepted 1" && !mailed {
			t.Errorf("%s: the row says %q, and the provider took %d mails", to, state, len(who.mails))
		}
	}
	const again = `SELECT COUNT(*) FROM (SELECT delivery FROM attempts WHERE class = '' GROUP BY delivery HAVING COUNT(*) > 1) AS twice`
	if got := db.Number(t, again); got > 0 {
		t.Errorf("%d deliveries were sent again after an acceptance was on disk", got)
	}
}

// givenUp are the recipients for whom a server waited for the provider's answer as long as one try may take.
func givenUp(t *testing.T, db *rig.Database) map[string]bool {
	t.Helper()
	limit, err := time.ParseDuration(rig.ShortLeases["attempt_timeout"])
	if err != nil {
		t.Fatal(err)
	}
	people := map[string]bool{}
	for _, to := range db.Texts(t, `SELECT d.recipient FROM deliveries d JOIN attempts a ON a.delivery = d.id
		WHERE a.class = 'ambiguous' AND a.took >= $1`, limit.Milliseconds()) {
		people[to] = true
	}
	return people
}

// overLimit plays events to one mailbox, and wants as many sent as the limit allows, and of each other one that Entra
// is told 429 and nothing is mailed. It returns how many those are.
func (c play) overLimit(t *testing.T, p *provider, target, token string) (refused int) {
	t.Helper()
	accounts, _ := c.run(t, target, token)
	mailed := map[string]int{}
	for _, m := range p.truth(c.to).mails {
		mailed[m.code]++
	}
	for _, a := range accounts {
		switch {
		case mailed[a.Code] == 1 && (a.Outcome == "sent" || a.late()):
			delete(mailed, a.Code)
			continue
		case a.Outcome != "fallback" || mailed[a.Code] != 0:
			t.Errorf("beyond the limit: %d mails for %+v", mailed[a.Code], a)
		}
		for _, call := range a.Attempts {
			if call.Status != http.StatusTooManyRequests && call.Code != extension.TimedOut {
				t.Errorf("beyond the limit: got %+v, want status 429", a)
			}
		}
		refused++
	}
	if sent := len(accounts) - refused; sent != mailboxLimit || len(mailed) != 0 {
		t.Errorf("one mailbox got %d mails and %d that nobody asked for, want %d", sent, len(mailed), mailboxLimit)
	}
	return refused
}

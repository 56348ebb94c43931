package entra_test

import (
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

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
func wantTrueRows(t *testing.T, db *rig.Database, p *provider, v *verdict) {
	t.Helper()
	rows, twice := map[string]string{}, 0
	for _, row := range db.Texts(t, `SELECT recipient || ' ' || state || ' ' || CAST(uncertain AS TEXT) FROM deliveries`) {
		to, state, _ := strings.Cut(row, " ")
		if rows[to] != "" {
			twice++
		}
		rows[to] = state
	}
	if twice > 0 {
		t.Errorf("%d events have two deliveries", twice)
	}
	wrong := 0
	p.mu.Lock()
	defer p.mu.Unlock()
	for to, who := range p.people {
		// "failed 0" says: it is proved that nothing was sent.
		state, mailed := rows[to], len(who.mails) > 0
		accepted := strings.HasPrefix(state, "accepted ")
		if state != "" && (state != "failed 0" || !mailed) && (!accepted || mailed) {
			continue
		}
		if wrong++; wrong <= mostReports {
			t.Errorf("%s: the row says %q, and the provider took %d mails", to, state, len(who.mails))
		}
	}
	// With two acceptances, the second try began before the first was on disk, as the lease had lapsed: see slowness.
	const again = `SELECT COUNT(*) FROM (SELECT d.id FROM deliveries d JOIN attempts a ON a.delivery = d.id WHERE a.class = ''
		GROUP BY d.id, d.created_at HAVING COUNT(*) > 1 AND MAX(a.at) - d.created_at < $1) AS twice`
	if got := db.Number(t, again, duration("lease").Milliseconds()); got > 0 {
		t.Errorf("%d deliveries were sent again after an acceptance was on disk", got)
	}
	if got := db.Number(t, again, time.Duration(math.MaxInt64).Milliseconds()); rig.Full() && got > v.twiceByLapse {
		t.Errorf("%d deliveries have two acceptances, and %d were sent again as a lease had lapsed", got, v.twiceByLapse)
	}
}

// givenUp are the recipients for whom a server waited for the provider's answer as long as one try may take.
func givenUp(t *testing.T, db *rig.Database) map[string]bool {
	t.Helper()
	people := map[string]bool{}
	for _, to := range db.Texts(t, `SELECT d.recipient FROM deliveries d JOIN attempts a ON a.delivery = d.id
		WHERE a.class = 'ambiguous' AND a.took >= $1`, duration("attempt_timeout").Milliseconds()) {
		people[to] = true
	}
	return people
}

// overLimit plays events to one mailbox. It wants as many deliveries as the limit allows, and that Entra is told 429 of
// each other event and nothing is mailed. It returns how many those are.
func (c play) overLimit(t *testing.T, db *rig.Database, p *provider, target, token string) (refused int) {
	t.Helper()
	accounts := c.run(t, target, token).accounts
	mailed, late := map[string]int{}, 0
	for _, m := range p.truth(c.to).mails {
		mailed[m.code]++
	}
	for _, a := range accounts {
		limited := slices.ContainsFunc(a.Attempts, func(c call) bool { return c.Status == http.StatusTooManyRequests })
		switch {
		case limited:
			refused++
		case a.late():
			late++
		}
		if limited && (a.Outcome != "fallback" || mailed[a.Code] > 0) || a.Outcome == "sent" && mailed[a.Code] != 1 {
			t.Errorf("at the limit: %d mails for %+v", mailed[a.Code], a)
		}
	}
	made := db.Number(t, `SELECT COUNT(*) FROM deliveries WHERE recipient = $1`, c.to)
	if made != mailboxLimit || len(accounts)-refused-late > made {
		t.Errorf("of %d events to one mailbox, %d got a delivery, %d were refused and %d not answered, want %d deliveries",
			len(accounts), made, refused, late, mailboxLimit)
	}
	return refused
}

package nodes_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/otpost/otpost/proof/rig"
)

// TestManyNodesGrantWhatOneGrants asks one node and then many for far more than every limit allows, all at once, and
// wants the same number granted: what the limit says.
func TestManyNodesGrantWhatOneGrants(t *testing.T) {
	// A limit of an application that is large is kept in parts, a smaller one in one row.
	for _, quota := range []int{40, 1000} {
		for _, nodes := range []int{1, rig.Size(3, 10)} {
			if quota > 40 && nodes == 1 && !rig.Full() {
				continue // the short form has time for one of the two
			}
			t.Run(fmt.Sprintf("%d by %d nodes", quota, nodes), func(t *testing.T) {
				t.Parallel()
				got := overrun(t, nodes, quota)
				if want := (grants{application: quota, recipient: sends, guesses: guesses}); got != want {
					t.Errorf("%d nodes granted %v, want %v", nodes, got, want)
				}
				rig.Figure(t, fmt.Sprintf("nodes.granted.%d.by_%d", quota, nodes), got.String(), fmt.Sprintf("granted by %d nodes", nodes))
			})
		}
	}
}

// grants are what was granted of three limits.
type grants struct{ application, recipient, guesses int }

func (g grants) String() string {
	return fmt.Sprintf("%d to an application, %d to each recipient, %d guesses at each code", g.application, g.recipient, g.guesses)
}

// overrun asks for more than each limit allows and says what was granted.
func overrun(t *testing.T, nodes, quota int) (g grants) {
	t.Helper()
	db, mail := rig.NewPostgres(t), openMailroom(t)
	set := db.Settings().With(mail.Settings(), crowd, manyTries, rig.Settings{"limit_application": fmt.Sprintf("%d/1h", quota)})
	// PostgreSQL's connections are divided among the nodes.
	set["database"] += "&pool_max_conns=8"
	key, bulk := rig.CreateKey(t, set, "Shop"), rig.CreateKey(t, set, "Bulk")
	f := launch(t, set, nodes)
	l := &load{t: t, f: f, mail: mail, key: key}
	q := openQuotas(l)
	q.spend(4*sends, 4*guesses)

	var mu sync.Mutex
	rig.Together(32, quota+quota/10+20, func(i int) {
		r, ok := f.ask(call{path: "/v1/passcodes", body: fmt.Sprintf(`{"to":%q}`, rig.Address(i)), bearer: bulk})
		mu.Lock()
		defer mu.Unlock()
		switch {
		case ok && r.Status == 201:
			g.application++
		case ok && (r.Status != 429 || !strings.Contains(string(r.Body), `"limit_reached"`)):
			t.Errorf("issue %d: %v", i, r)
		}
	})
	if f.repeated.Load() > 0 {
		t.Errorf("%d requests got no clear answer", f.repeated.Load())
	}
	f.stop()
	g.recipient, g.guesses = q.counts(t)
	return g
}

// counts are what each asker was granted and how many wrong codes for each target were looked at, which is the same
// for all of them.
func (q *quotas) counts(t *testing.T) (recipient, looked int) {
	t.Helper()
	for to, ids := range q.granted {
		if recipient = len(ids); recipient != sends {
			t.Errorf("%s was granted %d passcodes, want %d", to, recipient, sends)
		}
	}
	for to, v := range q.victims {
		if looked = v.wrong; looked != guesses || v.unclear > 0 {
			t.Errorf("%d wrong codes for %s were looked at, want %d", looked, to, guesses)
		}
	}
	return recipient, looked
}

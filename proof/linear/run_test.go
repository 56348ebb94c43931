package linear_test

import (
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// clients is how many callers one person has, and crowd how many persons are served at the same time.
const (
	clients = 4
	crowd   = 6
)

// run is one run of a cluster under calls about many people.
type run struct {
	t       *testing.T
	name    string
	rules   rules
	db      *rig.Database
	sink    *rig.Sink
	cluster *cluster
	people  []*person
	began   time.Time
	// wanted are kinds of answers that have to come.
	wanted []string
	// made counts the calls made, so that kills come at points of the work rather than of time.
	made atomic.Int64
}

// newRun starts a cluster with a process for each clock.
func newRun(t *testing.T, name string, db *rig.Database, people int, rules rules, more rig.Settings, clocks ...time.Duration) *run {
	r := &run{t: t, name: name, rules: rules, db: db, sink: rig.StartSink(t, ""), began: time.Now()}
	for n := range people {
		r.people = append(r.people, r.newPerson(n))
	}
	r.sink.RejectWith(func(m rig.Message) error {
		if p := r.personOf(m.To); p != nil {
			p.took(m.To, m.Code)
		}
		return nil
	})
	r.sink.Answer(-1)
	set := db.Settings().With(r.sink.Settings(), rules.settings(), rig.ShortLeases, more)
	r.cluster = startCluster(t, set, clocks...)
	return r
}

// personOf finds whose address it is.
func (r *run) personOf(to string) *person {
	number, _, _ := strings.Cut(strings.TrimPrefix(to, "person"), "+")
	n, err := strconv.Atoi(number)
	if err != nil || n >= len(r.people) {
		r.t.Errorf("mail to a stranger: %s", to)
		return nil
	}
	return r.people[n]
}

// live makes the calls about all people, and carries out each of the disturbances when its share of them is made.
func (r *run) live(rounds int, disturbances ...func()) {
	done := make(chan struct{})
	total := int64(len(r.people) * clients * rounds)
	go func() {
		defer close(done)
		rig.Together(crowd, len(r.people), func(i int) { r.people[i].live(clients, rounds) })
	}()
	for i, disturb := range disturbances {
		due := total * int64(i+1) / int64(len(disturbances)+1)
		rig.Await(r.t, "work between two disturbances", func() bool { return r.made.Load() >= due || closed(done) })
		disturb()
	}
	rig.AwaitClosed(r.t, "all calls", done)
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

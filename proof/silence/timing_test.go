package silence_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// alarm is how likely the full form is to see by chance a difference where there is none, all pairs and both databases
// together. That a control is not seen, because the machine is too busy, is not among it: then the test says it is blind.
const alarm = 1e-6

// duel is two questions whose answers are timed.
type duel struct {
	name, words string
	// rule says what the times must be.
	rule rule
	// ask returns the ith questions.
	ask func(i int) (known, unknown *request)
	// makes is set when the questions make messages, which then wait behind one that the mail server does not answer.
	makes bool
	// delay is added to what the first question takes.
	delay time.Duration
}

type rule int

// oneStatement is the most that a statement more may take.
const oneStatement = 100 * time.Microsecond

const (
	// alike: the same work is done for both, so the times must not differ.
	alike rule = iota
	// once: an end user can ask both through an application. Where a known person has rows that are changed, an unknown
	// one has rows that are made, and perhaps one fewer. The first question about somebody makes them known for a day and
	// more, for its purpose, so nobody can repeat a measurement until the noise is gone. The difference must stay below
	// oneStatement.
	once
	// apart: the times differ, and the test must see it, or it would see nothing.
	apart
	// untold: the times may differ, since the answers do or nobody can ask who does not know the answer.
	untold
)

// TestKnownAndUnknownTakeTheSameTime is decided in the full form only. The short form measures too, and says what the
// figures are of a small sample.
func TestKnownAndUnknownTakeTheSameTime(t *testing.T) {
	for _, db := range []struct {
		kind string
		open func(testing.TB) *rig.Database
	}{{"sqlite", rig.NewSQLite}, {"postgres", rig.NewPostgres}} {
		t.Run(db.kind, func(t *testing.T) {
			n := rig.Size(60, 1000)
			s := setStage(t, db.open(t), n)
			duels := s.duels(n)
			s.wire = dial(t, s.p.Public)
			// Each of the tests that may not fail by chance, on both databases.
			limit := critical(alarm, 2*len(duels))
			for _, d := range duels {
				t.Run(d.name, func(t *testing.T) { s.fight(t, &d, n, limit) })
			}
			s.p.Kill()
		})
	}
}

// fight times n pairs and judges them.
func (s *stage) fight(t *testing.T, d *duel, n int, limit float64) {
	s.t = t
	if d.makes {
		s.sink.Hold()
	}
	differences := make([]float64, 0, n)
	for i := range n {
		known, unknown := d.ask(i)
		differences = append(differences, float64(s.difference(d, known, unknown)))
	}
	z, middle := signedRank(differences), time.Duration(median(differences))
	seen, words := power(differences, limit, rand.New(rand.NewPCG(3, 4))), ""
	if d.rule == once {
		seen, words = seen+oneStatement, fmt.Sprintf(", where %v are allowed", oneStatement)
	}
	rig.Figure(t, "silence.time."+d.name+"."+s.db.Kind(), fmt.Sprintf("%+.1f µs", micro(middle)),
		fmt.Sprintf("%s: median difference of %d pairs, %+.1f standard deviations; a difference of %.1f µs would have been seen%s",
			d.words, n, z, micro(seen), words))
	if rig.Full() {
		judge(t, d, differences, limit)
	}
}

// judge wants the times to be what the duel's rule says. Chance alone is not beyond the limit.
func judge(t *testing.T, d *duel, differences []float64, limit float64) {
	t.Helper()
	z, middle := signedRank(differences), time.Duration(median(differences))
	switch {
	case d.rule == alike && math.Abs(z) > limit:
		t.Errorf("%s: the times differ by %v, which is %.1f standard deviations of chance, and %.1f are allowed", d.words, middle, z, limit)
	case d.rule == once && excess(differences, oneStatement) > limit:
		t.Errorf("%s: the times differ by %v, which is more than %v by %.1f standard deviations of chance, and %.1f are allowed",
			d.words, middle, oneStatement, excess(differences, oneStatement), limit)
	case d.rule == apart && math.Abs(z) <= limit:
		t.Errorf("%s: the times differ by %v, which is only %.1f standard deviations: the test is blind", d.words, middle, z)
	}
}

// excess is by how many standard deviations the differences are larger than what is allowed, in the direction in which
// they go; negative when they are smaller.
func excess(differences []float64, allowed time.Duration) float64 {
	direction := math.Copysign(1, median(differences))
	rest := make([]float64, len(differences))
	for i, d := range differences {
		rest[i] = direction*d - float64(allowed)
	}
	return signedRank(rest)
}

func TestOnlyWhatIsMoreThanAllowedIsAnExcess(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for _, c := range []struct {
		shift  float64
		excess bool
	}{{0, false}, {30e3, false}, {-30e3, false}, {130e3, true}, {-130e3, true}} {
		d := make([]float64, 1000)
		for i := range d {
			d[i] = c.shift + 50e3*random.NormFloat64()
		}
		if got := excess(d, oneStatement); (got > 5) != c.excess {
			t.Errorf("a shift of %v is an excess of %.1f standard deviations", time.Duration(c.shift), got)
		}
	}
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// difference asks both questions of a pair in an order that a coin decides.
func (s *stage) difference(d *duel, known, unknown *request) time.Duration {
	first, second := known, unknown
	swap := rand.IntN(2) == 0
	if swap {
		first, second = unknown, known
	}
	_, one := s.wire.ask(s.t, first)
	_, other := s.wire.ask(s.t, second)
	if swap {
		one, other = other, one
	}
	return one + d.delay - other
}

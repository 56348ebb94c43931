package linear_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/otpost/otpost/proof/rig"
)

// TestGeneratedCodes lets clients share sessions of a B2C policy whose codes are handed over to them, while processes are
// killed, and looks for an order in which one call after the other could have been answered so.
func TestGeneratedCodes(t *testing.T) {
	for name, s := range map[string]struct {
		db     *rig.Database
		clocks []time.Duration
	}{"sqlite": {rig.NewSQLite(t), make([]time.Duration, 1)}, "postgres": {rig.NewPostgres(t), make([]time.Duration, 3)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := s.db.Settings().With(rig.Policies(t), rig.ShortLeases, rig.Settings{"limit_guesses": "1000/15m"})
			h := &handing{t: t, cluster: startCluster(t, set, s.clocks...), began: time.Now(), journeys: make([]*journey, rig.Size(12, 200))}
			h.live()
			h.check(name)
		})
	}
}

// handing is a run of many journeys.
type handing struct {
	t        *testing.T
	cluster  *cluster
	began    time.Time
	journeys []*journey
}

// journey is one session and its history.
type journey struct {
	key, session string

	mu      sync.Mutex
	codes   []string // that were handed over
	history []porcupine.Operation
}

// asked is a call: typed is empty where a code is asked for. told is its answer: a code, or the key of a refusal.
type asked struct {
	typed string
	lost  bool
}

type told struct{ code, refusal string }

// notTyped is a code that is never right: it has a digit that no code has.
const notTyped = "000000000000"

func (h *handing) live() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		rig.Together(crowd, len(h.journeys), func(i int) { h.journeys[i] = h.travel(i) })
	}()
	for i := range rig.Size(1, 10) {
		h.cluster.restart(i%len(h.cluster.nodes), 0)
	}
	rig.AwaitClosed(h.t, "all journeys", done)
}

// travel begins a journey and lets clients go on with it together.
func (h *handing) travel(n int) *journey {
	j := &journey{key: fmt.Sprintf("journey%d@example.test", n)}
	for tries := 0; j.session == ""; tries++ { // one whose first answer is lost is nobody's
		j.key = fmt.Sprintf("journey%d.%d@example.test", n, tries)
		j.history = nil
		h.call(j, 0, "", rand.New(rand.NewPCG(uint64(n), 0)))
	}
	rig.Together(clients, clients, func(client int) {
		random := rand.New(rand.NewPCG(uint64(n), uint64(client)+1))
		for range rounds {
			j.mu.Lock()
			typed := []string{"", notTyped, j.codes[len(j.codes)-1], j.codes[random.IntN(len(j.codes))]}[random.IntN(4)]
			j.mu.Unlock()
			h.call(j, client, typed, random)
		}
	})
	return j
}

// call makes one call and notes it.
func (h *handing) call(j *journey, client int, typed string, random *rand.Rand) {
	claims, target := map[string]string{"email": j.key}, "Generate"
	if typed != "" {
		claims["typed"], target = typed, "Verify"
	}
	if j.session != "" {
		claims["otpost_session"] = j.session
	}
	body, err := json.Marshal(claims)
	if err != nil {
		h.t.Error(err)
		return
	}
	o := porcupine.Operation{ClientId: client, Call: int64(time.Since(h.began))}
	got, err := h.cluster.any(random).send(h.cluster.key, "POST", "/b2c/B2C_1A_Proof/technicalprofiles/"+target, string(body), "")
	o.Return = int64(time.Since(h.began))
	if err == errNotSent {
		return
	}
	var a rig.PolicyAnswer
	var answer told
	switch {
	case err != nil:
		o.Return = math.MaxInt64
	case json.Unmarshal(got.Body, &a) != nil || got.Status != 200 && got.Status != 409:
		h.t.Errorf("%s of %s: %v", target, j.key, got)
	case got.Status == 200:
		answer.code = a.Made
	default:
		answer.refusal = a.Made
	}
	o.Input, o.Output = asked{typed, err != nil}, answer
	j.mu.Lock()
	defer j.mu.Unlock()
	j.history = append(j.history, o)
	if answer.code != "" {
		j.codes = append(j.codes, answer.code)
	}
	if j.session == "" {
		j.session = a.Session
	}
}

// handed is the state of a session: its newest code, empty if its answer was lost, and what became of it.
type handed struct {
	code, state string
	tries, made int
}

// next is how a call goes, from docs/b2c.md. code is the one that is drawn.
func (s handed) next(typed, code string) (handed, told) {
	switch {
	case s.state == locked:
		return s, told{refusal: "UserMessageIfMaxRetryAttempted"}
	case typed == "" && s.made >= rig.Generations:
		return s, told{refusal: "UserMessageIfMaxNumberOfCodeGenerated"}
	case typed == "":
		return handed{code, pending, 0, s.made + 1}, told{code: code}
	case s.state != pending:
		return s, told{refusal: "UserMessageIfSessionDoesNotExist"}
	}
	s.tries++
	switch {
	case typed == s.code:
		s.state = verified
		return s, told{}
	case s.tries == rig.Tries:
		s.state = locked
		return s, told{refusal: "UserMessageIfInvalidCode"}
	}
	return s, told{refusal: "UserMessageIfVerificationFailedRetryAllowed"}
}

func (h *handing) check(name string) {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{handed{}} },
		Step: func(state, in, out any) []any {
			call, answer := in.(asked), out.(told)
			next, said := state.(handed).next(call.typed, answer.code)
			switch {
			case call.lost:
				return []any{state, next}
			case said == answer:
				return []any{next}
			}
			return nil
		},
		Equal: func(a, b any) bool { return a == b },
	}
	calls, lost, violations, seen := 0, 0, 0, map[string]int{}
	for _, j := range h.journeys {
		for _, o := range j.history {
			calls++
			switch call, answer := o.Input.(asked), o.Output.(told); {
			case call.lost:
				lost++
			case call.typed != "" && answer.refusal == "":
				seen[verified]++
			default:
				seen[answer.refusal]++
			}
		}
		if got := porcupine.CheckOperationsTimeout(model.ToModel(), j.history, checkTime); got != porcupine.Ok {
			violations++
			h.t.Errorf("the history of %s is %s: %+v", j.key, verdict(got), j.history)
		}
	}
	for _, want := range []string{"", verified, "UserMessageIfMaxRetryAttempted", "UserMessageIfInvalidCode", "UserMessageIfVerificationFailedRetryAllowed",
		"UserMessageIfSessionDoesNotExist"} {
		if seen[want] == 0 {
			h.t.Errorf("no call was answered %q, so nothing is proved of it: %v", want, seen)
		}
	}
	rig.Figure(h.t, "linear.generated.operations."+name, calls, fmt.Sprintf("calls about codes that a policy hands over, to so many nodes: %d; sessions: %d; answers lost: %d",
		len(h.cluster.nodes), len(h.journeys), lost))
	rig.Figure(h.t, "linear.generated.violations."+name, violations, "histories of sessions that are not linearizable")
}

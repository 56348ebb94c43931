package linear_test

import (
	"github.com/anishathalye/porcupine"
)

// model is the sequential specification of one recipient, from docs/flow.md and docs/states.md: one call at a time,
// each at the time that its server's clock shows.
type model struct {
	rules
	mails map[string][]mail
	// sweptAhead is how far the clock of a sweeper may be ahead of a call's, in milliseconds, where one may have run.
	sweptAhead int64
}

// mail is one message of a passcode.
type mail struct {
	created int64
	code    string
}

// outcome is one way in which a call may go.
type outcome struct {
	next   *state
	answer answer
}

func (m *model) start() *state {
	return &state{sends: make([]bucket, len(m.sends)), guesses: make([]bucket, len(m.guesses))}
}

// outcomes are all ways in which a call may go. Before it, a sweeper whose clock is ahead may have ended the passcode
// that the call meets, by that clock; a sweeper whose clock is not ahead comes too late to be seen.
func (m *model) outcomes(s *state, c *call) []outcome {
	i := s.met(c)
	ways := m.unswept(s, c, i)
	if i < 0 || m.sweptAhead == 0 {
		return ways
	}
	if p := &s.passcodes[i]; p.state == pending && c.until+m.sweptAhead >= p.expiresFrom {
		ways = append(ways, m.unswept(s.with(i, func(p *passcode) { p.state = expired }), c, i)...)
	}
	return ways
}

// met is the index of the passcode that a call meets, or -1.
func (s *state) met(c *call) int {
	if c.verb == issue || c.verb == verifyTo {
		return s.newest(c.slot)
	}
	return s.find(c.passcode)
}

func (m *model) unswept(s *state, c *call, i int) []outcome {
	switch c.verb {
	case issue:
		return m.issue(s, c)
	case verify, verifyTo:
		return m.verify(s, c, i)
	case resend:
		return m.resend(s, c, i)
	case cancel:
		return m.cancel(s, c, i)
	case status:
		return m.status(s, c, i)
	}
	panic("no such verb: " + string(c.verb))
}

func refused(s *state, reason string) outcome { return outcome{s, answer{refusal: reason}} }

// step returns the states after a call that was given an answer. A call whose answer was lost may have gone any way,
// or have changed nothing.
func (m *model) step(s *state, c *call, a *answer) (next []any) {
	if c.lost {
		next = append(next, s)
	}
	for _, o := range m.outcomes(s, c) {
		if c.lost || o.answer == *a {
			next = append(next, o.next)
		}
	}
	return next
}

// checkable is the model in the checker's form.
func (m *model) checkable() porcupine.Model {
	of := func(v any) *state { return v.(*state) }
	nondeterministic := porcupine.NondeterministicModel{
		Init:  func() []any { return []any{m.start()} },
		Step:  func(s, in, out any) []any { return m.step(of(s), in.(*call), out.(*answer)) },
		Equal: func(a, b any) bool { return of(a).equal(of(b)) },
		Hash:  func(s any) uint64 { return of(s).hash() },
		DescribeOperation: func(in, out any) string {
			if in.(*call).lost {
				return in.(*call).String() + " -> no answer"
			}
			return in.(*call).String() + " -> " + out.(*answer).String()
		},
		DescribeState: func(s any) string { return of(s).String() },
	}
	return nondeterministic.ToModel()
}

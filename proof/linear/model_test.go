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

// outcomes are all ways in which a call may go. Between it and the one before, a sweeper whose clock is ahead may have
// ended passcodes that expired by that clock; a sweeper whose clock is not is only as early as the call itself.
func (m *model) outcomes(s *state, c *call) []outcome {
	ways := m.unswept(s, c)
	for i := range s.passcodes {
		p := &s.passcodes[i]
		if p.state == pending && m.sweptAhead > 0 && c.until+m.sweptAhead >= p.expiresFrom {
			ways = append(ways, m.outcomes(s.with(i, func(p *passcode) { p.state = expired }), c)...)
		}
	}
	return ways
}

func (m *model) unswept(s *state, c *call) []outcome {
	switch c.verb {
	case issue:
		return m.issue(s, c)
	case verifyTo:
		return m.verify(s, c, s.newest(c.slot))
	case verify:
		return m.verify(s, c, s.find(c.passcode))
	case resend:
		return m.resend(s, c, s.find(c.passcode))
	case cancel:
		return m.cancel(s, c, s.find(c.passcode))
	case status:
		return m.status(s, c, s.find(c.passcode))
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

package linear_test

// reasons say how a passcode that has ended answers to a code.
func reason(state string) string {
	if state == verified {
		return "used"
	}
	return state
}

// verify: an ended passcode says why; the guess is taken from the recipient's budget; the try is counted; the right code
// uses the passcode up, the last wrong one locks it and locks the recipient out.
func (m *model) verify(s *state, c *call, i int) (ways []outcome) {
	if i < 0 {
		return []outcome{refused(s, "not_found")}
	}
	p := &s.passcodes[i]
	ended := func(next *state, state string) outcome {
		return outcome{next, answer{status: state, reason: reason(state), left: m.tries - p.tries}}
	}
	if p.state != pending {
		return []outcome{ended(s, p.state)}
	}
	if p.mayBeOver(c) {
		ways = append(ways, ended(s.with(i, func(p *passcode) { p.state = expired }), expired))
	}
	if !p.mayLive(c) {
		return ways
	}
	for _, budget := range spend(s.guesses, m.guesses, c) {
		if !budget.ok {
			for _, shown := range p.shown(c) {
				ways = append(ways, outcome{s, answer{status: shown, reason: "throttled", left: m.tries - p.tries}})
			}
			continue
		}
		if m.right(p, c.code) {
			ways = append(ways, m.accepted(s, i, budget.after)...)
		} else {
			ways = append(ways, m.wrong(s, c, i, budget.after)...)
		}
	}
	return ways
}

// right reports whether a code is that of a passcode.
func (m *model) right(p *passcode, code string) bool {
	mails := m.mails[p.id]
	return p.mail < len(mails) && mails[p.mail].code != "" && mails[p.mail].code == code
}

// accepted: the guess is given back. Whether it began a window all the same is nowhere said.
func (m *model) accepted(s *state, i int, spent []bucket) (ways []outcome) {
	for _, guesses := range [][]bucket{s.guesses, refunded(spent)} {
		next := s.with(i, func(p *passcode) { p.tries, p.state = p.tries+1, verified })
		next.guesses = guesses
		ways = append(ways, outcome{next, answer{verified: true, status: verified, left: m.tries - next.passcodes[i].tries}})
	}
	return ways
}

func (m *model) wrong(s *state, c *call, i int, spent []bucket) (ways []outcome) {
	next := s.with(i, func(p *passcode) { p.tries++ })
	next.guesses = spent
	p := &next.passcodes[i]
	if p.tries < m.tries {
		for _, shown := range p.shown(c) {
			ways = append(ways, outcome{next, answer{status: shown, reason: "wrong_code", left: m.tries - p.tries}})
		}
		return ways
	}
	p.state = locked
	told := answer{status: locked, reason: "locked"}
	if m.lockout == 0 {
		return []outcome{{next, told}}
	}
	for _, out := range next.lockout.take(quota{1, m.lockout}, c) {
		locking := *next
		locking.lockout = out.after // a lock-out that holds already is not made longer
		ways = append(ways, outcome{&locking, told})
	}
	return ways
}

// cancel ends a passcode that is pending, and leaves another as it is.
func (m *model) cancel(s *state, c *call, i int) (ways []outcome) {
	if i < 0 {
		return []outcome{refused(s, "not_found")}
	}
	p := &s.passcodes[i]
	if p.state != pending {
		return m.show(s, c, i, answer{passcode: p.id})
	}
	if p.mayLive(c) {
		ways = append(ways, m.show(s.with(i, func(p *passcode) { p.state = cancelled }), c, i, answer{passcode: p.id})...)
	}
	if p.mayBeOver(c) {
		ways = append(ways, m.show(s.with(i, func(p *passcode) { p.state = expired }), c, i, answer{passcode: p.id})...)
	}
	return ways
}

// status looks and changes nothing.
func (m *model) status(s *state, c *call, i int) []outcome {
	if i < 0 {
		return []outcome{refused(s, "not_found")}
	}
	return m.show(s, c, i, answer{passcode: s.passcodes[i].id})
}

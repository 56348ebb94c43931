package linear_test

import "slices"

// issue: the idempotency key is looked for, the limits are spent, the passcode that this one replaces ends.
func (m *model) issue(s *state, c *call) (ways []outcome) {
	if c.key != "" {
		if i := slices.IndexFunc(s.passcodes, func(p passcode) bool { return p.key == c.key }); i >= 0 {
			return m.show(s, c, i, answer{passcode: s.passcodes[i].id, replayed: true})
		}
	}
	// The lock-out holds while the clock is before its end.
	if c.from < s.lockout.until {
		ways = append(ways, refused(s, "locked_out"))
	}
	for _, limits := range spend(s.sends, m.sends, c) {
		switch {
		case !limits.ok:
			ways = append(ways, refused(s, "limit_reached"))
		case c.until >= s.lockout.from:
			spent := *s
			spent.sends = limits.after
			for _, made := range m.made(&spent, c) {
				ways = append(ways, m.show(made, c, len(made.passcodes)-1, answer{passcode: c.passcode})...)
			}
		}
	}
	return ways
}

// made is the new passcode, and the end of the one whose place it takes.
func (m *model) made(s *state, c *call) (states []*state) {
	before := []*state{s}
	if i := s.newest(c.slot); i >= 0 && s.passcodes[i].state == pending {
		before = nil
		if s.passcodes[i].mayLive(c) {
			before = append(before, s.with(i, func(p *passcode) { p.state = replaced }))
		}
		if s.passcodes[i].mayBeOver(c) {
			before = append(before, s.with(i, func(p *passcode) { p.state = expired }))
		}
	}
	for _, b := range before {
		next := *b
		next.passcodes = append(b.passcodes[:len(b.passcodes):len(b.passcodes)],
			passcode{id: c.passcode, key: c.key, state: pending, slot: c.slot})
		last := len(next.passcodes) - 1
		states = append(states, m.sent(&next, c, last, c.from)...)
	}
	return states
}

// sent is the passcode after one message more, not before a time.
func (m *model) sent(s *state, c *call, i int, earliest int64) (states []*state) {
	fresh := m.freshCodes || s.passcodes[i].sends == 0
	next := s.with(i, func(p *passcode) {
		p.sends++
		if m.interval > 0 {
			p.sentFrom, p.sentUntil = max(c.from, earliest), c.until
		}
		if fresh {
			p.expiresFrom, p.expiresUntil = after(c.from, m.lifetime), after(c.until, m.lifetime)
		}
	})
	if !m.freshCodes {
		return []*state{next}
	}
	// The code is that of a message written at this time. Which one, only later answers tell when there are several.
	for n, mail := range m.mails[s.passcodes[i].id] {
		if s.passcodes[i].sent&(1<<n) == 0 && c.from <= mail.created && mail.created <= c.until {
			states = append(states, next.with(i, func(p *passcode) { p.mail, p.sent = n, p.sent|1<<n }))
		}
	}
	return states
}

// resend: under the policy's count and interval, and the same limits as an issue.
func (m *model) resend(s *state, c *call, i int) (ways []outcome) {
	if i < 0 {
		return []outcome{refused(s, "not_found")}
	}
	p := &s.passcodes[i]
	if p.state != pending || p.mayBeOver(c) {
		ways = append(ways, refused(s, "ended"))
	}
	if p.state != pending || !p.mayLive(c) {
		return ways
	}
	if p.sends > m.resends {
		return append(ways, refused(s, "no_resends_left"))
	}
	interval := m.interval.Milliseconds()
	if c.from < p.sentUntil+interval {
		ways = append(ways, refused(s, "too_soon"))
	}
	if c.until < p.sentFrom+interval {
		return ways
	}
	for _, limits := range spend(s.sends, m.sends, c) {
		if !limits.ok {
			ways = append(ways, refused(s, "limit_reached"))
			continue
		}
		spent := *s
		spent.sends = limits.after
		for _, next := range m.sent(&spent, c, i, p.sentFrom+interval) {
			ways = append(ways, m.show(next, c, i, answer{passcode: p.id})...)
		}
	}
	return ways
}

// show completes an answer that shows a passcode.
func (m *model) show(s *state, c *call, i int, a answer) (ways []outcome) {
	p := &s.passcodes[i]
	for _, shown := range p.shown(c) {
		a.status, a.left, a.more = shown, m.tries-p.tries, shown == pending && p.sends <= m.resends
		ways = append(ways, outcome{s, a})
	}
	return ways
}

package store_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/passcode"
)

// codeModel says what Engine.Generate and Engine.Verify answer, one call at a time: the state machine of generated codes, as
// simple as it can be written. It draws no codes, and is told them.
type codeModel struct {
	now time.Time
	// sessions are the challenges of a scope and key, the newest last.
	sessions map[place][]*modelCode
	// guesses and generations are what a key used of its two limits.
	guesses, generations  map[string]*window
	guessLimit, codeLimit passcode.Quota
	// far: a right code opens a window of guesses, as it does where others may be guessing at the same time.
	far bool
}

// place is where a code is found.
type place struct{ scope, key string }

type modelCode struct {
	id, code     string
	policy       passcode.Policy
	state        passcode.State
	tries, sends int
	expires      time.Time
	lockedUntil  time.Time
}

type window struct {
	used  int
	until time.Time
}

// full reports whether a limit is spent.
func (w *window) full(q passcode.Quota, now time.Time) bool {
	return w.used >= q.Count && now.Before(w.until)
}

func (w *window) take(n int, q passcode.Quota, now time.Time) {
	if !now.Before(w.until) {
		w.used, w.until = 0, now.Add(q.Window)
	}
	w.used += n
}

func of(windows map[string]*window, key string) *window {
	if windows[key] == nil {
		windows[key] = &window{}
	}
	return windows[key]
}

func (m *codeModel) newest(p place) *modelCode {
	if codes := m.sessions[p]; len(codes) > 0 {
		return codes[len(codes)-1]
	}
	return nil
}

// live ends a code whose time is over.
func (m *codeModel) live(c *modelCode) bool {
	if c.state == passcode.Pending && !m.now.Before(c.expires) {
		c.state = passcode.Expired
	}
	return c.state == passcode.Pending
}

// generate is what Generate answers. drawn is the code that the engine says it made or handed over again.
func (m *codeModel) generate(p place, policy passcode.Policy, drawn *passcode.Generated) string {
	last, generations := m.newest(p), of(m.generations, p.key)
	sends := 0
	if last != nil {
		sends = last.sends
	}
	switch {
	case last != nil && m.now.Before(last.lockedUntil):
		return fmt.Sprint("locked_out until ", stamp(last.lockedUntil))
	case sends > policy.Resends:
		return "no_resends_left"
	case generations.full(m.codeLimit, m.now):
		return fmt.Sprint("limit_reached until ", stamp(generations.until))
	}
	generations.take(1, m.codeLimit, m.now)
	if last != nil && m.live(last) && !policy.FreshCode && policy == last.policy && last.tries < policy.Tries {
		last.sends, last.expires = sends+1, m.now.Add(policy.Lifetime)
		return handed(last.code, true, last)
	}
	if last != nil && last.state == passcode.Pending {
		last.state = passcode.Replaced
	}
	next := &modelCode{id: drawn.Challenge.ID, code: drawn.Code, policy: policy, state: passcode.Pending, sends: sends + 1,
		expires: m.now.Add(policy.Lifetime)}
	m.sessions[p] = append(m.sessions[p], next)
	return handed(drawn.Code, false, next)
}

func handed(code string, reused bool, c *modelCode) string {
	return fmt.Sprintf("code %s reused %v of %s, %d tries, generation %d until %s", code, reused, c.id, c.tries, c.sends, stamp(c.expires))
}

// verify is what Verify answers for c, nil where there is none.
func (m *codeModel) verify(p place, c *modelCode, code string) string {
	if c == nil {
		return "not_found"
	}
	if !m.live(c) {
		return tried(ends[c.state], c)
	}
	guesses := of(m.guesses, p.key)
	if guesses.full(m.guessLimit, m.now) {
		return tried(passcode.Throttled, c)
	}
	c.tries++
	if code == c.code {
		c.state = passcode.Verified
		if m.far {
			guesses.take(0, m.guessLimit, m.now)
		}
		return tried("", c)
	}
	guesses.take(1, m.guessLimit, m.now)
	if c.tries < c.policy.Tries {
		return tried(passcode.WrongCode, c)
	}
	c.state = passcode.Locked
	if c.policy.Lockout > 0 {
		c.lockedUntil = m.now.Add(c.policy.Lockout)
	}
	return tried(passcode.CodeLocked, c) + ", the last one"
}

// ends are the answers to a code that is tried too late.
var ends = map[passcode.State]passcode.Reason{passcode.Verified: passcode.CodeUsed, passcode.Locked: passcode.CodeLocked,
	passcode.Expired: passcode.CodeExpired, passcode.Replaced: passcode.CodeReplaced}

func tried(reason passcode.Reason, c *modelCode) string {
	return fmt.Sprintf("verified %v %s, %d left", reason == "", reason, c.policy.Tries-c.tries)
}

// kept is what the row of c must say, with whether the code can still be read from it.
func (m *codeModel) kept(c *modelCode) string {
	m.live(c)
	readable := c.state == passcode.Pending && !c.policy.FreshCode && c.sends <= c.policy.Resends
	return fmt.Sprint(c.state, " ", c.tries, " tries, generation ", c.sends, " until ", stamp(c.expires), ", readable ", readable)
}

func stamp(t time.Time) string { return t.UTC().Format(time.TimeOnly) }

// The same answers of the engine.

func sayGenerated(made passcode.Generated, err error) string {
	if err != nil {
		return sayRefused(err)
	}
	c := made.Challenge
	return handed(made.Code, made.Reused, &modelCode{id: c.ID, tries: c.Tries, sends: c.Sends, expires: c.ExpiresAt})
}

func sayTried(v passcode.Verdict, err error) string {
	if err != nil {
		return sayRefused(err)
	}
	said := fmt.Sprintf("verified %v %s, %d left", v.Verified, v.Reason, v.TriesLeft)
	if v.Last {
		said += ", the last one"
	}
	return said
}

func sayRefused(err error) string {
	var r *passcode.Refusal
	if !errors.As(err, &r) {
		return "error " + err.Error()
	}
	if r.RetryAt.IsZero() {
		return string(r.Reason)
	}
	return fmt.Sprint(r.Reason, " until ", stamp(r.RetryAt))
}

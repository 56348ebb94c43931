package linear_test

import (
	"fmt"
	"slices"
	"strings"
)

// The states of a passcode, from docs/states.md.
const (
	pending   = "pending"
	verified  = "verified"
	locked    = "locked"
	expired   = "expired"
	cancelled = "cancelled"
	replaced  = "replaced"
)

// passcode is one passcode in the model.
type passcode struct {
	id, key, state string
	slot           slot
	tries, sends   int
	// It was last sent, and expires, at some time between two.
	sentFrom, sentUntil       int64
	expiresFrom, expiresUntil int64
	// mail is which of its messages holds its code, sent the set of those that went out. They matter only where each
	// message has a code of its own.
	mail int
	sent uint32
}

// state is all that is known of one recipient. Steps copy it.
type state struct {
	// passcodes are in the order in which they were issued: the last of a slot is its newest.
	passcodes      []passcode
	sends, guesses []bucket
	lockout        bucket
}

func (s *state) equal(other *state) bool {
	return s.lockout == other.lockout && slices.Equal(s.sends, other.sends) && slices.Equal(s.guesses, other.guesses) &&
		slices.Equal(s.passcodes, other.passcodes)
}

func (s *state) hash() uint64 {
	h := uint64(len(s.passcodes))
	mix := func(n int) { h = h*1099511628211 + uint64(n) }
	for i := range s.passcodes {
		p := &s.passcodes[i]
		mix(len(p.state))
		mix(p.tries)
		mix(p.sends)
		mix(int(p.id[len(p.id)-1]))
	}
	for _, b := range s.sends {
		mix(b.used)
	}
	for _, b := range s.guesses {
		mix(b.used)
	}
	return h
}

// with is a copy of the state in which one passcode is changed.
func (s *state) with(i int, change func(p *passcode)) *state {
	next := *s
	next.passcodes = slices.Clone(s.passcodes)
	change(&next.passcodes[i])
	return &next
}

// find returns the index of a passcode by id, or -1.
func (s *state) find(id string) int {
	return slices.IndexFunc(s.passcodes, func(p passcode) bool { return p.id == id })
}

// newest returns the index of the newest passcode of a slot, or -1.
func (s *state) newest(in slot) int {
	for i := range slices.Backward(s.passcodes) {
		if s.passcodes[i].slot == in {
			return i
		}
	}
	return -1
}

// mayLive and mayBeOver say what the clock of a call can say of a passcode's expiry.
func (p *passcode) mayLive(c *call) bool   { return c.from < p.expiresUntil }
func (p *passcode) mayBeOver(c *call) bool { return c.until >= p.expiresFrom }

// shown are the states in which a call may be shown a passcode.
func (p *passcode) shown(c *call) (states []string) {
	if p.state != pending {
		return []string{p.state}
	}
	if p.mayLive(c) {
		states = append(states, pending)
	}
	if p.mayBeOver(c) {
		states = append(states, expired)
	}
	return states
}

func (s *state) String() string {
	var parts []string
	for _, p := range s.passcodes {
		parts = append(parts, fmt.Sprintf("%s %s %s %s tries %d sends %d", short(p.id), p.slot.to, p.slot.purpose, p.state, p.tries, p.sends))
	}
	return fmt.Sprintf("%s; sends %v, guesses %v, lock-out %v", strings.Join(parts, "; "), s.sends, s.guesses, s.lockout)
}

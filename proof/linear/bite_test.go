package linear_test

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

// script writes a history by hand, one call after the other.
type script struct {
	history []record
	clock   int64
}

// add appends a call that takes 10 ms, and lets 10 ms pass.
func (s *script) add(c call, a answer) *record {
	c.from, c.until = s.clock, s.clock+10
	s.history = append(s.history, record{call: c, answer: a, began: c.from, ended: c.until})
	s.clock += 20
	return &s.history[len(s.history)-1]
}

var here = slot{"lea@example.test", "sign_in"}

func (s *script) issue(id, key string) *record {
	return s.add(call{verb: issue, slot: here, passcode: id, key: key}, answer{passcode: id, status: pending, left: 3, more: true})
}

func (s *script) wrong(id string, left int) *record {
	return s.add(call{verb: verify, passcode: id, code: "WRONG"}, answer{status: pending, reason: "wrong_code", left: left})
}

func (s *script) verified(id, code string, left int) *record {
	return s.add(call{verb: verify, passcode: id, code: code}, answer{verified: true, status: verified, left: left})
}

func (s *script) ended(id, code, state string, left int) *record {
	return s.add(call{verb: verify, passcode: id, code: code}, answer{status: state, reason: reason(state), left: left})
}

func (s *script) locked(id string) *record { return s.ended(id, "WRONG", locked, 0) }

// explains asks the checker about a script.
func explains(r rules, s *script) bool {
	m := &model{rules: r, mails: map[string][]mail{"one": {{0, "FIRST"}}, "two": {{40, "SECOND"}}}}
	return porcupine.CheckOperations(m.checkable(), operations(s.history))
}

// TestTheCheckerBites gives it histories that must not be, each beside the one that may.
func TestTheCheckerBites(t *testing.T) {
	for name, write := range corruptions() {
		t.Run(name, func(t *testing.T) {
			for _, corrupt := range []bool{false, true} {
				var s script
				rules := timeless()
				write(&s, &rules, corrupt)
				if got := explains(rules, &s); got == corrupt {
					t.Errorf("corrupt %v: linearizable %v\n%v", corrupt, got, s.history)
				}
			}
		})
	}
}

// corruptions are scripts that write what may be, or something that may not.
func corruptions() map[string]func(s *script, r *rules, corrupt bool) {
	return map[string]func(s *script, r *rules, corrupt bool){
		"a second verified": func(s *script, _ *rules, corrupt bool) {
			s.issue("one", "")
			s.verified("one", "FIRST", 2)
			again := s.ended("one", "FIRST", verified, 2)
			if corrupt {
				again.answer = s.history[1].answer
			}
		},
		"a second verified at the same time": func(s *script, _ *rules, corrupt bool) {
			s.issue("one", "")
			s.verified("one", "FIRST", 2)
			again := s.ended("one", "FIRST", verified, 2)
			again.began = s.history[1].began
			if corrupt {
				again.answer = answer{verified: true, status: verified, left: 1}
			}
		},
		"a try not counted": func(s *script, _ *rules, corrupt bool) {
			s.issue("one", "")
			s.wrong("one", 2)
			if next := s.wrong("one", 1); corrupt {
				next.answer.left = 2
			}
		},
		"one try lost to a kill, and two missing": func(s *script, _ *rules, corrupt bool) {
			s.issue("one", "")
			s.wrong("one", 0).call.lost = true
			if next := s.wrong("one", 1); corrupt {
				next.answer = answer{status: locked, reason: locked}
			}
		},
		"a try too many": func(s *script, _ *rules, corrupt bool) {
			s.issue("one", "")
			s.wrong("one", 2)
			s.wrong("one", 1)
			s.locked("one")
			if corrupt {
				s.verified("one", "FIRST", 0)
			} else {
				s.ended("one", "FIRST", locked, 0)
			}
		},
		"the code of a replaced passcode": func(s *script, _ *rules, corrupt bool) {
			s.issue("one", "")
			s.add(call{verb: status, passcode: "one"}, answer{passcode: "one", status: pending, left: 3, more: true})
			s.issue("two", "")
			if corrupt {
				s.verified("one", "FIRST", 2)
			} else {
				s.ended("one", "FIRST", replaced, 3)
			}
		},
		"the code of another passcode": func(s *script, _ *rules, corrupt bool) {
			s.issue("one", "")
			s.issue("two", "")
			if corrupt {
				s.verified("two", "FIRST", 2)
			} else {
				s.verified("two", "SECOND", 2)
			}
		},
		"a key that makes two passcodes": func(s *script, _ *rules, corrupt bool) {
			s.issue("one", "k")
			if again := s.issue("two", "k"); !corrupt {
				again.answer.passcode, again.answer.replayed = "one", true
			}
		},
		"a message beyond the limit": func(s *script, r *rules, corrupt bool) {
			r.sends = []quota{{1, timeless().lifetime}}
			s.issue("one", "")
			if next := s.issue("two", ""); !corrupt {
				next.answer = answer{refusal: "limit_reached"}
			}
		},
		"a guess beyond the budget": func(s *script, r *rules, corrupt bool) {
			r.guesses = []quota{{1, timeless().lifetime}}
			s.issue("one", "")
			s.wrong("one", 2)
			if next := s.wrong("one", 1); !corrupt {
				next.answer.reason, next.answer.left = "throttled", 2
			}
		},
		"a right code beyond the budget": func(s *script, r *rules, corrupt bool) {
			r.guesses = []quota{{1, timeless().lifetime}}
			s.issue("one", "")
			s.wrong("one", 2)
			if next := s.verified("one", "FIRST", 1); !corrupt {
				next.answer = answer{status: pending, reason: "throttled", left: 2}
			}
		},
		"a passcode for somebody locked out": func(s *script, r *rules, corrupt bool) {
			r.tries = 1
			s.issue("one", "").answer.left = 1
			s.locked("one")
			if next := s.issue("two", ""); corrupt {
				next.answer.left = 1
			} else {
				next.answer = answer{refusal: "locked_out"}
			}
		},
		"a cancelled code": func(s *script, _ *rules, corrupt bool) {
			s.issue("one", "")
			s.add(call{verb: cancel, passcode: "one"}, answer{passcode: "one", status: cancelled, left: 3})
			if corrupt {
				s.verified("one", "FIRST", 2)
			} else {
				s.ended("one", "FIRST", cancelled, 3)
			}
		},
		"a resend beyond the policy": func(s *script, r *rules, corrupt bool) {
			r.resends = 0
			s.issue("one", "").answer.more = false
			next := s.add(call{verb: resend, passcode: "one"}, answer{refusal: "no_resends_left"})
			if corrupt {
				next.answer = answer{passcode: "one", status: pending, left: 3}
			}
		},
		"a code after its expiry": func(s *script, r *rules, corrupt bool) {
			r.lifetime = timeless().lifetime / 24 / 120
			s.issue("one", "")
			s.clock += r.lifetime.Milliseconds() - 25 // while this call is under way the code expires
			s.verified("one", "FIRST", 2)
			if corrupt {
				s.history[1].call.from += 15
				s.history[1].call.until += 15
			}
		},
		"a look at what has been": func(s *script, _ *rules, corrupt bool) {
			s.issue("one", "")
			s.verified("one", "FIRST", 2)
			now := s.add(call{verb: status, passcode: "one"}, answer{passcode: "one", status: verified, left: 2})
			if corrupt {
				now.answer = answer{passcode: "one", status: pending, left: 3, more: true}
			}
		},
		"a lost cancel that both was and was not": func(s *script, _ *rules, corrupt bool) {
			s.issue("one", "")
			s.add(call{verb: cancel, passcode: "one", lost: true}, answer{})
			s.ended("one", "FIRST", cancelled, 3)
			if corrupt {
				s.verified("one", "FIRST", 2)
			}
		},
	}
}

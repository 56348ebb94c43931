package silence_test

import (
	"strings"
	"time"
)

// spin is by how much the control's first question is delayed.
const spin = 100 * time.Microsecond

// duels are the questions that are timed. Those that make messages come last: from then on the mail server is silent.
func (s *stage) duels(n int) []duel {
	// A passcode may be tried twenty times.
	tried := func(i int) visitor { return s.pending[n+i/9] }
	locked := s.locked()
	key := func(key string) *request { return s.status(nothing, "").as(key) }
	never := "otp_" + strings.Repeat("0", 43)
	token := s.token()
	return []duel{
		{name: "control.same", words: "the same question on both sides", rule: alike,
			ask: func(int) (*request, *request) { return s.status(nothing, ""), s.status(nothing, "") }},
		{name: "control.delayed", words: "the same question, one side delayed by 100 µs", rule: apart, delay: spin,
			ask: func(int) (*request, *request) { return s.status(nothing, ""), s.status(nothing, "") }},
		{name: "control.id", words: "a code tried by the id of a pending passcode, and by an id of nothing, which nobody can guess", rule: apart,
			ask: func(i int) (*request, *request) { return s.verify(tried(i).id, "000000"), s.verify(nothing, "000000") }},
		{name: "verify.returning", words: "a first wrong code of a recipient who has proved one before, and of one who never had any", rule: once,
			ask: func(i int) (*request, *request) {
				return s.verify(s.again[i].id, "000000"), s.verify(s.pending[i].id, "000000")
			}},
		{name: "verify.length", words: "a wrong code of the right length and of another", rule: alike,
			ask: func(i int) (*request, *request) { return s.verify(tried(i).id, "00000x"), s.verify(tried(i).id, "x") }},
		{name: "verify.prefix", words: "a code that is wrong in its last character, and one that is wrong in each", rule: alike,
			ask: func(i int) (*request, *request) {
				v := s.pending[n+n/3+i/9]
				return s.verify(v.id, wrongFrom(v.code, 5)), s.verify(v.id, wrongFrom(v.code, 0))
			}},
		{name: "verify.locked", words: "the right code of a locked passcode, and a wrong one", rule: alike,
			ask: func(int) (*request, *request) { return s.verify(locked.id, locked.code), s.verify(locked.id, "000000") }},
		{name: "verify.address", words: "a code tried by an address with a passcode and by one without, which are answered 200 and 404", rule: untold,
			ask: func(i int) (*request, *request) {
				return s.verifyTo(s.pending[n+n/2+i/9].to, "000000", "verify"), s.verifyTo(s.person(), "000000", "verify")
			}},
		{name: "key.prefix", words: "an API key that is wrong in its last character, and one that is wrong in each", rule: alike,
			ask: func(int) (*request, *request) { return key(s.key[:len(s.key)-2] + "00"), key(never) }},
		{name: "key.revoked", words: "an API key that was revoked, and one that never was", rule: untold,
			ask: func(int) (*request, *request) { return key(s.revoked), key(never) }},
		{name: "entra.returning", words: "Entra's event for a recipient who has proved a passcode, and for one who never had any", rule: once,
			ask: func(i int) (*request, *request) {
				return s.event(s.returning[i].to, token), s.event(s.person(), token)
			}},
		{name: "issue.returning", words: "a passcode for a recipient who has proved one before, and for one who never had any", rule: once, makes: true,
			ask: func(i int) (*request, *request) { return s.issue(s.returning[i].to), s.issue(s.person()) }},
		{name: "issue.pending", words: "a passcode for a recipient who has one pending, and for one who never had any", rule: once, makes: true,
			ask: func(i int) (*request, *request) { return s.issue(s.pending[i].to), s.issue(s.person()) }},
	}
}

// locked is a passcode that is.
func (s *stage) locked() visitor {
	v := s.visitors(s.people(1))[0]
	s.wrong(v.id, 20)
	return v
}

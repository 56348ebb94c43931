package silence_test

import "github.com/otpost/otpost/proof/rig"

// issuePairs ask for a passcode.
func issuePairs() []pair {
	const door = "issue"
	ok := [2]int{201}
	return []pair{
		{door: door, known: "a recipient who has proved a passcode", unknown: "one who never had any", status: ok,
			make: asked(func(s *scene) (*request, *request) { return s.issue(s.known()), s.issue(s.person()) })},
		{door: door, known: "a passcode is pending", unknown: "none is", status: ok,
			make: asked(func(s *scene) (*request, *request) {
				to := s.person()
				s.pending(to)
				return s.issue(to), s.issue(s.person())
			})},
		{door: door, known: "one is pending for another purpose", unknown: "none is", status: ok,
			make: asked(func(s *scene) (*request, *request) {
				to := s.person()
				s.client.Issue(to, `,"purpose":"mfa"`)
				return s.issue(to), s.issue(s.person())
			})},
		{door: door, known: "a recipient of another application", unknown: "one who never had any", status: ok,
			make: asked(func(s *scene) (*request, *request) {
				to := s.person()
				rig.NewClient(s.t, s.p, s.other).Issue(to, "")
				return s.issue(to), s.issue(s.person())
			})},
		{door: door, known: "a mailbox that is refused", unknown: "one that is taken", status: ok,
			make: asked(func(s *scene) (*request, *request) { return s.issue(s.nobody()), s.issue(s.person()) })},
		{door: door, known: "a mailbox that was refused before", unknown: "one that never was", status: ok,
			make: asked(func(s *scene) (*request, *request) {
				to := s.nobody()
				s.pending(to)
				return s.issue(to), s.issue(s.person())
			})},
		{door: door, known: "an Idempotency-Key that another application has used", unknown: "a new one", status: ok,
			make: asked(func(s *scene) (*request, *request) {
				to, used := s.person(), []string{"Idempotency-Key: order-7"}
				theirs, ours, others := s.issue(to).as(s.other), s.issue(to), s.issue(s.person())
				theirs.header, ours.header, others.header = used, used, []string{"Idempotency-Key: order-8"}
				s.wire.ask(s.t, theirs)
				return ours, others
			})},
		{door: door, known: "a recipient whose messages are used up", unknown: "one who never had any", status: [2]int{429, 201},
			differs: "The application has asked so often itself, or another of the same owner has. Whoever asks in the place " +
				"of a person learns that codes were asked for, whether or not there is such a user.",
			make: asked(func(s *scene) (*request, *request) {
				to := s.person()
				for range 5 {
					s.client.Issue(to, "")
				}
				return s.issue(to), s.issue(s.person())
			})},
		{door: door, known: "a recipient who is locked out", unknown: "one who never had any", status: [2]int{429, 201},
			differs: "The application has passed on so many wrong codes. An address nobody uses is locked out in the same way.",
			make: asked(func(s *scene) (*request, *request) {
				to := s.person()
				s.wrong(s.pending(to), 5)
				return s.issue(to), s.issue(s.person())
			})},
		{door: door + ", waiting", known: "a mailbox that is refused", unknown: "one that is taken", status: [2]int{201, 201},
			differs: "The application asks with wait_ms what the mail server said. It should not pass that on.",
			make: asked(func(s *scene) (*request, *request) {
				return s.issue(s.nobody(), `,"wait_ms":10000`), s.issue(s.person(), `,"wait_ms":10000`)
			})},
	}
}

package silence_test

// idPairs name a passcode by its id, at each door that takes one.
func idPairs() []pair {
	ok, none := [2]int{200}, [2]int{404}
	doors := []struct {
		name string
		ask  func(s *scene, id, to string) *request
	}{
		{"verify", func(s *scene, id, _ string) *request { return s.verify(id, "000000") }},
		{"resend", (*scene).resend},
		{"status", (*scene).status},
		{"cancel", (*scene).cancel},
	}
	var pairs []pair
	for _, d := range doors {
		pairs = append(pairs,
			pair{door: d.name, known: "the id of another tenant's passcode", unknown: "an id of nothing", status: none,
				make: asked(func(s *scene) (*request, *request) {
					to := s.person()
					return d.ask(s, s.strange(to), to), d.ask(s, nothing, to)
				})},
			pair{door: d.name, known: "an id of nothing", unknown: "a text that cannot be an id", status: none,
				make: asked(func(s *scene) (*request, *request) {
					return d.ask(s, nothing, s.person()), d.ask(s, "a.b", s.person())
				})},
		)
		if d.name == "verify" {
			continue
		}
		pairs = append(pairs,
			pair{door: d.name, known: "the passcode of a recipient who has proved one before", unknown: "of one who never had any", status: ok,
				make: asked(func(s *scene) (*request, *request) {
					first, second := s.known(), s.person()
					one, other := s.unsent(first, second)
					return d.ask(s, one, first), d.ask(s, other, second)
				})})
	}
	return append(pairs,
		pair{door: "resend", known: "the passcode of a mailbox that was refused", unknown: "of one that was not", status: ok,
			make: asked(func(s *scene) (*request, *request) {
				first, second := s.nobody(), s.person()
				return s.resend(s.pending(first), first), s.resend(s.pending(second), second)
			})},
		pair{door: "status", known: "the passcode of a mailbox that was refused", unknown: "of one that was not", status: [2]int{200, 200},
			differs: "The timeline tells the application that asked for the passcode what became of the message.",
			make: asked(func(s *scene) (*request, *request) {
				first, second := s.nobody(), s.person()
				return s.status(s.pending(first), first), s.status(s.pending(second), second)
			})},
		pair{door: "a method that the path does not take", known: "the id of a pending passcode", unknown: "an id of nothing", status: [2]int{405},
			make: asked(func(s *scene) (*request, *request) {
				known, unknown := s.status(s.pending(s.person()), ""), s.status(nothing, "")
				known.method, unknown.method = "PUT", "PUT"
				return known, unknown
			})},
	)
}

// unsent issues two passcodes whose messages the mail server does not answer before the test ends, since how long a
// message took is in the timeline.
func (s *scene) unsent(first, second string) (one, other string) {
	s.t.Helper()
	s.sink.Hold()
	s.t.Cleanup(func() { s.sink.Answer(-1) })
	return s.client.Issue(first, "").ID, s.client.Issue(second, "").ID
}

// keyPairs call without a key that works.
func keyPairs() []pair {
	refused := [2]int{401}
	never := "otp_0000000000000000000000000000000000000000000"
	pairs := []pair{
		{door: "every path behind a key", known: "a key that was revoked", unknown: "one that never was", status: refused,
			make: asked(func(s *scene) (*request, *request) {
				return s.status(nothing, "").as(s.revoked), s.status(nothing, "").as(never)
			})},
		{door: "every path behind a key", known: "a key that is wrong in its last character", unknown: "in each", status: refused,
			make: asked(func(s *scene) (*request, *request) {
				return s.status(nothing, "").as(s.key[:len(s.key)-2] + "00"), s.status(nothing, "").as(never)
			})},
		{door: "every path behind a key", known: "a key that never was", unknown: "a text that cannot be a key", status: refused,
			make: asked(func(s *scene) (*request, *request) {
				return s.status(nothing, "").as(never), s.status(nothing, "").as("otp")
			})},
	}
	for _, holder := range []struct{ with, key string }{{"with a key that never was", never}, {"without a key", ""}} {
		pairs = append(pairs,
			pair{door: "issue " + holder.with, known: "a recipient who has proved a passcode", unknown: "one who never had any", status: refused,
				make: asked(func(s *scene) (*request, *request) {
					return s.issue(s.known()).as(holder.key), s.issue(s.person()).as(holder.key)
				})},
			pair{door: "verify by address " + holder.with, known: "a passcode is pending", unknown: "none is", status: refused,
				make: asked(func(s *scene) (*request, *request) {
					to := s.person()
					s.pending(to)
					return s.verifyTo(to, "000000", "verify").as(holder.key), s.verifyTo(s.person(), "000000", "verify").as(holder.key)
				})})
		for _, door := range []struct {
			name string
			ask  func(s *scene, id, to string) *request
		}{
			{"verify", func(s *scene, id, _ string) *request { return s.verify(id, "000000") }},
			{"resend", (*scene).resend}, {"status", (*scene).status}, {"cancel", (*scene).cancel},
		} {
			pairs = append(pairs, pair{door: door.name + " " + holder.with, known: "the id of a pending passcode", unknown: "an id of nothing", status: refused,
				make: asked(func(s *scene) (*request, *request) {
					return door.ask(s, s.pending(s.person()), "").as(holder.key), door.ask(s, nothing, "").as(holder.key)
				})})
		}
	}
	return pairs
}

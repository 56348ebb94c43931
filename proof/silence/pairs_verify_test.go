package silence_test

// verifyPairs try a code by the passcode's id.
func verifyPairs() []pair {
	const door = "verify"
	ok := [2]int{200}
	pairs := []pair{
		{door: door, known: "a wrong code of a recipient who has proved one before", unknown: "of one who never had any", status: ok,
			make: asked(func(s *scene) (*request, *request) {
				return s.verify(s.pending(s.known()), "000000"), s.verify(s.pending(s.person()), "000000")
			})},
		{door: door, known: "a wrong code of a recipient whose mailbox was refused", unknown: "whose mailbox was not", status: ok,
			make: asked(func(s *scene) (*request, *request) {
				return s.verify(s.pending(s.nobody()), "000000"), s.verify(s.pending(s.person()), "000000")
			})},
		{door: door, known: "a code that is wrong in its last character", unknown: "one that is wrong in each", status: ok,
			make: asked(func(s *scene) (*request, *request) {
				first, second := s.person(), s.person()
				one, other := s.pending(first), s.pending(second)
				return s.verify(one, wrongFrom(s.code(first), 5)), s.verify(other, wrongFrom(s.code(second), 0))
			})},
		{door: door, known: "a wrong code of the right length", unknown: "of another length", status: ok,
			make: asked(func(s *scene) (*request, *request) {
				return s.verify(s.pending(s.person()), "00000x"), s.verify(s.pending(s.person()), "0")
			})},
		{door: door, known: "the id of a pending passcode", unknown: "an id of nothing", status: [2]int{200, 404},
			differs: "An id has 80 random bits and is known to the application that was given it.",
			make: asked(func(s *scene) (*request, *request) {
				return s.verify(s.pending(s.person()), "000000"), s.verify(nothing, "000000")
			})},
	}
	for _, end := range ends() {
		pairs = append(pairs, pair{door: door, known: "the right code of a passcode that " + end.how, unknown: "a wrong code of it", status: ok,
			make: asked(func(s *scene) (*request, *request) {
				to := s.person()
				id := end.come(s, to)
				return s.verify(id, s.code(to)), s.verify(id, "000000")
			})})
	}
	return pairs
}

// wrongFrom is a code of as many digits that is wrong from the ith on.
func wrongFrom(code string, i int) string {
	wrong := []byte(code)
	for ; i < len(wrong); i++ {
		wrong[i] = '0' + (wrong[i]-'0'+1)%10
	}
	return string(wrong)
}

// end is a way in which a passcode stops working.
type end struct {
	how  string
	come func(s *scene, to string) (id string)
}

func ends() []end {
	return []end{
		{"was used", func(s *scene, to string) string {
			id := s.pending(to)
			s.client.Verify(id, s.code(to))
			return id
		}},
		{"is locked", func(s *scene, to string) string {
			id := s.pending(to)
			s.wrong(id, 5)
			return id
		}},
		{"was cancelled", func(s *scene, to string) string {
			id := s.pending(to)
			s.wire.ask(s.t, s.cancel(id, to))
			return id
		}},
		{"was replaced", func(s *scene, to string) string {
			id := s.pending(to)
			s.client.Issue(to, "")
			return id
		}},
		{"has expired", func(s *scene, to string) string {
			id := s.pending(to)
			s.exec(`UPDATE challenges SET expires_at = created_at + 1 WHERE id = $1`, id)
			return id
		}},
		{"is pending while the recipient's guesses are used up", func(s *scene, to string) string {
			s.wrong(s.pending(to), 4)
			s.wrong(s.pending(to), 4)
			id := s.pending(to)
			s.wrong(id, 2)
			return id
		}},
	}
}

// addressPairs try a code by the recipient's address.
func addressPairs() []pair {
	const door = "verify by address"
	none := [2]int{404}
	return []pair{
		{door: door, known: "a wrong code of a recipient who has proved one before", unknown: "of one who never had any", status: [2]int{200},
			make: asked(func(s *scene) (*request, *request) {
				first, second := s.known(), s.person()
				s.pending(first)
				s.pending(second)
				return s.verifyTo(first, "000000", "verify"), s.verifyTo(second, "000000", "verify")
			})},
		{door: door, known: "a passcode of another tenant is pending", unknown: "none is", status: none,
			make: asked(func(s *scene) (*request, *request) {
				to := s.person()
				s.strange(to)
				return s.verifyTo(to, "000000", "verify"), s.verifyTo(s.person(), "000000", "verify")
			})},
		{door: door, known: "one is pending for another purpose", unknown: "none is", status: none,
			make: asked(func(s *scene) (*request, *request) {
				to := s.known()
				return s.verifyTo(to, "000000", "mfa"), s.verifyTo(s.person(), "000000", "mfa")
			})},
		{door: door, known: "a passcode is pending", unknown: "none is", status: [2]int{200, 404},
			differs: "The application knows for whom it has asked for a code. One that asks for its users only must say the same " +
				"to 404 as to a wrong code, or it tells who is a user.",
			make: asked(func(s *scene) (*request, *request) {
				to := s.person()
				s.pending(to)
				return s.verifyTo(to, "000000", "verify"), s.verifyTo(s.person(), "000000", "verify")
			})},
		{door: door, known: "a passcode was used", unknown: "there was none", status: [2]int{200, 404},
			differs: "As for one that is pending.",
			make: asked(func(s *scene) (*request, *request) {
				return s.verifyTo(s.known(), "000000", "verify"), s.verifyTo(s.person(), "000000", "verify")
			})},
	}
}

package silence_test

import (
	"fmt"
	"regexp"
)

// entraPairs send Entra's event.
func entraPairs() []pair {
	const door = "Entra's event"
	ok, refused := [2]int{200}, [2]int{401}
	return []pair{
		{door: door, known: "a recipient who has proved a passcode", unknown: "one who never had any", status: ok,
			make: asked(func(s *scene) (*request, *request) {
				return s.event(s.known(), s.token()), s.event(s.person(), s.token())
			})},
		{door: door, known: "a passcode of ours is pending", unknown: "none is", status: ok,
			make: asked(func(s *scene) (*request, *request) {
				to := s.person()
				s.pending(to)
				return s.event(to, s.token()), s.event(s.person(), s.token())
			})},
		{door: door, known: "a mailbox that is refused", unknown: "one that is taken", status: [2]int{503, 200},
			differs: "Entra asks whether the code was sent, and mails it itself if not. Only a holder of its token can ask.",
			make: asked(func(s *scene) (*request, *request) {
				return s.event(s.nobody(), s.token()), s.event(s.person(), s.token())
			})},
		{door: door, known: "a known recipient, with a token that is no good", unknown: "an unknown one", status: refused,
			make: asked(func(s *scene) (*request, *request) {
				return s.event(s.known(), "none"), s.event(s.person(), "none")
			})},
		{door: door, known: "a token that has expired", unknown: "one that nobody signed", status: refused,
			make: asked(func(s *scene) (*request, *request) {
				return s.event(s.person(), s.issuer.Expired()), s.event(s.person(), "none")
			})},
		{door: door, known: "the function's key, with a token that is no good", unknown: "a wrong one", status: refused,
			make: asked(func(s *scene) (*request, *request) {
				right, wrong := s.event(s.person(), "none"), s.event(s.person(), "none")
				wrong.header = []string{"X-Functions-Key: the function's new key"}
				return right, wrong
			})},
		{door: door, known: "the function's key, without a token", unknown: "a wrong one", status: refused,
			make: asked(func(s *scene) (*request, *request) {
				right, wrong := s.event(s.person(), ""), s.event(s.person(), "")
				wrong.header = []string{"X-Functions-Key: the function's new key"}
				return right, wrong
			})},
	}
}

// otherPairs look at what shows no passcode: the inbox where there is none, and the operations listener.
func otherPairs() []pair {
	none := [2]int{404}
	return []pair{
		{door: "the inbox, which is off", known: "a recipient with mail", unknown: "one without", status: none,
			make: asked(func(s *scene) (*request, *request) {
				return &request{method: "GET", path: "/v1/inbox?to=" + s.known()}, &request{method: "GET", path: "/v1/inbox?to=" + s.person()}
			})},
		{door: "the inbox, which is off", known: "the id of a passcode", unknown: "an id of nothing", status: none,
			make: asked(func(s *scene) (*request, *request) {
				page := []string{"Accept: text/html"}
				return &request{method: "GET", path: "/inbox/" + s.pending(s.person()), header: page},
					&request{method: "GET", path: "/inbox/" + nothing, header: page}
			})},
		{door: "the names and labels of /metrics", known: "after a known recipient", unknown: "after an unknown one", status: [2]int{200},
			make: func(s *scene) (question, question) {
				return s.after("/metrics", s.known()), s.after("/metrics", s.person())
			}},
		{door: "/readyz", known: "after a known recipient", unknown: "after an unknown one", status: [2]int{200},
			make: func(s *scene) (question, question) {
				return s.after("/readyz", s.known()), s.after("/readyz", s.person())
			}},
	}
}

// figures are the values of metrics, which count everybody together.
var figures = regexp.MustCompile(`(?m) [-+.0-9a-zA-Z]+$`)

// after asks the operations listener once a passcode was issued to somebody.
func (s *scene) after(path, to string) question {
	return func() []byte {
		s.pending(to)
		got := s.p.Shown(s.t, path)
		return fmt.Appendf(nil, "HTTP/1.1 %d\r\n%s\r\n\r\n%s", got.Status, got.Header.Get("Content-Type"),
			figures.ReplaceAll(got.Body, nil))
	}
}

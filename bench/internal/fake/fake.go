// Package fake is a passcode server for the bench's own tests: it keeps everything in memory, answers over real
// sockets, sends real mail, and is broken on request, to prove that the bench would notice.
package fake

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"sync"
	"sync/atomic"
)

// Fault is a way of being broken. It strikes on the first passcode and on every third after it.
type Fault string

// The faults.
const (
	None    Fault = ""
	Loses   Fault = "loses"    // a code is accepted and never sent
	Repeats Fault = "repeats"  // a code is sent twice
	Trusts  Fault = "trusts"   // a wrong code verifies
	Doubts  Fault = "doubts"   // the right code is called wrong
	Forgets Fault = "forgets"  // a challenge never locks
	Fails   Fault = "fails"    // issuing is answered 500
	HangsUp Fault = "hangs up" // the connection is cut in place of an answer
	Blurts  Fault = "blurts"   // issuing is answered 500 although the code is sent
)

// Server is the passcode server. Close it to have all its mail sent.
type Server struct {
	key     string
	fault   Fault
	mail    *mailer
	issued  atomic.Int64
	handler http.Handler

	mu         sync.Mutex
	challenges map[string]*challenge
}

type challenge struct {
	mu     sync.Mutex
	code   string
	left   int
	used   bool
	struck bool
}

// New makes a server that takes one API key and sends through the mail server at an address.
func New(key, mailAddr string, fault Fault) (*Server, error) {
	mail, err := newMailer(mailAddr)
	if err != nil {
		return nil, err
	}
	s := &Server{key: key, fault: fault, mail: mail, challenges: map[string]*challenge{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/passcodes", s.issue)
	mux.HandleFunc("POST /v1/passcodes/{id}/verify", s.verify)
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	s.handler = mux
	return s, nil
}

// Close sends what is left and ends the mail connection.
func (s *Server) Close() error { return s.mail.close() }

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/readyz" && r.Header.Get("Authorization") != "Bearer "+s.key {
		answer(w, 401, map[string]any{"code": "unauthorized"})
		return
	}
	s.handler.ServeHTTP(w, r)
}

func (s *Server) issue(w http.ResponseWriter, r *http.Request) {
	var asked struct{ To string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.To == "" {
		answer(w, 400, map[string]any{"code": "invalid_request"})
		return
	}
	n := s.issued.Add(1)
	struck := n%3 == 1
	if struck && s.fault == HangsUp {
		panic(http.ErrAbortHandler)
	}
	if struck && s.fault == Fails {
		answer(w, 500, map[string]any{"code": "internal"})
		return
	}
	id := fmt.Sprintf("pc_%d", n)
	c := &challenge{code: draw(), left: 5, struck: struck}
	s.mu.Lock()
	s.challenges[id] = c
	s.mu.Unlock()
	for range s.copies(struck) {
		s.mail.send(asked.To, c.code)
	}
	if struck && s.fault == Blurts {
		answer(w, 500, map[string]any{"code": "internal"})
		return
	}
	answer(w, 201, map[string]any{"id": id, "status": "pending", "attempts_left": c.left,
		"delivery": map[string]any{"state": "sending", "attempts": 0}})
}

func (s *Server) copies(struck bool) int {
	switch {
	case struck && s.fault == Loses:
		return 0
	case struck && s.fault == Repeats:
		return 2
	}
	return 1
}

func (s *Server) verify(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	c := s.challenges[r.PathValue("id")]
	s.mu.Unlock()
	var asked struct{ Code string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || c == nil {
		answer(w, 404, map[string]any{"code": "not_found"})
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if reason := s.judge(c, asked.Code); reason != "" {
		answer(w, 200, map[string]any{"verified": false, "reason": reason, "attempts_left": c.left})
		return
	}
	c.used = true
	answer(w, 200, map[string]any{"verified": true, "attempts_left": c.left})
}

func (s *Server) judge(c *challenge, code string) (reason string) {
	right := code == c.code
	switch {
	case c.used:
		return "used"
	case c.struck && s.fault == Trusts:
		return ""
	case c.left == 0 && !(c.struck && s.fault == Forgets):
		return "locked"
	case right && !(c.struck && s.fault == Doubts):
		return ""
	}
	c.left = max(0, c.left-1)
	return "wrong_code"
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func draw() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return fmt.Sprintf("%06d", n)
}

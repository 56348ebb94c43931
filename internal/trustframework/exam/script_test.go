package exam_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// script runs the lines of a case on a rig, and writes down what came of each.
//
//	# TEXT                      is written down as it is
//	policy ID                   which policy is meant from here on, with a new session
//	new session
//	locale TAG                  what the person's browser asks for
//	hint TEXT                   the journey's login_hint
//	advance DURATION            moves the clock
//	run PROFILE name=value …    with @HOST after it for another host
//	run CONTROL ACTION name=value …
//	page PROFILE                what the page shows
//	post down, post up          whether the provider of text messages and mail takes any
//	api STATUS BODY             what api.example.com answers next
//	person KEY name=value …     an account of the directory
//	secret TEXT                 what {totp} is made of
//	cancel KEY                  ends the code of a one-time-password profile that KEY is the identifier of
//	problems                    what the loader said of the policies
//	quiet                       leaves traces out from here on
//	session                     what the session holds
//
// A value with blanks stands between "". In values {code} is the code that was sent last, {wrong} another, {secret} what
// the last QR code holds, and {totp} or {totp-30s} an app's code of now or of that time.
type script struct {
	t       testing.TB
	rig     *rig
	set     *trustframework.Set
	policy  *trustframework.Policy
	session *execute.Session
	scene   execute.Scene
	// sessions counts sessions, so that each has an id of its own.
	sessions     int
	code, secret string
	quiet        bool
	out          strings.Builder
}

func newScript(t testing.TB, r *rig, set *trustframework.Set) *script {
	s := &script{t: t, rig: r, set: set}
	s.scene = execute.Scene{Tenant: "default", Application: "app_1", Host: "login.fabrikam.example", Wait: 10 * time.Second}
	return s
}

func (s *script) printf(format string, args ...any) { fmt.Fprintf(&s.out, format+"\n", args...) }

// play runs all lines.
func (s *script) play(lines string) string {
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			s.printf("%s", line)
			continue
		}
		s.printf("> %s", line)
		words := s.words(line)
		do, known := commands[words[0]]
		if !known {
			s.t.Fatalf("there is no command %s", words[0])
		}
		do(s, words[1:])
	}
	return s.out.String()
}

// words takes a line apart.
func (s *script) words(line string) []string {
	var words []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		end := strings.IndexAny(line, ` "`)
		switch {
		case end < 0:
			words, line = append(words, line), ""
		case line[end] == ' ':
			words, line = append(words, line[:end]), line[end:]
		default:
			quoted, err := strconv.QuotedPrefix(line[end:])
			if err != nil {
				s.t.Fatalf("%s: %v", line, err)
			}
			text, _ := strconv.Unquote(quoted)
			words, line = append(words, line[:end]+text), line[end+len(quoted):]
		}
	}
	return words
}

var commands = map[string]func(s *script, words []string){
	"policy":  (*script).choose,
	"new":     func(s *script, _ []string) { s.begin() },
	"locale":  func(s *script, w []string) { s.scene.Locale = w[0] },
	"hint":    func(s *script, w []string) { s.scene.OIDC = map[string]string{"loginhint": w[0]} },
	"advance": (*script).advance,
	"run":     (*script).run,
	"page":    (*script).page,
	"post":    (*script).post,
	"api":     (*script).api,
	"person":  (*script).person,
	"secret":  func(s *script, w []string) { s.secret = w[0] },
	"cancel":  (*script).cancel,
	"problems": func(s *script, _ []string) {
		for _, p := range s.set.Problems {
			s.printf("  %s %s", p.Weight, p.Error())
		}
	},
	"quiet":   func(s *script, _ []string) { s.quiet = true },
	"session": (*script).tell,
}

func (s *script) choose(words []string) {
	p, ok := s.set.Policy(words[0])
	if !ok {
		s.t.Fatalf("no policy %s: %v", words[0], s.set.Problems)
	}
	s.policy = p
	s.begin()
}

func (s *script) begin() {
	s.sessions++
	s.session = &execute.Session{ID: fmt.Sprintf("session %d", s.sessions), Policy: s.policy.ID, Began: s.rig.clock.Now()}
}

func (s *script) advance(words []string) {
	by, err := time.ParseDuration(words[0])
	if err != nil {
		s.t.Fatal(err)
	}
	s.rig.clock.advance(by)
}

// post has the provider take messages, or none.
func (s *script) post(words []string) {
	s.rig.post.Refuse(nil)
	if words[0] == "down" {
		s.rig.post.Refuse(outbox.Faultf(outbox.RejectedContent, "down", "refused as the script says"))
	}
}

func (s *script) api(words []string) {
	status, err := strconv.Atoi(words[0])
	if err != nil {
		s.t.Fatal(err)
	}
	s.rig.web.next(answer{status, words[1]})
}

func (s *script) person(words []string) {
	attributes := map[string]any{}
	for name, value := range s.pairs(words[1:]) {
		attributes[name] = value
		if value == "true" || value == "false" {
			attributes[name] = value == "true"
		}
	}
	s.rig.people[words[0]] = attributes
}

// cancel is what only a race or an operator comes to otherwise.
func (s *script) cancel(words []string) {
	_, err := s.rig.passcodes.Cancel(s.t.Context(), passcode.Ref{Tenant: s.scene.Tenant, Scope: s.session.Scope(), Purpose: passcode.Verify, Key: words[0]})
	if err != nil {
		s.t.Fatal(err)
	}
}

// request makes a request of words.
func (s *script) request(words []string) execute.Request {
	q := execute.Request{Policy: s.policy, Session: s.session, Scene: s.scene, Claims: &claim.Bag{}, Trace: &execute.Trace{}}
	var named []string
	for len(words) > 0 && !strings.Contains(words[0], "=") {
		if host, ok := strings.CutPrefix(words[0], "@"); ok {
			q.Host = host
		} else {
			named = append(named, words[0])
		}
		words = words[1:]
	}
	q.Profile = named[0]
	if len(named) == 2 {
		q.Profile, q.Control, q.Action = "", named[0], named[1]
	}
	for name, value := range s.pairs(words) {
		q.Claims.Set(name, claim.Text(value))
	}
	return q
}

// pairs are name=value, with what stands for codes put in.
func (s *script) pairs(words []string) map[string]string {
	pairs := map[string]string{}
	for _, w := range words {
		name, value, _ := strings.Cut(w, "=")
		pairs[name] = placeholder.ReplaceAllStringFunc(value, s.put)
	}
	return pairs
}

var placeholder = regexp.MustCompile(`\{(code|wrong|secret|totp([+-][0-9a-z]+)?)\}`)

func (s *script) put(name string) string {
	switch name {
	case "{code}":
		return s.code
	case "{wrong}":
		return string('0'+(s.code[0]-'0'+1)%10) + s.code[1:]
	case "{secret}":
		return s.secret
	}
	at := s.rig.clock.Now()
	if shift := strings.TrimSuffix(strings.TrimPrefix(name, "{totp"), "}"); shift != "" {
		by, err := time.ParseDuration(shift)
		if err != nil {
			s.t.Fatal(err)
		}
		at = at.Add(by)
	}
	return totp(s.t, s.secret, at)
}

// run runs, and writes down the trace, what was sent, and what came of it.
func (s *script) run(words []string) {
	q := s.request(words)
	result, err := s.rig.runner.Run(s.t.Context(), q)
	if s.quiet {
		q.Trace.Steps = nil
	}
	for _, step := range q.Trace.Steps {
		line := strings.Repeat("  ", step.Depth+1) + step.What + " " + step.ID + ": " + step.Outcome
		for _, v := range step.In {
			line += " <" + v.Name + "=" + v.Value
		}
		for _, v := range step.Out {
			line += " >" + v.Name + "=" + v.Value
		}
		s.printf("%s", s.stable(line))
	}
	s.sent()
	s.came(result.Claims, err)
}

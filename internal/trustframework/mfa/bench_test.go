package mfa_test

import (
	"crypto/rand"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/passcode/passcodetest"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/mfa"
)

// phones keep the text messages that are sent, or refuse them as told.
type phones struct{ passcodetest.Tray }

// last is the newest message.
func (p *phones) last(t *testing.T) outbox.Message {
	t.Helper()
	synctest.Wait()
	return p.Last(t)
}

func (p *phones) count() int {
	synctest.Wait()
	return len(p.All())
}

// bench is the handler on the real engines over SQLite, and a runner of the policies in testdata.
type bench struct {
	*mfa.Handler
	phones   *phones
	codes    *passcode.Engine
	apps     *authenticator.Engine
	policies *trustframework.Set
}

// inBubble runs f with a fresh bench, with time that only moves when all wait.
func inBubble(t *testing.T, f func(t *testing.T, b *bench)) {
	t.Helper()
	set := load(t)
	synctest.Test(t, func(t *testing.T) {
		b := &bench{phones: &phones{}, policies: set}
		r := passcodetest.New(t, passcodetest.Options{Sender: b.phones, Compose: say})
		b.codes = r.Engine
		b.apps = &authenticator.Engine{Store: r.DB, Ring: r.Ring, Guesses: authenticator.DefaultGuesses(), MaxDevices: authenticator.DefaultMaxDevices,
			ConfirmWithin: authenticator.DefaultConfirmWithin, Now: time.Now, Rand: rand.Reader}
		b.Handler = &mfa.Handler{Passcodes: b.codes, Authenticators: b.apps}
		f(t, b)
	})
}

// say writes all that a test may want to see of a message.
func say(c passcode.Content) (outbox.Message, error) {
	return outbox.Message{Channel: c.Channel, To: c.To, Subject: c.Application, Text: c.Locale, Code: c.Code, Passcode: c.Passcode}, nil
}

func load(t testing.TB) *trustframework.Set {
	t.Helper()
	set, err := trustframework.Load(os.DirFS("testdata"), trustframework.Options{})
	if err != nil || len(set.Problems) > 0 {
		t.Fatal(err, set.Problems)
	}
	return set
}

func policyOf(t testing.TB, set *trustframework.Set, id string) *trustframework.Policy {
	t.Helper()
	p, ok := set.Policy(id)
	if !ok {
		t.Fatalf("no policy %s", id)
	}
	return p
}

// journey is one person on the way through a policy.
type journey struct {
	b       *bench
	policy  *trustframework.Policy
	session *execute.Session
	scene   execute.Scene
	trace   execute.Trace
}

func (b *bench) journey(t testing.TB, policy, session string) *journey {
	return &journey{b: b, policy: policyOf(t, b.policies, policy), session: &execute.Session{ID: session, Policy: policy},
		scene: execute.Scene{Tenant: "default", Application: "app_1", Locale: "en", Wait: time.Second}}
}

// ask runs a request with claims: a technical profile, or a display control and its action.
func (j *journey) ask(t testing.TB, q execute.Request, claims ...string) (*claim.Bag, error) {
	t.Helper()
	r := &execute.Runner{Handlers: map[string]execute.Handler{mfa.HandlerType: j.b.Handler}, Issuer: "Contoso demo", Rand: rand.Reader, Now: time.Now}
	q.Policy, q.Session, q.Scene, q.Claims, q.Trace = j.policy, j.session, j.scene, &claim.Bag{}, &j.trace
	for i := 0; i < len(claims); i += 2 {
		q.Claims.Set(claims[i], claim.Text(claims[i+1]))
	}
	got, err := r.Run(t.Context(), q)
	return got.Claims, err
}

// run runs a technical profile.
func (j *journey) run(t testing.TB, profile string, claims ...string) error {
	t.Helper()
	_, err := j.ask(t, execute.Request{Profile: profile}, claims...)
	return err
}

// ok runs a technical profile that must do what it is asked.
func (j *journey) ok(t testing.TB, profile string, claims ...string) {
	t.Helper()
	if err := j.run(t, profile, claims...); err != nil {
		t.Errorf("%s: %v", profile, err)
	}
}

// told wants a failure with this key.
func (j *journey) told(t testing.TB, key, profile string, claims ...string) {
	t.Helper()
	wantKey(t, j.run(t, profile, claims...), key)
}

func wantKey(t testing.TB, err error, key string) {
	t.Helper()
	var f *trustframework.Failure
	if !errors.As(err, &f) || f.Key != key || f.Default == "" {
		t.Errorf("error %v, want %s", err, key)
	}
}

// wantMisuse wants an error for whoever wrote the policy.
func wantMisuse(t testing.TB, err error) *trustframework.Misuse {
	t.Helper()
	var m *trustframework.Misuse
	if !errors.As(err, &m) {
		t.Fatalf("error %v, want a misuse", err)
	}
	return m
}

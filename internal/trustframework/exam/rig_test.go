package exam_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/passcode/passcodetest"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/accounts"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/mfa"
	"github.com/otpost/otpost/internal/trustframework/otp"
	"github.com/otpost/otpost/internal/trustframework/restful"
)

// rig is what policies run on: the engines on SQLite, a clock that is moved by hand, codes that are the same each time, a
// provider that keeps what it is given, and vendors' services that take what their contracts take.
type rig struct {
	runner *execute.Runner
	clock  *clock
	post   *passcodetest.Tray
	web    *web
	people people
	// passcodes is the engine, for what no policy does.
	passcodes *passcode.Engine
}

// clock is the time of everything in a rig.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// dice are bytes that look random and are the same in each rig.
type dice struct {
	mu     sync.Mutex
	source *rand.ChaCha8
}

func newDice(seed byte) *dice { return &dice{source: rand.NewChaCha8([32]byte{seed})} }

func (d *dice) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.source.Read(p)
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{clock: &clock{now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}, post: &passcodetest.Tray{}, web: newWeb(t), people: people{}}
	on := passcodetest.New(t, passcodetest.Options{Sender: r.post, Compose: compose, Now: r.clock.Now, Rand: newDice(1)})
	r.passcodes = on.Engine
	authenticators := &authenticator.Engine{Store: on.DB, Ring: on.Ring, Window: authenticator.DefaultWindow(), MaxDevices: authenticator.DefaultMaxDevices,
		ConfirmWithin: authenticator.DefaultConfirmWithin, Now: r.clock.Now, Rand: newDice(2),
		Guesses: []authenticator.Quota{{Count: 10, Window: 15 * time.Minute}}}
	sender := func(*trustframework.Policy, *execute.Scene) passcode.Application {
		return passcode.Application{ID: "app_1", Name: "Fabrikam"}
	}
	services := restful.New(restful.Options{Keys: r.web.key, AllowPrivate: true, Roots: r.web.roots, Resolver: r.web.resolver})
	t.Cleanup(services.Close)
	r.runner = &execute.Runner{Issuer: "Fabrikam", Rand: newDice(3), Now: r.clock.Now, Handlers: map[string]execute.Handler{
		otp.OneTimePasswordHandler: &otp.OneTimePassword{Engine: r.passcodes},
		otp.SSPRHandler:            &otp.SSPR{Engine: r.passcodes, Application: sender},
		mfa.HandlerType:            &mfa.Handler{Passcodes: r.passcodes, Authenticators: authenticators, Application: sender},
		restful.Kind:               services,
		accounts.Kind:              &accounts.Handler{Directory: r.people},
	}}
	return r
}

func compose(c passcode.Content) (outbox.Message, error) {
	return outbox.Message{Channel: c.Channel, To: c.To, Subject: c.Application, Code: c.Code, Passcode: c.Passcode, Language: "en",
		Text: c.Code + " from " + c.Application + " for " + string(c.Purpose) + " in " + c.Locale}, nil
}

// people are the accounts of a directory, by what signs them in.
type people map[string]map[string]any

func (p people) Find(_ context.Context, q accounts.Question) (map[string]any, bool, error) {
	for _, by := range q.By {
		if found, ok := p[textOf(by)]; ok {
			return found, true, nil
		}
	}
	return nil, false, nil
}

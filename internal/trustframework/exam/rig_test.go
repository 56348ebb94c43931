package exam_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
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
	post   *post
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
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "otpost.db"), ring, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := &rig{clock: &clock{now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}, post: &post{}, web: newWeb(t), people: people{}}
	carrier := outbox.New(outbox.Settings{Store: db, Senders: outbox.Fixed{"post": r.post}, Now: r.clock.Now})
	carry(t, carrier)
	passcodes := &passcode.Engine{Store: db, Outbox: carrier, Ring: ring, Compose: compose, Limits: passcode.DefaultLimits(),
		Route:  func(passcode.Destination) passcode.Route { return passcode.Route{Providers: []string{"post"}} },
		Policy: func(passcode.Application, string) (passcode.Policy, bool) { return passcode.DefaultPolicy(), true },
		Now:    r.clock.Now, Rand: newDice(1)}
	r.passcodes = passcodes
	authenticators := &authenticator.Engine{Store: db, Ring: ring, Window: authenticator.DefaultWindow(), MaxDevices: authenticator.DefaultMaxDevices,
		ConfirmWithin: authenticator.DefaultConfirmWithin, Now: r.clock.Now, Rand: newDice(2),
		Guesses: []authenticator.Quota{{Count: 10, Window: 15 * time.Minute}}}
	sender := func(*trustframework.Policy, *execute.Scene) passcode.Application {
		return passcode.Application{ID: "app_1", Name: "Fabrikam"}
	}
	services := restful.New(restful.Options{Keys: r.web.key, AllowPrivate: true, Roots: r.web.roots, Resolver: r.web.resolver})
	t.Cleanup(services.Close)
	r.runner = &execute.Runner{Issuer: "Fabrikam", Rand: newDice(3), Now: r.clock.Now, Handlers: map[string]execute.Handler{
		otp.OneTimePasswordHandler: &otp.OneTimePassword{Engine: passcodes},
		otp.SSPRHandler:            &otp.SSPR{Engine: passcodes, Application: sender},
		mfa.HandlerType:            &mfa.Handler{Passcodes: passcodes, Authenticators: authenticators, Application: sender},
		restful.Kind:               services,
		accounts.Kind:              &accounts.Handler{Directory: r.people},
	}}
	return r
}

// carry runs an outbox for as long as the test.
func carry(t testing.TB, carrier *outbox.Outbox) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- carrier.Run(ctx, context.Background()) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func compose(c passcode.Content) (outbox.Message, error) {
	return outbox.Message{Channel: c.Channel, To: c.To, Subject: c.Application, Code: c.Code, Passcode: c.Passcode, Language: "en",
		Text: c.Code + " from " + c.Application + " for " + string(c.Purpose) + " in " + c.Locale}, nil
}

// post is a provider of text messages and mail that keeps what it took, until somebody reads it.
type post struct {
	mu   sync.Mutex
	took []outbox.Message
	// down makes it refuse every message.
	down bool
}

func (p *post) Send(_ context.Context, _ string, m outbox.Message) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return "", outbox.Faultf(outbox.RejectedContent, "down", "refused as the script says")
	}
	p.took = append(p.took, m)
	return "ref", nil
}

func (p *post) setDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// read empties the provider's tray.
func (p *post) read() []outbox.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	took := p.took
	p.took = nil
	return took
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

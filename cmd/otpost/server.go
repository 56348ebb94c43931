package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/front/admin"
	b2cdoor "github.com/otpost/otpost/internal/front/b2c"
	"github.com/otpost/otpost/internal/front/rest"
	"github.com/otpost/otpost/internal/front/trial"
	"github.com/otpost/otpost/internal/locale"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/registry"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// tenant is the one tenant that this release serves. Every key carries it all the same.
const tenant = "default"

// Events are few workers' work: they may wait, and a dead server of a customer holds one up for as long as an attempt may
// take.
const (
	eventWorkers  = 4
	eventCapacity = 256
)

// rememberKeys is how long a key that was revoked may still work on another node.
const rememberKeys = 5 * time.Second

// server is one process of otpost, wired: this file is the architecture. A key ring seals what the store keeps; the
// engine decides, the composer says it, the outbox carries it through the senders, and doors translate.
type server struct {
	settings *config.Config
	log      *slog.Logger
	db       *store.DB
	registry *registry.Registry
	post     *outbox.Outbox
	// events carries what happens to customers' servers, apart from the messages to people.
	events *outbox.Outbox
	engine *passcode.Engine
	// authenticators keeps TOTP devices.
	authenticators *authenticator.Engine
	keys           *access.Keys
	verifier       *extension.Verifier // nil without Entra
	metrics        *metrics
	health         *front.Health
	shell          *front.Shell
	ring           *seal.Ring
	// policies are nil without B2C policies; runner runs them.
	policies *trustframework.Set
	runner   *execute.Runner
	// demo opens what only a demonstration may: see demo.go.
	demo bool
}

// openServer opens everything that the settings name. It listens to nobody yet.
func openServer(ctx context.Context, c *config.Config, log *slog.Logger, more ...extension.TrustedIssuer) (*server, error) {
	s := &server{settings: c, log: log}
	s.metrics = newMetrics(func() int {
		if s.post == nil {
			return 0
		}
		return s.post.Held()
	})
	ring, created, err := seal.Open(c.Keys)
	if err != nil {
		return nil, err
	}
	if created {
		log.Info("made a new key ring; back it up apart from the database, which cannot be read without it", "path", c.Keys)
	}
	if s.db, err = openStore(ctx, c, ring, store.Options{ObserveGroup: s.metrics.ObserveCommitGroup,
		SuppressBounced: c.SuppressBounced}); err != nil {
		return nil, err
	}
	if err := s.wire(ctx, ring, more); err != nil {
		s.db.Close()
		return nil, err
	}
	return s, nil
}

// openComposer reads the catalogues. Templates are the registry's, which is opened after it.
func (s *server) openComposer() (*compose.Composer, error) {
	catalogues, err := locale.Open()
	if err != nil {
		return nil, err
	}
	return &compose.Composer{Catalogues: catalogues, Language: s.settings.DefaultLanguage, Subject: s.settings.FunctionSubject, Now: clock,
		House:     func() compose.House { return s.registry.Current().House() },
		Templates: func(compose.Content) []*compose.Template { return s.registry.Current().Templates() },
		Failed: func(template string, err error) {
			s.log.Error("a template failed, and the built-in wording was sent", "template", template, "error", err)
		}}, nil
}

// openRegistry reads the settings that change while the server runs.
func openRegistry(ctx context.Context, c *config.Config, db *store.DB, composer *compose.Composer, log *slog.Logger) (*registry.Registry, error) {
	settings, err := registrySettings(c, db, composer, log)
	if err != nil {
		return nil, err
	}
	return registry.Open(ctx, settings)
}

func registrySettings(c *config.Config, db *store.DB, composer *compose.Composer, log *slog.Logger) (s registry.Settings, err error) {
	policy := policyOf(c)
	if err := policy.Validate(); err != nil {
		return s, fmt.Errorf("settings of the default policy: %w", err)
	}
	given, err := givenProviders(c)
	if err != nil {
		return s, err
	}
	return registry.Settings{Store: db, Tenant: tenant, Rules: registry.Rules{Given: given, Policy: policy, Composer: composer},
		Environment: environmentOf(c, db, clock), Breakers: db.Breakers, Now: now, Log: log}, nil
}

// openStore opens the database, brings its schema up to date, and makes sure that the key ring belongs to it.
func openStore(ctx context.Context, c *config.Config, ring *seal.Ring, o store.Options) (*store.DB, error) {
	db, err := store.Open(ctx, databaseURL(c), ring, o)
	if err != nil {
		return nil, err
	}
	if _, err = db.Migrate(ctx); err == nil {
		err = db.CheckRing(ctx, ring)
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// databaseURL is the setting with its password.
func databaseURL(c *config.Config) string {
	if c.Database.Driver == config.SQLite {
		return "sqlite:" + c.Database.Source
	}
	return c.Database.Source
}

func (s *server) wire(ctx context.Context, ring *seal.Ring, more []extension.TrustedIssuer) (err error) {
	c := s.settings
	if err := s.db.Own(ctx, clock()); err != nil {
		return err
	}
	if err := s.db.FollowRing(ctx, ring); err != nil {
		return err
	}
	composer, err := s.openComposer()
	if err != nil {
		return err
	}
	if s.registry, err = openRegistry(ctx, c, s.db, composer, s.log); err != nil {
		return err
	}
	if len(s.registry.Current().Providers()) == 0 {
		s.log.Warn("no provider is set up, so nothing can be sent; set mail_url and mail_from, webhook_url, or for a trial inbox")
	}
	s.post = outbox.New(outbox.Settings{Store: s.db, Senders: s.registry, Breakers: s.db, Rates: rates{s.registry, s.db}, Workers: c.OutboxWorkers,
		Capacity: capacityOf(c), Lease: c.Lease, AttemptTimeout: c.AttemptTimeout, Now: clock, Log: s.log, Observe: s.metrics.observeAttempt})
	s.events = outbox.New(outbox.Settings{Store: s.db.Events(), Senders: s.registry, Workers: eventWorkers, Capacity: eventCapacity,
		Lease: c.Lease, AttemptTimeout: c.AttemptTimeout, Now: clock, Log: s.log})
	s.db.Publish(s.registry)
	s.registry.Replaced = func(name string) { s.post.Forgive(context.Background(), name) }
	s.engine = &passcode.Engine{Store: s.db, Outbox: s.post, Ring: ring,
		Route: func(d passcode.Destination) passcode.Route { return s.registry.Current().Route(d) },
		Policy: func(a passcode.Application, name string) (passcode.Policy, bool) {
			return s.registry.Current().Policy(a, name)
		},
		Compose: func(content passcode.Content) (outbox.Message, error) { return say(composer, content) },
		Guard:   s.registry.Guard,
		Limits:  limitsOf(c),
		Now:     now, Rand: rand.Reader, Observe: s.metrics.observeEvent}
	s.authenticators = &authenticator.Engine{Store: s.db, Ring: ring, Guesses: deviceQuotas(c.LimitGuesses),
		Window: authenticator.DefaultWindow(), MaxDevices: authenticator.DefaultMaxDevices,
		ConfirmWithin: authenticator.DefaultConfirmWithin, Now: now, Rand: rand.Reader, Observe: s.metrics.observeDevice}
	s.keys = &access.Keys{Store: s.db, Remember: rememberKeys, Now: now, NewID: outbox.NewID}
	if s.shell, err = front.NewShell(s.log, s.links()...); err != nil {
		return err
	}
	s.ring = ring
	if err := s.wirePolicies(); err != nil {
		return err
	}
	s.health = &front.Health{Log: s.log, Fresh: time.Second, Checks: []front.Check{{Name: "database", Check: s.db.Ping},
		{Name: "migrations", Check: s.db.Ready}, {Name: "keys", Check: func(ctx context.Context) error { return errors.Join(tryRing(ring), s.db.KnowsRing(ctx, ring)) }}}}
	if c.Function() && !c.EntraEnabled() && len(more) == 0 {
		s.log.Warn("a Function's mail settings are set, and nobody's events are accepted; set entra_tenant_id and entra_audience")
	}
	if c.EntraEnabled() || len(more) > 0 {
		if s.verifier, err = extension.NewVerifier(trustOf(c, more, s.log)); err != nil {
			return fmt.Errorf("settings of Entra: %w", err)
		}
		s.health.Checks = append(s.health.Checks, front.Check{Name: "token_keys",
			Check: func(context.Context) error { return s.verifier.Ready() }})
	}
	return nil
}

// tryRing seals and opens something: without a key ring that works nothing can be kept or sent.
func tryRing(ring *seal.Ring) error {
	sealed, err := ring.Seal([]byte("ready"), "readiness")
	if err == nil {
		_, err = ring.Open(sealed, "readiness")
	}
	return err
}

// now is the clock, in the whole milliseconds that the store keeps.
func now() time.Time { return clock().UTC().Truncate(time.Millisecond) }

func say(composer *compose.Composer, c passcode.Content) (outbox.Message, error) {
	return composer.Compose(compose.Content{Channel: c.Channel, To: c.To, Code: c.Code, Application: c.Application,
		ApplicationID: c.ApplicationID, Domain: c.Domain, Purpose: string(c.Purpose), Locale: c.Locale, Lifetime: c.Lifetime, Passcode: c.Passcode})
}

// openAPI is the contract of all doors that speak JSON of ours.
func openAPI() ([]byte, error) { return rest.Join(admin.OpenAPI(), trial.OpenAPI(), b2cdoor.OpenAPI()) }

// Close ends what openServer opened; nothing may be running any more.
func (s *server) Close() {
	if err := s.registry.Close(); err != nil {
		s.log.Warn("close providers", "error", err)
	}
	if err := s.db.Close(); err != nil {
		s.log.Error("close database", "error", err)
	}
}

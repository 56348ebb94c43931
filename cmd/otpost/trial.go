package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/otpost/otpost/internal/doctor"
	"github.com/otpost/otpost/internal/front/trial"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/registry"
)

// trialPatience bounds how long a caller who waited for a message waits for what is found about its provider.
const trialPatience = 10 * time.Second

// trialDoor sends messages through one provider alone.
func (s *server) trialDoor() *trial.Handler {
	return &trial.Handler{Relay: s.engine.Relay, Attempts: s.db.Attempts, Channels: s.channelsOf, Code: s.worthlessCode, Advise: s.advise,
		Findings: s.findings, Access: s.keys, Tenant: tenant, Log: s.log, Now: now}
}

func (s *server) channelsOf(name string) ([]outbox.Channel, bool) {
	kind, ok := s.registry.Current().Providers()[name]
	return kind.Channels, ok
}

// worthlessCode draws a code in the form of the default policy's.
func (s *server) worthlessCode() (string, time.Duration, error) {
	policy, _ := s.registry.Current().Policy(passcode.Application{}, registry.DefaultPolicy)
	code, err := policy.Draw(rand.Reader)
	return code, policy.Lifetime, err
}

func (s *server) advise(name string, a outbox.Attempt) string {
	return doctor.Advice(s.registry.Current().Providers()[name].Name, a.Class, a.Code)
}

// findings looks at a provider's account and the way to it.
func (s *server) findings(ctx context.Context, name string) []provider.Finding {
	d := doctor.Doctor{PublicURL: s.settings.PublicURL != nil, Patience: trialPatience, Now: clock}
	for _, p := range s.registry.Current().ListProviders() {
		d.Providers = append(d.Providers, patientOf(s.registry, p, time.Time{}))
	}
	return d.ExamineAccount(ctx, name)
}

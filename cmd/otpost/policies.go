package main

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/config"
	b2cdoor "github.com/otpost/otpost/internal/front/b2c"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/qr"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/accounts"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/restful"
)

// wirePolicies opens what B2C policies need, if there are any. What keeps it from that is a setting that is wrong.
func (s *server) wirePolicies() (err error) {
	if s.settings.B2CPolicies == "" {
		return nil
	}
	if s.policies, err = openPolicies(s.settings, s.log); err == nil {
		s.runner, err = s.policyRunner()
	}
	if err != nil {
		return &exitError{exitUsage, err}
	}
	return nil
}

// openPolicies reads the B2C policies that the settings name, and says in the log what of them cannot be used.
func openPolicies(c *config.Config, log *slog.Logger) (*trustframework.Set, error) {
	info, err := os.Stat(c.B2CPolicies)
	switch {
	case err != nil:
		return nil, fmt.Errorf("setting b2c_policies: %w", err)
	case !info.IsDir():
		return nil, fmt.Errorf("setting b2c_policies: %s is a file; name the folder that holds the policy files", c.B2CPolicies)
	}
	set, err := trustframework.Load(os.DirFS(c.B2CPolicies), trustframework.Options{Settings: c.B2CSettings.Map()})
	if err != nil {
		return nil, fmt.Errorf("setting b2c_policies: %w", err)
	}
	logPolicies(set, c.B2CPolicies, log)
	return set, nil
}

// policyFindings says whether policies and their keys can be read.
func policyFindings(c *config.Config) []provider.Finding {
	set, err := openPolicies(c, slog.New(slog.DiscardHandler))
	if err != nil {
		return found("folder", provider.Bad, sentence(err), "Let b2c_policies name the folder with the policy files, readable to this user.")
	}
	if _, err := policyKeys(c.B2CKeys); err != nil {
		return found("keys", provider.Bad, sentence(err), "Keep each policy key in a file of its own that nobody else can read.")
	}
	refused := 0
	for _, p := range set.Problems {
		if p.Weight == trustframework.Refused {
			refused++
		}
	}
	if refused > 0 || len(set.Policies) == 0 {
		return found("folder", provider.Doubtful, fmt.Sprintf("%d policies can be called, and %d files or policies are refused.", len(set.Policies), refused),
			"Run otpost policy check "+c.B2CPolicies+", which says why.")
	}
	return found("folder", provider.Good, fmt.Sprintf("%d policies can be called.", len(set.Policies)), "")
}

// logPolicies names the first few problems; there can be thousands, and a command lists them.
func logPolicies(set *trustframework.Set, folder string, log *slog.Logger) {
	const most = 5
	count := 0
	for _, p := range set.Problems {
		if p.Weight == trustframework.Odd {
			continue
		}
		if count++; count <= most {
			log.Warn("policy file", "at", p.At.String(), "weight", p.Weight.String(), "problem", p.Reason)
		}
	}
	if count > most {
		log.Warn("more problems with policy files; see otpost policy check", "folder", folder, "count", count)
	}
	if len(set.Policies) == 0 {
		log.Warn("there is no policy that can be called; name the folder with the policy files (*.xml) in b2c_policies", "folder", folder)
	}
	log.Info("policies are read", "folder", folder, "policies", len(set.Policies), "problems", count)
}

// policyRunner runs policies with all kinds of technical profiles that there are.
func (s *server) policyRunner() (*execute.Runner, error) {
	c := s.settings
	keys, err := policyKeys(c.B2CKeys)
	if err != nil {
		return nil, err
	}
	parts := policyParts{passcodes: s.engine, authenticators: s.authenticators, window: windowOf(c.B2CTOTPWindow),
		services: restful.Options{Keys: keys, AllowPrivate: c.B2CAllowPrivate, AllowHTTP: c.B2CAllowPrivate}}
	if !c.B2CAccounts.IsZero() {
		service, err := accounts.NewService(c.B2CAccounts.Reveal().String(), c.B2CAccountsKey.Reveal())
		if err != nil {
			return nil, fmt.Errorf("setting b2c_accounts: %w", err)
		}
		parts.directory = service
	}
	return &execute.Runner{Issuer: c.B2CIssuer, Keys: keys, Rand: rand.Reader, Now: now, Handlers: parts.handlers()}, nil
}

// appStep is the time step of authenticator apps (RFC 6238 §5.2), which know no other from the URIs of B2C policies.
const appStep = 30 * time.Second

// windowOf is how late a code may be, in whole steps. A clock may be fast by one of them.
func windowOf(late time.Duration) authenticator.Window {
	return authenticator.Window{Back: int(late / appStep), Forward: 1}
}

// callerOf is on whose behalf a policy's messages are sent.
func callerOf(_ *trustframework.Policy, scene *execute.Scene) passcode.Application {
	return passcode.Application{ID: scene.Application, Name: scene.ApplicationName, Domain: scene.Domain}
}

// policyDoor is nil where no policies are set.
func (s *server) policyDoor() *b2cdoor.Handler {
	if s.policies == nil {
		return nil
	}
	c := s.settings
	var host string
	if c.PublicURL != nil {
		host = c.PublicURL.Host
	}
	return &b2cdoor.Handler{Host: host, Runner: s.runner, Policies: s.policies, Seal: s.ring, Access: s.keys, Log: s.log, Now: clock,
		NewID: rand.Text, ByIdentifier: c.B2CState == config.B2CIdentifier, Page: policyPagesAllowed(c), Shell: s.shell, QR: qr.Draw,
		Visitor: b2cdoor.Visitor{Tenant: tenant, Application: "b2c_page", Name: "otpost"},
		Secure:  c.PublicURL != nil && c.PublicURL.Scheme == "https"}
}

func policyPagesAllowed(c *config.Config) bool {
	return c.B2CPage && c.B2CPolicies != "" && !c.Production
}

package main

import (
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/front/entra"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// This file says settings in the words of the rooms, and what the rooms report in the words of the metrics.

func policyOf(c *config.Config) passcode.Policy {
	return passcode.Policy{Alphabet: c.CodeAlphabet, Length: c.CodeLength, Lifetime: c.CodeLifetime, Tries: c.CodeTries,
		Resends: c.Resends, ResendInterval: c.ResendInterval, FreshCode: c.FreshCodeOnResend, Lockout: c.Lockout}
}

func limitsOf(c *config.Config) passcode.Limits {
	return passcode.Limits{Identifier: quotas(c.LimitIdentifier), Address: quotas(c.LimitAddress),
		Network: quotas(c.LimitNetwork), Application: quotas(c.LimitApplication), Guesses: quotas(c.LimitGuesses),
		Generations: quotas(c.LimitGenerations)}
}

func quotas(limits config.Limits) []passcode.Quota {
	list := make([]passcode.Quota, len(limits))
	for i, l := range limits {
		list[i] = passcode.Quota{Count: l.Count, Window: l.Window}
	}
	return list
}

// deviceQuotas are the guesses at a user's authenticators: as many as at a recipient's passcodes, counted apart.
func deviceQuotas(limits config.Limits) []authenticator.Quota {
	list := make([]authenticator.Quota, len(limits))
	for i, l := range limits {
		list[i] = authenticator.Quota{Count: l.Count, Window: l.Window}
	}
	return list
}

// capacityOf is how many deliveries this process holds: none when it only answers requests.
func capacityOf(c *config.Config) int {
	if c.Only == config.Web {
		return outbox.CarryNothing
	}
	return c.OutboxCapacity
}

// guid finds the tenant in the name of an Entra issuer, which always holds it.
var guid = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// trustOf says whose tokens open Entra's door. more are issuers of this process's own, as in the demo.
func trustOf(c *config.Config, more []extension.TrustedIssuer, log *slog.Logger) extension.Trust {
	t := extension.Trust{Parties: []string{c.EntraAuthorizedParty}, Issuers: more, AllowLoopback: true, Log: log}
	if c.EntraTenantID != "" {
		t.Issuers = append(t.Issuers, extension.Issuers(c.EntraTenantID, c.EntraSubdomain)...)
		t.Tenants = append(t.Tenants, c.EntraTenantID)
	}
	for _, i := range c.EntraIssuers {
		t.Issuers = append(t.Issuers, extension.TrustedIssuer{Issuer: i.Issuer, Metadata: i.Metadata,
			Tenant: guid.FindString(i.Issuer), Lazy: true})
	}
	for _, i := range t.Issuers {
		if i.Tenant != "" && !slices.Contains(t.Tenants, i.Tenant) {
			t.Tenants = append(t.Tenants, i.Tenant)
		}
	}
	var hosts []string
	if c.PublicURL != nil {
		hosts = append(hosts, c.PublicURL.Host)
	}
	for _, audience := range c.EntraAudience {
		if strings.Contains(audience, ":") {
			t.Audiences = append(t.Audiences, audience)
			continue
		}
		t.Audiences = append(t.Audiences, extension.Audiences(audience, hosts...)...)
	}
	return t
}

func (m *metrics) observeEvent(e passcode.Event) {
	switch e.Kind {
	case passcode.EventIssued, passcode.EventResent, passcode.EventRelayed, passcode.EventGenerated:
		m.ObserveIssued(string(e.Channel), string(e.Purpose))
	case passcode.EventVerified, passcode.EventTried:
		m.ObserveVerification(string(e.Reason))
	case passcode.EventRefused:
		m.ObserveRefusal(string(e.Reason))
	}
}

func (m *metrics) observeDevice(e authenticator.Event) {
	switch e.Kind {
	case authenticator.EventVerified, authenticator.EventTried:
		m.ObserveVerification(string(e.Reason))
	case authenticator.EventRefused:
		m.ObserveRefusal(string(e.Reason))
	default:
		m.devices.WithLabelValues(string(e.Kind)).Inc()
	}
}

func (m *metrics) observeAttempt(d outbox.Delivery, a outbox.Attempt) {
	m.ObserveAttempt(a.Provider, string(a.Class), a.Took)
	if d.State.Final() {
		m.ObserveDelivery(string(d.State))
	}
}

// observeEntra counts an answer by its problem's code, or by what was known when 200 was said.
func (m *metrics) observeEntra(o entra.Observation) {
	answer := o.Code
	if answer == "" {
		answer = string(o.Verdict)
	}
	m.ObserveEntraCall(answer)
}

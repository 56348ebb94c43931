package main

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strconv"
	"time"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/registry"
	"github.com/otpost/otpost/internal/store"
)

// The names under which the settings' providers appear in routes, logs and attempts.
const (
	environmentName = "environment"
	webhookName     = "webhook"
	inboxName       = "inbox"
)

// givenProviders are the providers that the deploy-time settings name: a mail server, a webhook, and the built-in inbox
// for the channels that have nothing else.
func givenProviders(c *config.Config) (given []registry.Given, err error) {
	taken := map[outbox.Channel]bool{}
	add := func(name, kind string, settings map[string]string, channels ...outbox.Channel) {
		g := registry.Given{Name: name, Kind: kind, Settings: settings}
		for _, channel := range channels {
			if !taken[channel] {
				taken[channel] = true
				g.Channels = append(g.Channels, channel)
			}
		}
		given = append(given, g)
	}
	if mail := c.MailURL.Reveal(); mail != nil {
		values, err := provider.ParseMailURL(mail.String())
		if err != nil {
			return nil, fmt.Errorf("setting mail_url: %w", err)
		}
		values["from"] = c.MailFrom.Address
		if c.MailFrom.Name != "" {
			values["from_name"] = c.MailFrom.Name
		}
		if values["connections"] == "" { // a worker without a connection would only wait for one
			values["connections"] = strconv.Itoa(c.OutboxWorkers)
		}
		add(environmentName, "smtp", values, outbox.Email)
	}
	if c.Function() {
		kind, values := functionProvider(c)
		add(environmentName, kind, values, outbox.Email)
	}
	if hook := c.WebhookURL.Reveal(); hook != nil {
		values := map[string]string{"url": hook.String(), "secrets": c.WebhookSecret.Reveal()}
		if c.WebhookAllowPrivate {
			values["allow_private"] = "true"
		}
		add(webhookName, "webhook", values, outbox.Email, outbox.SMS)
	}
	if inboxAllowed(c) {
		add(inboxName, "inbox", map[string]string{}, outbox.Email, outbox.SMS)
	}
	return given, nil
}

// senderOf is the sender of the provider that the settings name, empty when there is none.
func senderOf(c *config.Config) string {
	for _, a := range []mail.Address{c.MailFrom, c.FunctionSender} {
		switch {
		case a.Address == "":
		case a.Name == "":
			return a.Address
		default:
			return a.String()
		}
	}
	return ""
}

func inboxAllowed(c *config.Config) bool {
	return c.Inbox == config.InboxForce || c.Inbox == config.InboxOn && !c.Production
}

// environmentOf is what senders are opened with.
func environmentOf(c *config.Config, db *store.DB, now func() time.Time) provider.Environment {
	env := provider.Environment{Now: now}
	if inboxAllowed(c) {
		env.Inbox = inbox{db, now}
	}
	return env
}

// inbox lets the store be what the inbox provider keeps messages in.
type inbox struct {
	db  *store.DB
	now func() time.Time
}

func (i inbox) Keep(ctx context.Context, id string, m outbox.Message) error {
	return i.db.Keep(ctx, id, m, i.now())
}

// rates holds providers to the rates that documents set, over all nodes.
type rates struct {
	registry *registry.Registry
	db       *store.DB
}

func (r rates) Take(ctx context.Context, name string, now time.Time) (ok bool, at time.Time, err error) {
	rate := r.registry.Current().Rate(name)
	if rate == nil {
		return true, at, nil
	}
	err = r.db.Spend(ctx, now, passcode.SharedSpend("provider", tenant, name, rate.Messages, time.Duration(rate.Per), 1))
	var spent *passcode.Exhausted
	if errors.As(err, &spent) {
		return false, spent.RetryAt, nil
	}
	return err == nil, at, err
}

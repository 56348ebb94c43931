package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/store"
)

// senders are the providers that the settings name, and the order in which each channel tries them.
type senders struct {
	byName map[string]outbox.Sender
	routes map[outbox.Channel][]string
}

// The names under which the settings' providers appear in routes, logs and attempts.
const (
	environmentName = "environment"
	webhookName     = "webhook"
	inboxName       = "inbox"
)

// openSenders opens what the settings name: a mail server, a webhook, and the built-in inbox for the channels that
// have nothing else.
func openSenders(c *config.Config, db *store.DB, now func() time.Time) (*senders, error) {
	s := &senders{byName: map[string]outbox.Sender{}, routes: map[outbox.Channel][]string{}}
	var err error
	if mail := c.MailURL.Reveal(); mail != nil {
		values, parseErr := provider.ParseMailURL(mail.String())
		if parseErr != nil {
			return nil, fmt.Errorf("setting mail_url: %w", parseErr)
		}
		values["from"] = c.MailFrom.Address
		if c.MailFrom.Name != "" {
			values["from_name"] = c.MailFrom.Name
		}
		if values["connections"] == "" { // a worker without a connection would only wait for one
			values["connections"] = strconv.Itoa(c.OutboxWorkers)
		}
		err = s.open(environmentName, "smtp", values, provider.Environment{Now: now}, outbox.Email)
	}
	if hook := c.WebhookURL.Reveal(); err == nil && hook != nil {
		values := map[string]string{"url": hook.String(), "secrets": c.WebhookSecret.Reveal()}
		if c.WebhookAllowPrivate {
			values["allow_private"] = "true"
		}
		err = s.open(webhookName, "webhook", values, provider.Environment{Now: now}, outbox.Email, outbox.SMS)
	}
	if err == nil && (c.Inbox == config.InboxForce || c.Inbox == config.InboxOn && !c.Production) {
		env := provider.Environment{Inbox: inbox{db, now}, Now: now}
		err = s.open(inboxName, "inbox", map[string]string{}, env, outbox.Email, outbox.SMS)
	}
	return s, err
}

// open adds one provider to each of the channels that has none yet.
func (s *senders) open(name, kindName string, values map[string]string, env provider.Environment, channels ...outbox.Channel) error {
	kind, err := provider.Find(kindName)
	if err != nil {
		return err
	}
	settings, err := kind.Parse(values)
	if err != nil {
		return err
	}
	sender, err := kind.Open(settings, env)
	if err != nil {
		return err
	}
	s.byName[name] = sender
	for _, channel := range channels {
		if len(s.routes[channel]) == 0 {
			s.routes[channel] = []string{name}
		}
	}
	return nil
}

// route is what the engine asks for each message.
func (s *senders) route(channel outbox.Channel) []string { return s.routes[channel] }

func (s *senders) has(name string) bool { _, ok := s.byName[name]; return ok }

// Close ends kept connections.
func (s *senders) Close() error {
	var errs []error
	for _, sender := range s.byName {
		if closer, ok := sender.(io.Closer); ok {
			errs = append(errs, closer.Close())
		}
	}
	return errors.Join(errs...)
}

// inbox lets the store be what the inbox provider keeps messages in.
type inbox struct {
	db  *store.DB
	now func() time.Time
}

func (i inbox) Keep(ctx context.Context, id string, m outbox.Message) error {
	return i.db.Keep(ctx, id, m, i.now())
}

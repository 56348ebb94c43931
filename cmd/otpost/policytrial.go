package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// policyTrial is one try of a policy.
type policyTrial struct {
	// Request has the policy, what of it is run, and the claims.
	Request execute.Request
	// Session is a folder that keeps the journey; empty is one that is removed.
	Session string
	// Keys is a folder with the policy keys, empty without.
	Keys string
	// Send has services called and messages sent.
	Send bool
	// mute answers in place of services without Send.
	mute mute
}

// tryPolicy runs one profile or action on an engine of its own, or with Send on that of the settings.
func tryPolicy(ctx context.Context, c *config.Config, t *policyTrial, log *slog.Logger) (*policyTried, error) {
	folder, err := trialFolder(t.Session)
	if err != nil {
		return nil, err
	}
	if t.Session == "" {
		defer os.RemoveAll(folder)
	}
	if !t.Send {
		alone(c, folder)
	}
	c.B2CPolicies = "" // the command has read its own
	if t.Keys != "" {
		c.B2CKeys = t.Keys
	}
	if _, err := policyKeys(c.B2CKeys); err != nil {
		return nil, &exitError{exitUsage, err}
	}
	s, err := openServer(ctx, c, log)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if t.Request.Session, err = openSession(t.Session, t.Request.Policy.Name()); err != nil {
		return nil, err
	}
	tried, err := s.try(ctx, t)
	return tried, errors.Join(err, saveSession(t.Session, t.Request.Session))
}

// trialFolder makes the folder of a trial, for its owner alone.
func trialFolder(session string) (string, error) {
	folder, err := session, error(nil)
	if session == "" {
		folder, err = os.MkdirTemp("", "otpost-policy-")
	} else {
		err = os.MkdirAll(session, 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	return folder, nil
}

// alone has settings of which nothing leaves a folder.
func alone(c *config.Config, folder string) {
	c.Inbox = config.InboxOn
	c.Database = config.Database{Driver: config.SQLite, Source: filepath.Join(folder, "otpost.db")}
	c.Keys = filepath.Join(folder, "otpost.keys")
}

// try runs the request while messages are carried.
func (s *server) try(ctx context.Context, t *policyTrial) (*policyTried, error) {
	runner, err := s.policyRunner()
	if err != nil {
		return nil, err
	}
	if err := t.handlers(s.settings, runner.Handlers); err != nil {
		return nil, err
	}
	q := t.Request
	q.Trace = &execute.Trace{}
	began := clock()
	var result execute.Result
	var failed error
	if err := s.carrying(ctx, func() { result, failed = runner.Run(ctx, q) }); err != nil {
		return nil, err
	}
	tried, err := triedOf(q, result, failed)
	if err != nil {
		return nil, err
	}
	tried.Requests = t.mute.asked
	if !t.Send {
		tried.Messages, err = s.messagesSince(ctx, began)
	}
	return tried, err
}

// carrying does something while messages are carried. A message that is on its way then is finished.
func (s *server) carrying(ctx context.Context, do func()) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	hard, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	defer cutOff()
	carried := make(chan error, 1)
	go func() { carried <- s.post.Run(work, hard) }()
	do()
	stop()
	defer time.AfterFunc(s.settings.ShutdownTimeout, cutOff).Stop()
	if err := <-carried; err != nil {
		return fmt.Errorf("give deliveries back: %w", err)
	}
	return nil
}

// messagesSince are those that the inbox got.
func (s *server) messagesSince(ctx context.Context, began time.Time) ([]triedMessage, error) {
	const most = 20
	kept, err := s.db.Kept(ctx, "", "", most)
	var messages []triedMessage
	for _, k := range kept {
		if k.ReceivedAt.Before(began.Truncate(time.Millisecond)) {
			continue
		}
		messages = append(messages, triedMessage{Channel: string(k.Message.Channel), To: k.Message.To, Subject: k.Message.Subject, Text: k.Message.Text})
	}
	return messages, err
}

package provider

import (
	"context"
	"errors"

	"github.com/otpost/otpost/internal/outbox"
)

type inboxSettings struct{}

func inbox() Kind {
	return Kind{
		Name:     "inbox",
		Channels: []outbox.Channel{outbox.Email, outbox.SMS},
		Doc:      "Keeps messages in otpost itself and shows them, for demonstrations and development.",
		Settings: inboxSettings{},
		Open:     opener(openInbox),
	}
}

func openInbox(_ inboxSettings, env Environment) (outbox.Sender, error) {
	if env.Inbox == nil {
		return nil, errors.New("provider inbox: it shows live codes to whoever can read it and is not allowed here; " +
			"use another kind")
	}
	return inboxSender{env.Inbox}, nil
}

type inboxSender struct{ inbox Inbox }

// Send keeps the message. Its own id is the reference. A message that could not be kept was not sent, since
// keeping it is one transaction, unless ctx ended meanwhile.
func (s inboxSender) Send(ctx context.Context, id string, m outbox.Message) (string, error) {
	err := s.inbox.Keep(ctx, id, m)
	switch {
	case err == nil:
		return id, nil
	case ctx.Err() != nil: // nobody knows how far it came
		return "", &outbox.Fault{Class: outbox.Ambiguous, Detail: "keeping the message was broken off", Err: ctx.Err()}
	}
	return "", &outbox.Fault{Class: outbox.Transient, Detail: "the inbox could not keep the message", Err: err}
}

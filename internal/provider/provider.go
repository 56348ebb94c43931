// Package provider holds the senders: one file for each company or protocol that can carry a passcode, and the list
// of them.
//
// A kind of provider is a value. To add one, write a file that returns its Kind and add a word to Kinds; the
// command line, the console's form and the reference are derived from the list.
package provider

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/suggest"
)

// Kind is one way to send messages, before anybody gave it settings.
type Kind struct {
	// Name is what configuration calls it.
	Name string
	// Channels are what its senders can carry.
	Channels []outbox.Channel
	// Doc is one sentence for a person choosing a provider.
	Doc string
	// Settings is the zero value of the kind's settings struct; Fields reads its tags.
	Settings any
	// Open makes a sender. settings is what Parse or ParseJSON returned. A sender that holds connections is an
	// io.Closer. Nothing is dialled here, so a provider that is down does not stop a start.
	Open func(settings any, env Environment) (outbox.Sender, error)
	// Receipts makes the reader of the vendor's delivery reports; nil for a kind that has none. It returns nil when the
	// settings do not say how reports are to be believed.
	Receipts func(settings any, env Environment) (Receipts, error)
}

// Environment is what a sender may need from the process around it. Its zero value works for every kind but inbox.
type Environment struct {
	// Inbox keeps the messages of the inbox kind; nil where that kind is not allowed.
	Inbox Inbox
	// Now is the clock written into messages and signatures, nil for time.Now. Network timeouts are real time.
	Now func() time.Time
	// Resolver looks up host names, nil for the system's.
	Resolver *net.Resolver
	// Files reads a file that a setting names. It is nil where settings come over the network: whoever may change them
	// must not be able to read files through them.
	Files func(name string) ([]byte, error)
}

func (e Environment) clock() func() time.Time {
	if e.Now != nil {
		return e.Now
	}
	return time.Now
}

// Inbox keeps messages where a person can read them. The store implements it.
type Inbox interface {
	// Keep stores m under id. Keeping a second message under the same id does nothing and is not an error.
	Keep(ctx context.Context, id string, m outbox.Message) error
}

// Kinds lists every kind in alphabetical order.
func Kinds() []Kind {
	return []Kind{
		azureEmail(),
		azureSMS(),
		brevo(),
		inbox(),
		infobip(),
		mailgun(),
		mailjet(),
		mandrill(),
		microsoft365(),
		postmark(),
		resend(),
		sendgrid(),
		ses(),
		smtp(),
		sns(),
		sparkpost(),
		twilio(),
		vonage(),
		webhook(),
	}
}

// Find returns the kind of that name, or an error that suggests one.
func Find(name string) (Kind, error) {
	var names []string
	for _, k := range Kinds() {
		if k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return Kind{}, fmt.Errorf("unknown provider kind %q%s", name, suggest.For(name, names))
}

// opener turns a function of a kind's own settings type into Kind.Open.
func opener[S any](open func(S, Environment) (outbox.Sender, error)) func(any, Environment) (outbox.Sender, error) {
	return func(settings any, env Environment) (outbox.Sender, error) {
		s, ok := settings.(S)
		if !ok {
			return nil, fmt.Errorf("open provider: settings are a %T, want a %T", settings, s)
		}
		return open(s, env)
	}
}

// reader does for Kind.Receipts what opener does for Kind.Open.
func reader[S any](read func(S, Environment) (Receipts, error)) func(any, Environment) (Receipts, error) {
	return func(settings any, env Environment) (Receipts, error) {
		s, ok := settings.(S)
		if !ok {
			return nil, fmt.Errorf("read receipts: settings are a %T, want a %T", settings, s)
		}
		return read(s, env)
	}
}

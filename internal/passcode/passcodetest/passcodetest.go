// Package passcodetest runs the passcode engine over SQLite, for tests.
package passcodetest

import (
	"context"
	"crypto/rand"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
)

// Options say what an engine has around it.
type Options struct {
	// Sender takes all messages, as the provider mail.
	Sender outbox.Sender
	// Compose writes messages. Without it a message has the code as its text, and the application's name as its subject.
	Compose func(passcode.Content) (outbox.Message, error)
	// Now and Rand are the true ones if they are nil.
	Now  func() time.Time
	Rand io.Reader
}

// Rig is an engine with the default policy and limits, and what it works on.
type Rig struct {
	*passcode.Engine
	DB   *store.DB
	Ring *seal.Ring
	// Path is the database's file.
	Path string
}

// New starts an engine on a database of its own. Messages are carried until the test ends; in the bubble of a synctest
// that is the bubble's.
func New(t testing.TB, o Options) *Rig {
	t.Helper()
	if o.Compose == nil {
		o.Compose = compose
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	r := &Rig{Ring: ring, Path: filepath.Join(t.TempDir(), "otpost.db")}
	if r.DB, err = store.Open(t.Context(), "sqlite:"+r.Path, ring, store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.DB.Close() })
	if _, err := r.DB.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	post := outbox.New(outbox.Settings{Store: r.DB, Senders: outbox.Fixed{"mail": o.Sender}, Now: o.Now})
	r.Engine = &passcode.Engine{Store: r.DB, Outbox: post, Ring: ring, Compose: o.Compose, Limits: passcode.DefaultLimits(), Now: o.Now, Rand: o.Rand,
		Route:  func(passcode.Destination) passcode.Route { return passcode.Route{Providers: []string{"mail"}} },
		Policy: func(passcode.Application, string) (passcode.Policy, bool) { return passcode.DefaultPolicy(), true }}
	carry(t, post)
	return r
}

func compose(c passcode.Content) (outbox.Message, error) {
	return outbox.Message{Channel: c.Channel, To: c.To, Subject: c.Application, Text: c.Code, Code: c.Code, Language: "en", Passcode: c.Passcode}, nil
}

// carry runs an outbox for as long as the test.
func carry(t testing.TB, post *outbox.Outbox) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- post.Run(ctx, context.Background()) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("outbox: %v", err)
		}
	})
}

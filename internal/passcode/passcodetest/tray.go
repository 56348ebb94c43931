package passcodetest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
)

// Tray is a provider that keeps the messages that it is given, or refuses them as told.
type Tray struct {
	mu       sync.Mutex
	messages []outbox.Message
	refusal  error
}

// Send implements outbox.Sender.
func (y *Tray) Send(_ context.Context, _ string, m outbox.Message) (string, error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.refusal != nil {
		return "", y.refusal
	}
	y.messages = append(y.messages, m)
	return "ref", nil
}

// Refuse has all messages refused from here on, or none with nil.
func (y *Tray) Refuse(err error) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.refusal = err
}

// All are the messages in the tray.
func (y *Tray) All() []outbox.Message {
	y.mu.Lock()
	defer y.mu.Unlock()
	return slices.Clone(y.messages)
}

// Last is the newest message. There must be one.
func (y *Tray) Last(t testing.TB) outbox.Message {
	t.Helper()
	all := y.All()
	if len(all) == 0 {
		t.Fatal("nothing was sent")
	}
	return all[len(all)-1]
}

// Take empties the tray.
func (y *Tray) Take() []outbox.Message {
	y.mu.Lock()
	defer y.mu.Unlock()
	took := y.messages
	y.messages = nil
	return took
}

package nodes_test

import (
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/proof/rig"
)

// mailroom notes when each message came to the mail server.
type mailroom struct {
	*rig.Sink
	mu      sync.Mutex
	arrived map[string][]mail
	// first are closed when the first message to a person arrives.
	first map[string]chan struct{}
}

type mail struct {
	rig.Message
	at time.Time
}

func openMailroom(t testing.TB) *mailroom {
	t.Helper()
	m := &mailroom{Sink: rig.StartSink(t, ""), arrived: map[string][]mail{}, first: map[string]chan struct{}{}}
	m.RejectWith(func(message rig.Message) error {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.arrived[message.To] = append(m.arrived[message.To], mail{message, time.Now()}); len(m.arrived[message.To]) == 1 {
			close(m.firstOf(message.To))
		}
		return nil
	})
	m.Answer(-1)
	return m
}

// firstOf is called with mu held.
func (m *mailroom) firstOf(to string) chan struct{} {
	c, ok := m.first[to]
	if !ok {
		c = make(chan struct{})
		m.first[to] = c
	}
	return c
}

// to are the messages that a person has got.
func (m *mailroom) to(to string) []mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]mail(nil), m.arrived[to]...)
}

// await waits for the first message to a person.
func (m *mailroom) await(to string) (first mail, ok bool) {
	m.mu.Lock()
	c := m.firstOf(to)
	m.mu.Unlock()
	limit := time.NewTimer(rig.Patience)
	defer limit.Stop()
	select {
	case <-c:
		return m.to(to)[0], true
	case <-limit.C:
		return first, false
	}
}

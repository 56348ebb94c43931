package registry

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

// senders are the providers that are open. One whose settings did not change stays open, with its connections.
type senders struct {
	mu     sync.RWMutex
	byName map[string]*openSender
}

type openSender struct {
	sender   outbox.Sender
	receipts provider.Receipts
	identity string
}

// closeAfter is how long a sender that was replaced may finish what it is sending.
const closeAfter = time.Minute

// try opens what is new in a snapshot and closes it again, so that settings which cannot be opened are refused before they
// are stored.
func (s *senders) try(snapshot *Snapshot, env provider.Environment) error {
	var invalid Invalid
	for _, name := range slices.Sorted(maps.Keys(snapshot.providers)) {
		p := snapshot.providers[name]
		if s.has(name, p.identity) {
			continue
		}
		opened, err := openProvider(p, env)
		if err != nil {
			invalid.add(ProviderKind, name, settingError(p.kind, err))
			continue
		}
		opened.close()
	}
	return invalid.orNil()
}

func openProvider(p *compiledProvider, env provider.Environment) (*openSender, error) {
	if p.given { // by whoever starts this process, and so may read its files
		env.Files = os.ReadFile
	}
	sender, err := p.kind.Open(p.settings, env)
	if err != nil {
		return nil, err
	}
	o := &openSender{sender: sender, identity: p.identity}
	if p.kind.Receipts != nil {
		if o.receipts, err = p.kind.Receipts(p.settings, env); err != nil {
			o.close()
			return nil, err
		}
	}
	return o, nil
}

func (s *senders) has(name, identity string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, ok := s.byName[name]
	return ok && o.identity == identity
}

// open brings the open senders in line with a snapshot, and names those that took the place of another. On an error
// nothing has changed.
func (s *senders) open(snapshot *Snapshot, env provider.Environment) (replaced []string, err error) {
	next := make(map[string]*openSender, len(snapshot.providers))
	var opened []*openSender
	s.mu.RLock()
	before := s.byName
	s.mu.RUnlock()
	for name, p := range snapshot.providers {
		if o, ok := before[name]; ok && o.identity == p.identity {
			next[name] = o
			continue
		}
		o, err := openProvider(p, env)
		if err != nil {
			for _, o := range opened {
				o.close()
			}
			return nil, fmt.Errorf("provider %s: %w", name, err)
		}
		opened = append(opened, o)
		next[name] = o
	}
	s.mu.Lock()
	s.byName = next
	s.mu.Unlock()
	for name, o := range before {
		if next[name] != o {
			time.AfterFunc(closeAfter, func() { _ = o.close() })
			replaced = append(replaced, name)
		}
	}
	return replaced, nil
}

func (o *openSender) close() error {
	if c, ok := o.sender.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

func (s *senders) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, o := range s.byName {
		errs = append(errs, o.close())
	}
	s.byName = nil
	return errors.Join(errs...)
}

// Sender finds an open provider.
func (r *Registry) Sender(name string) (outbox.Sender, bool) {
	r.senders.mu.RLock()
	defer r.senders.mu.RUnlock()
	o, ok := r.senders.byName[name]
	if !ok {
		return nil, false
	}
	return o.sender, true
}

// Receipts finds the reader of a provider's delivery reports. ok is false when there is no such provider or none that
// reads reports with its settings.
func (r *Registry) Receipts(name string) (reader provider.Receipts, ok bool) {
	r.senders.mu.RLock()
	defer r.senders.mu.RUnlock()
	o, found := r.senders.byName[name]
	if !found || o.receipts == nil {
		return nil, false
	}
	return o.receipts, true
}

// Rate is what a provider may be given, nil when nothing bounds it.
func (s *Snapshot) Rate(name string) *Rate {
	if p, ok := s.providers[name]; ok {
		return p.rate
	}
	return nil
}

// Providers lists the names and kinds of all providers, the given ones too.
func (s *Snapshot) Providers() map[string]provider.Kind {
	all := make(map[string]provider.Kind, len(s.providers))
	for name, p := range s.providers {
		all[name] = p.kind
	}
	return all
}

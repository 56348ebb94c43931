package outbox

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// A breaker keeps messages from a provider that is down, on all nodes: it opens after breakAfter failures in a row, and
// then one message in breakFor is let through to see whether it is up again. It says in which order providers are
// tried; a provider that is the last one left is tried in any case.
const (
	breakAfter = 5
	breakFor   = 20 * time.Second
	// breakLongest bounds how long a provider's own Retry-After keeps it out.
	breakLongest = 15 * time.Minute
	// sooner is by how much a time to leave a provider alone is to grow, to be worth a transaction.
	sooner = time.Second
)

// BreakerStore shares breakers between nodes. Each method is one transaction.
type BreakerStore interface {
	// Breakers reads until when each provider is to be left alone.
	Breakers(ctx context.Context) (map[string]time.Time, error)
	// OpenBreaker leaves a provider alone until then.
	OpenBreaker(ctx context.Context, provider string, until time.Time) error
	// ProbeBreaker takes the right to try a provider whose time is over, and leaves it alone for all others until then. It
	// reports false when somebody else has it.
	ProbeBreaker(ctx context.Context, provider string, now, until time.Time) (bool, error)
	// CloseBreaker forgets a provider's breaker.
	CloseBreaker(ctx context.Context, provider string) error
}

// breakers are what this node knows of providers that are down.
type breakers struct {
	store BreakerStore // nil keeps what is known to this process
	log   *slog.Logger

	mu sync.Mutex
	// failures counts those in a row; open is until when a provider is left alone, and opened since when, where this
	// process found it.
	failures     map[string]int
	open, opened map[string]time.Time
}

// admits reports whether a provider should be tried now. It may ask the store, when a provider's time is over.
func (b *breakers) admits(ctx context.Context, provider string, now time.Time) bool {
	b.mu.Lock()
	until, down := b.open[provider]
	b.mu.Unlock()
	switch {
	case !down:
		return true
	case now.Before(until):
		return false
	}
	next := now.Add(breakFor)
	won := true
	if b.store != nil {
		var err error
		if won, err = b.store.ProbeBreaker(ctx, provider, now, next); err != nil {
			b.log.ErrorContext(ctx, "probe provider", "provider", provider, "error", err)
			return true
		}
	}
	b.mu.Lock()
	if b.open[provider].Equal(until) {
		b.open[provider] = next
	} else {
		won = false // another worker of this process was quicker
	}
	b.mu.Unlock()
	return won
}

// spares reports whether one of these providers is not known to be down.
func (b *breakers) spares(providers []string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(providers, func(p string) bool { return !now.Before(b.open[p]) })
}

// learn takes the outcome of an attempt into account; fault is nil when the provider took the message. A provider that
// refuses a message for what it is has answered as well as one that takes it. What began before a provider was left alone
// is no sign that it is well again: after its first 429, a provider still answers what it has.
func (b *breakers) learn(ctx context.Context, provider string, fault *Fault, began, now time.Time) {
	well := fault == nil || !classes[fault.Class].breaks
	b.mu.Lock()
	known, down := b.open[provider]
	var until time.Time
	switch {
	case well && down && b.opened[provider].After(began):
		b.mu.Unlock()
		return
	case well:
		b.forget(provider)
	default:
		b.failures[provider]++
		until = b.breaks(provider, fault, down, now)
		if until.Before(known.Add(sooner)) {
			until = time.Time{} // what is known says as much, and is shared
			break
		}
		b.open[provider] = until
		if !down {
			b.opened[provider] = now
		}
	}
	b.mu.Unlock()
	switch {
	case well && down:
		b.log.InfoContext(ctx, "provider is up again", "provider", provider)
		b.save(ctx, provider, time.Time{})
	case !until.IsZero():
		if !down {
			b.log.WarnContext(ctx, "provider is down and left alone for a while", "provider", provider, "class", string(fault.Class),
				"until", until)
		}
		b.save(ctx, provider, until)
	}
}

// forget is called with the lock held.
func (b *breakers) forget(provider string) {
	delete(b.failures, provider)
	delete(b.open, provider)
	delete(b.opened, provider)
}

// Forgive forgets that a provider was down, on all nodes: somebody has changed its settings.
func (o *Outbox) Forgive(ctx context.Context, provider string) {
	o.down.mu.Lock()
	o.down.forget(provider)
	o.down.mu.Unlock()
	o.down.save(ctx, provider, time.Time{})
}

// breaks says until when a provider is left alone after a failure, zero for not at all.
func (b *breakers) breaks(provider string, fault *Fault, down bool, now time.Time) time.Time {
	if fault.RetryAfter > 0 {
		return now.Add(min(fault.RetryAfter, breakLongest))
	}
	if down || b.failures[provider] >= breakAfter {
		return now.Add(breakFor)
	}
	return time.Time{}
}

func (b *breakers) save(ctx context.Context, provider string, until time.Time) {
	if b.store == nil {
		return
	}
	ctx = context.WithoutCancel(ctx)
	var err error
	if until.IsZero() {
		err = b.store.CloseBreaker(ctx, provider)
	} else {
		err = b.store.OpenBreaker(ctx, provider, until)
	}
	if err != nil {
		b.log.ErrorContext(ctx, "share that a provider is down", "provider", provider, "error", err)
	}
}

// refresh takes over what other nodes have found.
func (b *breakers) refresh(ctx context.Context) {
	if b.store == nil {
		return
	}
	open, err := b.store.Breakers(ctx)
	if err != nil {
		return // the store's own troubles are told elsewhere
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open = open
	maps.DeleteFunc(b.opened, func(provider string, _ time.Time) bool { return open[provider].IsZero() })
	for provider := range b.failures {
		if _, down := open[provider]; !down && b.failures[provider] >= breakAfter {
			delete(b.failures, provider) // another node saw it up
		}
	}
}

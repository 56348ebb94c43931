package extension

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Load loads the keys of every issuer that is not lazy, side by side. Issuers that fail are in the error; whether that
// matters is for Ready to say.
func (v *Verifier) Load(ctx context.Context) error {
	errs := make([]error, len(v.sets))
	var all sync.WaitGroup
	for i, set := range v.sets {
		if set.lazy && set.current.Load() == nil {
			continue
		}
		all.Go(func() { errs[i] = set.fetch(ctx, 0) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("load token keys: %w", err)
	}
	return nil
}

// Ready says why the door cannot judge tokens yet, nil when it can: for every tenant the keys of at least one of its
// issuers are loaded. (A tenant's issuers are alternatives: an external tenant has no use for the workforce host.)
func (v *Verifier) Ready() error {
	for _, tenant := range v.trust.Tenants {
		waiting := false
		ready := false
		for _, is := range v.issuers {
			if is.tenant != "" && is.tenant != tenant {
				continue
			}
			if is.keys.current.Load() != nil {
				ready = true
			} else if !is.keys.lazy {
				waiting = true
			}
		}
		if waiting && !ready {
			return fmt.Errorf("the token keys of tenant %s are not loaded", tenant)
		}
	}
	return nil
}

// Run loads the keys and keeps them fresh until ctx ends: hourly, and while Ready says no after 1, 2, 4 … 60 seconds.
func (v *Verifier) Run(ctx context.Context) {
	const shortest, longest = time.Second, time.Minute
	backoff := shortest
	for {
		err := v.Load(ctx)
		wait := v.trust.Refresh
		if v.Ready() != nil {
			wait = min(backoff, wait)
			backoff = min(2*backoff, longest)
		} else {
			backoff = shortest
		}
		if err != nil && ctx.Err() == nil {
			v.trust.Log.WarnContext(ctx, "cannot load the keys of every token issuer", "error", err, "retry_in", wait)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

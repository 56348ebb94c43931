package passcode

import (
	"context"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// Issued is what Issue and Resend return.
type Issued struct {
	Challenge Challenge
	Delivery  outbox.Delivery
	// Replayed is true when an idempotency key returned an earlier request's challenge.
	Replayed bool
}

// Relayed is what Relay returns.
type Relayed struct {
	Delivery outbox.Delivery
	Outcome  outbox.Outcome
	// Joined is true when the request was a repeat of one already on its way.
	Joined bool
}

// Verbs is the engine as a door sees it.
type Verbs interface {
	// Issue sends a new passcode, and waits at most wait for a provider to take it.
	Issue(ctx context.Context, r Request, wait time.Duration) (Issued, error)
	// Resend sends the passcode again under the policy's limits. The try budget stays. ip is the end user's.
	Resend(ctx context.Context, ref Ref, ip string, wait time.Duration) (Issued, error)
	// Verify tries a code. A wrong, late or locked one is a Verdict, not an error.
	Verify(ctx context.Context, ref Ref, code string) (Verdict, error)
	// Cancel ends a pending challenge; cancelling an ended one changes nothing.
	Cancel(ctx context.Context, ref Ref) (Challenge, error)
	// Status returns a challenge and what became of its messages.
	Status(ctx context.Context, ref Ref) (Timeline, error)
	// Relay sends a code that the caller made.
	Relay(ctx context.Context, r Relay) (Relayed, error)
}

package authenticator

import (
	"context"
	"io"
	"time"
)

// Verbs is the engine as a door sees it.
type Verbs interface {
	// Enrol makes a device that is confirmed by its first code.
	Enrol(ctx context.Context, r Request) (Enrolment, error)
	// Confirm tries the first code of the pending device t.ID. A wrong one is a Verdict, not an error.
	Confirm(ctx context.Context, t Try) (Verdict, error)
	// Verify tries a code against all of a user's confirmed devices. A wrong one is a Verdict, not an error.
	Verify(ctx context.Context, t Try) (Verdict, error)
	// Devices lists a user's devices that are pending or confirmed, oldest first.
	Devices(ctx context.Context, tenant, user string) ([]Device, error)
	// Revoke ends a device. Its secret goes, and its codes prove nothing any more.
	Revoke(ctx context.Context, ref Ref) (Device, error)
}

// Engine implements Verbs. Its fields are what it needs; they are set once, before the first call.
type Engine struct {
	Store Store
	Ring  Ring
	// Guesses bounds wrong codes for one user, over all devices. An empty list is no limit.
	Guesses []Quota
	// Window is how far a device's clock may be off; see DefaultWindow. The zero value takes the present step alone.
	Window Window
	// MaxDevices is how many devices a user may have, pending ones included: 1 to 100.
	MaxDevices int
	// ConfirmWithin is how long a device may stay pending, at most MaxPending.
	ConfirmWithin time.Duration
	Now           func() time.Time
	// Rand is where secrets come from: crypto/rand.Reader, but for tests.
	Rand io.Reader
	// Observe is told what happened, for metrics. It may be nil.
	Observe func(Event)
}

// The defaults of an engine's fields.
const (
	DefaultMaxDevices    = 5
	DefaultConfirmWithin = time.Hour
)

// MaxPending is the longest that a device may stay pending. The sweeper counts on it.
const MaxPending = 24 * time.Hour

// DefaultWindow is one step either way (RFC 6238 §5.2).
func DefaultWindow() Window { return Window{Back: 1, Forward: 1} }

// Ring is what the engine needs of seal.Ring.
type Ring interface {
	Seal(plain []byte, context string) ([]byte, error)
	Open(sealed []byte, context string) ([]byte, error)
}

// EventKind is what happened.
type EventKind string

// The kinds of events.
const (
	EventEnrolled  EventKind = "enrolled"
	EventConfirmed EventKind = "confirmed"
	EventVerified  EventKind = "verified"
	EventRevoked   EventKind = "revoked"
	// EventTried is a code that was tried and not taken, EventRefused a request that was refused; Reason says why.
	EventTried   EventKind = "tried"
	EventRefused EventKind = "refused"
)

// Event is one thing that happened, without anybody's name in it.
type Event struct {
	Kind   EventKind
	Reason Reason
}

func (e *Engine) observe(event Event) {
	if e.Observe != nil {
		e.Observe(event)
	}
}

// stateAt is the device's state as of now: a pending one whose time to be confirmed is over is Revoked whatever the
// row says.
func (e *Engine) stateAt(d *Device, now time.Time) State {
	if d.State == Pending && !now.Before(d.CreatedAt.Add(e.ConfirmWithin)) {
		return Revoked
	}
	return d.State
}

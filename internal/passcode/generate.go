package passcode

import (
	"context"
	"errors"
)

// Generation asks for a code that the caller hands over by itself.
type Generation struct {
	Tenant      string
	Application Application
	// Scope is what the code belongs to; two scopes have two codes for one key.
	Scope   string
	Purpose Purpose
	// Key is what the code is found by: any text of 1 to 320 bytes without control characters, compared as it stands. One
	// that is an address or a number counts wrong codes against that recipient.
	Key string
	// Policy is how the code is made and lives. Every generation begins its lifetime anew; Resends is how many may follow
	// the first in this scope, ended codes included; FreshCode draws a new code each time, without it the same one is
	// handed over while it may be tried. The tries of a code that is handed over again stay; ResendInterval must be 0.
	Policy Policy
	// IP is the end user's address, for network limits.
	IP string
}

// Generated is what Generate returns.
type Generated struct {
	Challenge Challenge
	Code      string
	// Reused is true when the code is one that was handed over before.
	Reused bool
}

// String is for logs, and has no code in it.
func (g Generated) String() string { return "generated " + g.Challenge.ID }

// GoString is String.
func (g Generated) GoString() string { return g.String() }

// Generate makes a code that the caller hands over by itself, so that nothing is sent. Verify finds it by
// Ref{Scope, Purpose, Key}. It is refused with LockedOut for the policy's Lockout after a code of this scope and key was
// locked, with NoResendsLeft when the generations are used up, and with LimitReached.
func (e *Engine) Generate(ctx context.Context, g Generation) (Generated, error) {
	return Generated{}, errors.New("passcode: Generate is not written yet")
}

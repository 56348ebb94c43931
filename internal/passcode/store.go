package passcode

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// Store keeps challenges. It speaks in transitions: each method is one transaction, durable when it returns nil, and
// as if it had run alone. The exam in store/storetest says what that means.
type Store interface {
	// Issue makes sure that the recipient may be sent to, takes the spends, ends the current challenge of the same tenant, scope, purpose and identifier as Replaced,
	// and writes the new challenge and its delivery: all of it or none. It returns *Unwanted when the
	// recipient is suppressed, *Exhausted when a spend does not fit, and *Repeated when the idempotency key was used before.
	Issue(ctx context.Context, i Issuance) error
	// Relay writes a delivery without a challenge, under the same conditions, or returns the one whose Dedup is the same. tookUp says that the
	// first one's holder had let its lease lapse, so the row is now held under d's lease.
	Relay(ctx context.Context, d outbox.Delivery, spends []Spend, now time.Time) (joined *outbox.Delivery, tookUp bool, err error)
	// Try tries a code in one step where that is quicker: it counts the try, compares the code, spends the guess limits,
	// ends the challenge if the code was right, and notes it if it was wrong. done is false when nothing was done, and Update must be asked: try
	// is called first, if at all. A store may leave every try to Update, and leaves all to it that are not plain: a
	// challenge that is not there or not pending, a code that would lock it, a limit that is spent, another key.
	Try(ctx context.Context, ref Ref, now time.Time, try func() (Try, error)) (c Challenge, done bool, err error)
	// Update locks the challenge, calls change, and keeps what it left in the challenge, unless it returned an error.
	// It returns ErrNoChallenge when there is none.
	Update(ctx context.Context, ref Ref, now time.Time, change func(c *Challenge, t Turn) error) error
	// Generate locks the newest challenge that ref finds by Scope, Purpose and To, and calls change with it, nil when there
	// is none. It keeps what change left in the newest one, and writes the next one in its place if change returned one;
	// nothing when it returned an error. Of several that find none, one is the first, and the others find what it wrote.
	Generate(ctx context.Context, ref Ref, now time.Time, change func(newest *Challenge, t Turn) (next *Challenge, err error)) error
	// Timeline reads a challenge, its deliveries, their attempts and reports, and the challenge's notes, oldest first.
	Timeline(ctx context.Context, ref Ref) (Timeline, error)
}

// Try is a code that was typed, in the form in which a store can judge it without reading the challenge first: the
// challenge is found by its id, and what else CodeHash and the keys of limits are made of is in its row.
type Try struct {
	// Keyed is the keyed hash of the code under the ring's primary key; see bind.
	Keyed []byte
	// Alphabet is the alphabet the code was normalised for. A challenge of another policy may have another.
	Alphabet string
	Guesses  []GuessLimit
}

// GuessLimit is a limit of wrong codes for whoever a challenge turns out to be of.
type GuessLimit struct {
	// ID is the second half of the limit's key, 4 bytes; see spendKey.
	ID     []byte
	Limit  int
	Window time.Duration
}

// Turn is what may be done beside changing the challenge while it is locked, in the same transaction.
type Turn interface {
	// Reach returns *Unwanted when the challenge's recipient is suppressed.
	Reach(c *Challenge) error
	// Spend takes all the spends, or none and returns *Exhausted.
	Spend(spends ...Spend) error
	// Note keeps a note on the challenge. The challenge's count of tries is the note's number when it is Tried.
	Note(c *Challenge, n Note) error
	// Guess takes all the spends for a code that was tried, or none and returns *Exhausted. A right code takes nothing,
	// but is refused like a wrong one where a unit is not to be had, and keeps the last one from others meanwhile.
	Guess(right bool, spends ...Spend) error
	// Send writes a delivery and ends the challenge's deliveries that nobody is sending yet.
	Send(d outbox.Delivery) error
}

// Issuance is what Store.Issue writes.
type Issuance struct {
	Challenge Challenge
	Delivery  outbox.Delivery
	Spends    []Spend
	// Idempotency is nil when the caller gave no key.
	Idempotency *Idempotency
	Now         time.Time
}

// Idempotency ties a caller's key to the challenge its first use made.
type Idempotency struct {
	Application string
	Key         string
	Fingerprint []byte
	ExpiresAt   time.Time
}

// Spend is what is taken from one limit: at most Limit in a Window that begins with the first spend.
type Spend struct {
	// Key is 16 bytes that stand for whose limit it is; see spendKey.
	Key    []byte
	Name   string
	Limit  int
	Window time.Duration
	// Cost is how many units are taken, at most Limit and as a rule 1; 0 asks only whether the limit is spent.
	Cost int
	// Parts is into how many rows the limit is split, so that many who share it do not queue at one; 0 is not split.
	// The parts' limits add up to Limit, and a spend is refused only when no part has a unit left. One of several spends
	// can be split, the last.
	Parts int
}

// Part is the spend on part i of a limit that is split.
func (s Spend) Part(i int) Spend {
	if s.Parts == 0 {
		return s
	}
	key := bytes.Clone(s.Key)
	key[len(key)-1] ^= byte(i)
	s.Key, s.Limit, s.Parts = key, (s.Limit+s.Parts-1-i)/s.Parts, 0
	return s
}

// Exhausted says that a limit is spent until RetryAt.
type Exhausted struct {
	Name    string
	RetryAt time.Time
}

func (e *Exhausted) Error() string { return fmt.Sprintf("limit %q is spent", e.Name) }

// Unwanted says that a recipient is suppressed, and until when: zero until somebody removes the suppression.
type Unwanted struct {
	Reason outbox.SuppressionReason
	Until  time.Time
}

func (u *Unwanted) Error() string { return "the recipient is suppressed: " + string(u.Reason) }

// Repeated says that an idempotency key was used before, for which challenge and for which request.
type Repeated struct {
	Challenge   string
	Fingerprint []byte
}

func (r *Repeated) Error() string { return "idempotency key used before" }

// ErrNoChallenge is returned by a Store that holds no such challenge for the tenant.
var ErrNoChallenge = fmt.Errorf("passcode: no such challenge")

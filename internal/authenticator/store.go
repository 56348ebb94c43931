package authenticator

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Store keeps devices. It speaks in transitions: each method is one transaction, durable when it returns nil, and as if
// it had run alone. The exam in store/storetest says what that means.
type Store interface {
	// Enrol writes a new device. It revokes the user's pending ones that were made at or before stale, and returns ErrFull
	// when as many as most are left.
	Enrol(ctx context.Context, d Device, most int, stale time.Time) error
	// ChangeDevices locks the user's devices that are not revoked, calls change with them, oldest first, and keeps what it left
	// in them, unless it returned an error. It is called with none when there is none.
	ChangeDevices(ctx context.Context, tenant, user string, now time.Time, change func(devices []Device, t Turn) error) error
	// Devices reads the user's devices that are not revoked, oldest first.
	Devices(ctx context.Context, tenant, user string) ([]Device, error)
}

// Turn is what may be done beside changing devices while they are locked, in the same transaction.
type Turn interface {
	// Guess takes all the spends for a code that was tried, or none and returns *Exhausted. A right code takes
	// nothing, but is refused like a wrong one where a unit is not to be had, and keeps the last one from others meanwhile.
	Guess(right bool, spends ...Spend) error
}

// Spend is one unit of one limit: at most Limit in a Window that begins with the first.
type Spend struct {
	// Key is 16 bytes that stand for whose limit it is. No two limits have the same.
	Key    []byte
	Limit  int
	Window time.Duration
}

// Exhausted says that a limit is spent until RetryAt.
type Exhausted struct{ RetryAt time.Time }

func (e *Exhausted) Error() string { return "the limit of guesses is spent" }

// ErrFull is returned by a Store that keeps as many devices of a user as there may be.
var ErrFull = errors.New("authenticator: the user has as many devices as one may have")

// Quota is at most Count in any window of Window that begins with its first use.
type Quota struct {
	Count  int
	Window time.Duration
}

// DefaultGuesses are those of passcodes. With a window of three steps they leave a six-digit code of one device a chance
// of 1 in 6,666 a day to be guessed, and each further device as much again.
func DefaultGuesses() []Quota {
	return []Quota{{10, 15 * time.Minute}, {50, 24 * time.Hour}}
}

// guesses are the spends of one code that a user tries. All devices of a user share them: another device does not buy
// another budget.
func guesses(quotas []Quota, tenant, user string) []Spend {
	spends := make([]Spend, len(quotas))
	for i, q := range quotas {
		spends[i] = Spend{Key: guessKey(tenant, user, q.Window), Limit: q.Count, Window: q.Window}
	}
	return spends
}

// guessKey is a hash, so that the table of limits holds nobody's name. Each part is preceded by its length, so no two
// different lists of parts give the same bytes, and its first words keep it apart from the keys of other limits.
func guessKey(tenant, user string, window time.Duration) []byte {
	text := []byte("otpost authenticator guesses 1\x00")
	for _, part := range []string{tenant, user, fmt.Sprint(int64(window))} {
		text = binary.AppendUvarint(text, uint64(len(part)))
		text = append(text, part...)
	}
	sum := sha256.Sum256(text)
	return sum[:16]
}

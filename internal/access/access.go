// Package access says who is calling: applications and the keys they call with.
package access

import (
	"context"
	"errors"
	"time"
)

// Application is one caller of otpost; its keys carry its rights.
type Application struct {
	ID     string
	Tenant string
	Name   string
	// Domain is the host named on the origin-bound last line of its messages, empty for none.
	Domain    string
	CreatedAt time.Time
}

// Key is an API key as it is stored: the key itself is shown once and kept only as a hash.
type Key struct {
	ID     string
	Tenant string
	// Application is empty for a key that is of none; such a key is an Admin one.
	Application string
	// Admin keys may change settings.
	Admin bool
	// Hash is SHA-256 of the key. The key has 256 random bits, so no slow hash is needed.
	Hash      []byte
	CreatedAt time.Time
}

// ListedKey is what an operator sees of a key.
type ListedKey struct {
	ID string
	// Application is the zero value for a key that is of none.
	Application Application
	Admin       bool
	CreatedAt   time.Time
	// RevokedAt is zero while the key works.
	RevokedAt time.Time
}

// Caller is who presented a valid key.
type Caller struct {
	// Application is the zero value for a key that is of none, which may not ask for passcodes.
	Application Application
	// Admin callers may change the settings of Tenant.
	Admin  bool
	Tenant string
	// Key is the id of the key, which may be logged.
	Key string
}

// ErrNoAccess is returned for a missing, malformed, unknown or revoked key alike.
var ErrNoAccess = errors.New("access: no valid API key")

// Authenticator finds the caller behind a bearer token.
type Authenticator interface {
	// Authenticate returns ErrNoAccess when the token opens nothing.
	Authenticate(ctx context.Context, token string) (Caller, error)
}

// Store keeps applications and keys.
type Store interface {
	// Application returns the tenant's application of a's name, and makes it when there is none. A Domain that is set
	// replaces the kept one.
	Application(ctx context.Context, a Application) (Application, error)
	AddKey(ctx context.Context, k Key) error
	// RevokeKey ends a key for good. It reports false when there is no such key.
	RevokeKey(ctx context.Context, id string, now time.Time) (found bool, err error)
	// Caller finds the caller of a key that works.
	Caller(ctx context.Context, hash []byte) (caller Caller, found bool, err error)
	// Keys lists all keys, the revoked ones too.
	Keys(ctx context.Context) ([]ListedKey, error)
}

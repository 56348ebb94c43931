package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"time"
)

// keyPrefix makes a leaked key easy to find and to recognise.
const keyPrefix = "otp_"

// keyLength is the prefix and 32 random bytes in base64url.
const keyLength = len(keyPrefix) + 43

// Keys makes and checks API keys. Its fields are set once; it is safe for use by many goroutines.
type Keys struct {
	Store Store
	// Remember is how long a key that worked is taken without asking the store, and so how long a revoked one may
	// still work on other nodes. 0 asks every time.
	Remember time.Duration
	Now      func() time.Time
	// NewID makes ids; outbox.NewID is one.
	NewID func(prefix string, now time.Time) string

	mu    sync.Mutex
	known map[[sha256.Size]byte]remembered
}

type remembered struct {
	caller Caller
	until  time.Time
}

// maxRemembered bounds the memory of keys that worked. Only keys that exist get in, so strangers cannot fill it.
const maxRemembered = 10_000

// Request says what a new key is for.
type Request struct {
	Tenant string
	// Application is whose key it is. It is made when there is none of the name; empty for an Admin key of no application.
	Application string
	// Domain replaces the application's when it is not empty.
	Domain string
	Admin  bool
}

// Create makes a key for the tenant's application of that name, and the application when it is new. The key is
// returned here and nowhere else.
func (k *Keys) Create(ctx context.Context, tenant, name, domain string) (key string, caller Caller, err error) {
	return k.Make(ctx, Request{Tenant: tenant, Application: name, Domain: domain})
}

// Make makes any key. It is returned here and nowhere else.
func (k *Keys) Make(ctx context.Context, r Request) (key string, caller Caller, err error) {
	now := k.Now()
	caller = Caller{Admin: r.Admin, Tenant: r.Tenant, Key: k.NewID("key", now)}
	if r.Application != "" || !r.Admin {
		if caller.Application, err = k.application(ctx, r, now); err != nil {
			return "", Caller{}, fmt.Errorf("create key: %w", err)
		}
	}
	var secret [32]byte
	rand.Read(secret[:]) // crypto/rand.Read never fails
	key = keyPrefix + base64.RawURLEncoding.EncodeToString(secret[:])
	hash := sha256.Sum256([]byte(key))
	stored := Key{ID: caller.Key, Tenant: r.Tenant, Application: caller.Application.ID, Admin: r.Admin, Hash: hash[:], CreatedAt: now}
	if err := k.Store.AddKey(ctx, stored); err != nil {
		return "", Caller{}, fmt.Errorf("create key: %w", err)
	}
	return key, caller, nil
}

func (k *Keys) application(ctx context.Context, r Request, now time.Time) (Application, error) {
	name := strings.TrimSpace(r.Application)
	if name == "" || len(name) > 100 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return Application{}, fmt.Errorf("the application's name must be 1 to 100 bytes without control characters")
	}
	return k.Store.Application(ctx, Application{ID: k.NewID("app", now), Tenant: r.Tenant, Name: name, Domain: r.Domain, CreatedAt: now})
}

// Authenticate implements Authenticator.
func (k *Keys) Authenticate(ctx context.Context, token string) (Caller, error) {
	if len(token) != keyLength || !strings.HasPrefix(token, keyPrefix) {
		return Caller{}, ErrNoAccess
	}
	hash := sha256.Sum256([]byte(token))
	now := k.Now()
	if caller, ok := k.recall(hash, now); ok {
		return caller, nil
	}
	caller, found, err := k.Store.Caller(ctx, hash[:])
	if err != nil {
		return Caller{}, fmt.Errorf("authenticate: %w", err)
	}
	if !found {
		return Caller{}, ErrNoAccess
	}
	k.remember(hash, caller, now)
	return caller, nil
}

func (k *Keys) recall(hash [sha256.Size]byte, now time.Time) (Caller, bool) {
	if k.Remember == 0 {
		return Caller{}, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	r, ok := k.known[hash]
	return r.caller, ok && now.Before(r.until)
}

func (k *Keys) remember(hash [sha256.Size]byte, caller Caller, now time.Time) {
	if k.Remember == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil || len(k.known) >= maxRemembered {
		k.known = map[[sha256.Size]byte]remembered{}
	}
	k.known[hash] = remembered{caller, now.Add(k.Remember)}
}

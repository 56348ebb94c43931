package auth0_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/registry"
)

var noon = time.Date(2026, 3, 4, 12, 3, 0, 0, time.UTC)

func frozen() time.Time { return noon }

// shelf keeps documents in memory, as a store keeps them.
type shelf struct {
	registry.Store
	mu        sync.Mutex
	documents []registry.Document
	revision  int64
	fails     error
	// by is who made the last change.
	by string
	// before runs once ahead of the next change, as another node's change would.
	before func()
}

func (s *shelf) Documents(context.Context, string) ([]registry.Document, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.documents), s.revision, s.fails
}

func (s *shelf) Revision(context.Context, string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision, s.fails
}

func (s *shelf) ChangeDocuments(_ context.Context, _ string, base int64, write, remove []registry.Document, by string, _ time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.before; f != nil {
		s.before = nil
		s.mu.Unlock()
		f()
		s.mu.Lock()
	}
	if base != s.revision {
		return registry.ErrChanged
	}
	for _, d := range slices.Concat(write, remove) {
		s.documents = slices.DeleteFunc(s.documents, func(o registry.Document) bool { return o.Kind == d.Kind && o.Name == d.Name })
	}
	s.documents = append(s.documents, write...)
	s.revision++
	s.by = by
	return nil
}

// open is a registry on the shelf.
func (s *shelf) open(t testing.TB, given ...registry.Given) *registry.Registry {
	t.Helper()
	r, err := registry.Open(t.Context(), registry.Settings{Store: s, Tenant: "main", Now: frozen,
		Rules: registry.Rules{Given: given, Policy: passcode.DefaultPolicy()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

const (
	adminKey       = "otp_admin"
	applicationKey = "otp_application"
)

// doorkeeper knows the key of an administrator and that of an application.
type doorkeeper struct{}

func (doorkeeper) Authenticate(_ context.Context, token string) (access.Caller, error) {
	switch token {
	case adminKey:
		return access.Caller{Admin: true, Key: "key_admin"}, nil
	case applicationKey:
		return access.Caller{Application: access.Application{ID: "app_shop", Name: "Shop"}, Key: "key_shop"}, nil
	case "otp_broken":
		return access.Caller{}, errors.New("disk on fire")
	}
	return access.Caller{}, access.ErrNoAccess
}

package access_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/access"
)

// shelf is a store of one application and its keys.
type shelf struct {
	access.Store
	keys  map[string]access.Key // by hash
	asked int
	fails error
}

func (s *shelf) Application(_ context.Context, a access.Application) (access.Application, error) {
	return a, s.fails
}

func (s *shelf) AddKey(_ context.Context, k access.Key) error {
	s.keys[string(k.Hash)] = k
	return s.fails
}

func (s *shelf) Caller(_ context.Context, hash []byte) (access.Caller, bool, error) {
	s.asked++
	k, ok := s.keys[string(hash)]
	return access.Caller{Application: access.Application{ID: k.Application}, Admin: k.Admin, Tenant: k.Tenant, Key: k.ID}, ok, s.fails
}

func newKeys(t testing.TB, remember time.Duration) (*access.Keys, *shelf, *time.Time) {
	t.Helper()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	s := &shelf{keys: map[string]access.Key{}}
	return &access.Keys{Store: s, Remember: remember, Now: func() time.Time { return now },
		NewID: func(prefix string, _ time.Time) string { return prefix + "_1" }}, s, &now
}

func create(t testing.TB, k *access.Keys) string {
	t.Helper()
	key, _, err := k.Create(t.Context(), "default", "Shop", "")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestOnlyTheHashIsKept(t *testing.T) {
	k, s, _ := newKeys(t, 0)
	key := create(t, k)
	for hash, stored := range s.keys {
		if strings.Contains(hash, key) || bytes.Contains([]byte(key), stored.Hash) || len(stored.Hash) != 32 {
			t.Errorf("stored %+v for the key", stored)
		}
	}
	if other := create(t, k); other == key {
		t.Error("two keys are the same")
	}
}

func TestAuthenticate(t *testing.T) {
	k, s, _ := newKeys(t, 0)
	key := create(t, k)
	if c, err := k.Authenticate(t.Context(), key); err != nil || c.Application.ID != "app_1" || c.Key != "key_1" {
		t.Errorf("the key opens %+v, %v", c, err)
	}
	s.asked = 0
	for _, token := range []string{"", "otp_", key[:len(key)-1], key + "A", strings.ToUpper(key), " " + key, "xxx_" + key[4:]} {
		if _, err := k.Authenticate(t.Context(), token); !errors.Is(err, access.ErrNoAccess) {
			t.Errorf("%d bytes of something else: %v", len(token), err)
		}
	}
	if s.asked != 0 {
		t.Errorf("the store was asked %d times for what cannot be a key", s.asked)
	}
	s.fails = errors.New("disk")
	if _, err := k.Authenticate(t.Context(), key); err == nil || errors.Is(err, access.ErrNoAccess) {
		t.Errorf("a store that fails: %v, want an error that is not a refusal", err)
	}
}

func TestAKeyIsRememberedForAWhile(t *testing.T) {
	k, s, now := newKeys(t, 5*time.Second)
	key := create(t, k)
	ask := func() error { _, err := k.Authenticate(t.Context(), key); return err }
	for range 3 {
		if err := ask(); err != nil {
			t.Fatal(err)
		}
	}
	if s.asked != 1 {
		t.Errorf("the store was asked %d times, want once", s.asked)
	}
	clear(s.keys) // revoked elsewhere
	*now = now.Add(5*time.Second - 1)
	if err := ask(); err != nil {
		t.Errorf("within the time: %v", err)
	}
	*now = now.Add(1)
	if err := ask(); !errors.Is(err, access.ErrNoAccess) {
		t.Errorf("a revoked key after the time: %v", err)
	}
}

func TestBadNamesAreRefused(t *testing.T) {
	k, _, _ := newKeys(t, 0)
	for _, name := range []string{"", "  ", "a\nb", "a\x7f", strings.Repeat("a", 101)} {
		if _, _, err := k.Create(t.Context(), "default", name, ""); err == nil {
			t.Errorf("an application named %q was made", name)
		}
	}
}

func TestAnAdminKeyNeedsNoApplication(t *testing.T) {
	k, s, _ := newKeys(t, 0)
	for _, test := range []struct {
		request     access.Request
		application string
	}{
		{access.Request{Tenant: "default", Admin: true}, ""},
		{access.Request{Tenant: "default", Application: "Shop", Admin: true}, "app_1"},
		{access.Request{Tenant: "default", Application: "Shop"}, "app_1"},
	} {
		key, made, err := k.Make(t.Context(), test.request)
		if err != nil {
			t.Fatal(err)
		}
		found, err := k.Authenticate(t.Context(), key)
		if err != nil || found.Admin != test.request.Admin || found.Application.ID != test.application || found.Tenant != "default" {
			t.Errorf("%+v opens %+v, %v", test.request, found, err)
		}
		if made.Admin != found.Admin || made.Application.ID != found.Application.ID || made.Key != found.Key {
			t.Errorf("%+v was made as %+v and is found as %+v", test.request, made, found)
		}
	}
	if before := len(s.keys); before != 3 {
		t.Errorf("%d keys are kept", before)
	}
	if _, _, err := k.Make(t.Context(), access.Request{Tenant: "default"}); err == nil || len(s.keys) != 3 {
		t.Errorf("a key that opens nothing was made: %v", err)
	}
}

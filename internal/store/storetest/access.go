package storetest

import (
	"testing"

	"github.com/otpost/otpost/internal/access"
)

func keysOpenUntilRevoked(t *testing.T, s Store) {
	a, err := s.Application(t.Context(), access.Application{ID: "app_1", Tenant: "default", Name: "Shop", Domain: "shop.example", CreatedAt: now})
	must(t, err)
	again, err := s.Application(t.Context(), access.Application{ID: "app_2", Tenant: "default", Name: "Shop", CreatedAt: now})
	must(t, err)
	if again != a {
		t.Errorf("the application of the same name is %+v, want %+v", again, a)
	}
	must(t, s.AddKey(t.Context(), access.Key{ID: "key_1", Tenant: "default", Application: a.ID, Hash: []byte("hash"), CreatedAt: now}))
	if err := s.AddKey(t.Context(), access.Key{ID: "key_2", Tenant: "default", Application: a.ID, Hash: []byte("hash"), CreatedAt: now}); err == nil {
		t.Error("one key was kept twice")
	}
	caller, found, err := s.Caller(t.Context(), []byte("hash"))
	if err != nil || !found || caller.Application != a || caller.Key != "key_1" || caller.Admin || caller.Tenant != "default" {
		t.Fatalf("caller %+v %v %v", caller, found, err)
	}
	found, err = s.RevokeKey(t.Context(), "key_1", now)
	if err != nil || !found {
		t.Fatalf("revoke: %v %v", found, err)
	}
	if _, found, _ := s.Caller(t.Context(), []byte("hash")); found {
		t.Error("a revoked key opens")
	}
	if found, _ := s.RevokeKey(t.Context(), "key_9", now); found {
		t.Error("revoked a key that is not there")
	}
	keys, err := s.Keys(t.Context())
	if err != nil || len(keys) != 1 || !keys[0].RevokedAt.Equal(now) || keys[0].Application != a {
		t.Errorf("keys %+v, %v", keys, err)
	}
}

func adminKeysNeedNoApplication(t *testing.T, s Store) {
	a, err := s.Application(t.Context(), access.Application{ID: "app_1", Tenant: "default", Name: "Shop", CreatedAt: now})
	must(t, err)
	must(t, s.AddKey(t.Context(), access.Key{ID: "key_1", Tenant: "default", Admin: true, Hash: []byte("alone"), CreatedAt: now}))
	must(t, s.AddKey(t.Context(), access.Key{ID: "key_2", Tenant: "default", Application: a.ID, Admin: true, Hash: []byte("both"), CreatedAt: now}))
	if err := s.AddKey(t.Context(), access.Key{ID: "key_3", Tenant: "default", Hash: []byte("neither"), CreatedAt: now}); err == nil {
		t.Error("a key that opens nothing was kept")
	}
	for hash, want := range map[string]access.Caller{
		"alone": {Admin: true, Tenant: "default", Key: "key_1"},
		"both":  {Application: a, Admin: true, Tenant: "default", Key: "key_2"},
	} {
		if got, found, err := s.Caller(t.Context(), []byte(hash)); err != nil || !found || got != want {
			t.Errorf("%s opens %+v %v %v, want %+v", hash, got, found, err, want)
		}
	}
	keys, err := s.Keys(t.Context())
	if err != nil || len(keys) != 2 || keys[0].Application.ID != "" || !keys[0].Admin || keys[1].Application != a {
		t.Errorf("keys %+v, %v", keys, err)
	}
}

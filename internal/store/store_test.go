package store_test

import (
	"path/filepath"
	"testing"

	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
	"github.com/otpost/otpost/internal/store/pgtest"
	"github.com/otpost/otpost/internal/store/storetest"
)

func open(t *testing.T, url string) *store.DB {
	t.Helper()
	db, _ := openWithRing(t, url)
	return db
}

// openWithRing opens a store and returns the new ring that it is written with.
func openWithRing(t *testing.T, url string) (*store.DB, *seal.Ring) {
	t.Helper()
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), url, ring, store.Options{SuppressBounced: storetest.SuppressBounced})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db, ring
}

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return open(t, "sqlite:"+filepath.Join(t.TempDir(), "otpost.db"))
	})
}

func TestPostgres(t *testing.T) {
	server := pgtest.Start(t)
	storetest.Run(t, func(t *testing.T) storetest.Store { return open(t, server.Database(t)) })
}

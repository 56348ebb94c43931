package store_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
	"github.com/otpost/otpost/internal/store/pgtest"
)

func TestADatabaseKeepsToItsKeyRing(t *testing.T) {
	for name, url := range map[string]string{
		"sqlite":   "sqlite:" + filepath.Join(t.TempDir(), "otpost.db"),
		"postgres": pgtest.Start(t).Database(t),
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, url)
			ring, err := seal.New()
			if err != nil {
				t.Fatal(err)
			}
			other, err := seal.New()
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := db.CheckRing(t.Context(), ring); err != nil {
					t.Fatalf("its own ring: %v", err)
				}
			}
			if err := db.CheckRing(t.Context(), other); !errors.Is(err, store.ErrOtherRing) {
				t.Errorf("another ring: %v", err)
			}
		})
	}
}

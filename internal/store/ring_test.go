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

// TestADatabaseFollowsARotation has a node with the first ring, one with the staged key and one with the new primary.
func TestADatabaseFollowsARotation(t *testing.T) {
	for name, url := range map[string]string{
		"sqlite":   "sqlite:" + filepath.Join(t.TempDir(), "otpost.db"),
		"postgres": pgtest.Start(t).Database(t),
	} {
		t.Run(name, func(t *testing.T) {
			db, path := open(t, url), filepath.Join(t.TempDir(), "otpost.keys")
			var rings []*seal.Ring
			for _, step := range []func(string) error{func(string) error { return nil }, seal.Stage, seal.Rotate} {
				if err := step(path); err != nil {
					t.Fatal(err)
				}
				ring, _, err := seal.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				rings = append(rings, ring)
			}
			old, staged, rotated := rings[0], rings[1], rings[2]
			known := func(when string, want ...error) {
				t.Helper()
				for i, ring := range rings {
					if err := db.CheckRing(t.Context(), ring); !errors.Is(err, want[i]) {
						t.Errorf("%s, ring %d at a start: %v, want %v", when, i, err, want[i])
					}
					if err := db.KnowsRing(t.Context(), ring); !errors.Is(err, want[i]) {
						t.Errorf("%s, ring %d while it serves: %v, want %v", when, i, err, want[i])
					}
				}
			}
			if err := db.CheckRing(t.Context(), old); err != nil {
				t.Fatal(err)
			}
			for _, ring := range []*seal.Ring{old, staged} {
				if err := db.FollowRing(t.Context(), ring); err != nil {
					t.Fatal(err)
				}
			}
			known("before the new key is used", nil, nil, nil)
			// The node with the staged key starts again later, and does not turn the database back.
			for _, ring := range []*seal.Ring{rotated, staged} {
				if err := db.FollowRing(t.Context(), ring); err != nil {
					t.Fatal(err)
				}
			}
			known("once the new key is used", store.ErrOtherRing, nil, nil)
		})
	}
}

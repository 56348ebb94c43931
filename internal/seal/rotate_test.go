package seal_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/otpost/otpost/internal/seal"
)

// made is something sealed and something hashed under a ring's primary key.
type made struct{ sealed, hash []byte }

func makeWith(t *testing.T, ring *seal.Ring) made {
	t.Helper()
	sealed, err := ring.Seal([]byte("482913"), "pc_1")
	if err != nil {
		t.Fatal(err)
	}
	hash, err := ring.Hash([]byte("482913"))
	if err != nil {
		t.Fatal(err)
	}
	return made{sealed, hash}
}

func reads(ring *seal.Ring, m made) bool {
	plain, err := ring.Open(m.sealed, "pc_1")
	return err == nil && string(plain) == "482913" && ring.Matches(m.hash, []byte("482913"))
}

func states(t *testing.T, path string) string {
	t.Helper()
	keys, err := seal.Keys(path)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, k := range keys {
		words = append(words, string(k.State))
	}
	return strings.Join(words, " ")
}

// TestRotationTakesTwoStepsAndKeepsEveryNodeReading follows nodes that get the file one after the other.
func TestRotationTakesTwoStepsAndKeepsEveryNodeReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "otpost.keys")
	first, _ := open(t, path)
	if err := seal.Rotate(path); !errors.Is(err, seal.ErrNotStaged) {
		t.Errorf("rotated without a staged key: %v", err)
	}
	if err := seal.Stage(path); err != nil {
		t.Fatal(err)
	}
	staged, created := open(t, path)
	if err := seal.Stage(path); !errors.Is(err, seal.ErrStaged) || created {
		t.Errorf("staged a second key: %v", err)
	}
	if got := states(t, path); got != "primary staged" {
		t.Errorf("after the first step the keys are %q", got)
	}
	if err := seal.Rotate(path); err != nil {
		t.Fatal(err)
	}
	rotated, _ := open(t, path)
	if got := states(t, path); got != "older primary" {
		t.Errorf("after the second step the keys are %q", got)
	}
	old, between, new := makeWith(t, first), makeWith(t, staged), makeWith(t, rotated)
	for _, c := range []struct {
		name string
		ring *seal.Ring
		want [3]bool
	}{
		{"a node with the first ring", first, [3]bool{true, true, false}},
		{"a node with the staged key", staged, [3]bool{true, true, true}},
		{"a node with the new primary key", rotated, [3]bool{true, true, true}},
	} {
		if got := [3]bool{reads(c.ring, old), reads(c.ring, between), reads(c.ring, new)}; got != c.want {
			t.Errorf("%s reads %v, want %v", c.name, got, c.want)
		}
	}
	if !rotated.Outdated(old.hash) || rotated.Outdated(new.hash) || staged.Outdated(new.hash) || staged.Outdated(old.hash) ||
		first.Outdated(new.hash) || first.Outdated(nil) {
		t.Error("a hash is outdated if and only if its key is older than the primary one")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v %v, want mode 0600", info, err)
	}
	if left, err := filepath.Glob(path + ".*"); err != nil || len(left) > 0 {
		t.Errorf("beside the ring there is %v, %v", left, err)
	}
}

func TestRotationRefusesWhatItMustNotTouch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "otpost.keys")
	if err := seal.Stage(path); err == nil {
		t.Error("a ring that is not there was rotated")
	}
	open(t, path)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := seal.Stage(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a ring that others can read was rotated: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("a refused change changed the file, %v", err)
	}
}

func TestRotationReplacesTheFileBehindALink(t *testing.T) {
	folder := t.TempDir()
	path, link := filepath.Join(folder, "real", "otpost.keys"), filepath.Join(folder, "otpost.keys")
	open(t, path)
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := seal.Stage(link); err != nil {
		t.Fatal(err)
	}
	if got := states(t, path); got != "primary staged" {
		t.Errorf("behind the link the keys are %q", got)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info, err)
	}
}

func TestOneOfManyStagesWins(t *testing.T) {
	path := filepath.Join(t.TempDir(), "otpost.keys")
	open(t, path)
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { errs[i] = seal.Stage(path) })
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, seal.ErrStaged):
			t.Error(err)
		}
	}
	if got := states(t, path); won != 1 || got != "primary staged" {
		t.Errorf("%d staged a key, and the keys are %q; want one", won, got)
	}
}

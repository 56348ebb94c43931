package seal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/otpost/otpost/internal/seal"
)

func open(t *testing.T, path string) (*seal.Ring, bool) {
	t.Helper()
	ring, created, err := seal.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return ring, created
}

func TestRingSurvivesReopening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "otpost.keys")
	first, created := open(t, path)
	if !created {
		t.Error("a new file was not reported as created")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("key file: %v %v, want mode 0600", info, err)
	}
	sealed, err := first.Seal([]byte("482913"), "pc_1")
	if err != nil {
		t.Fatal(err)
	}
	hash, err := first.Hash([]byte("482913"))
	if err != nil {
		t.Fatal(err)
	}

	second, created := open(t, path)
	if created {
		t.Error("an old file was reported as created")
	}
	plain, err := second.Open(sealed, "pc_1")
	if err != nil || string(plain) != "482913" {
		t.Errorf("opened %q, %v", plain, err)
	}
	if !second.Matches(hash, []byte("482913")) {
		t.Error("the hash does not match after reopening")
	}
}

func TestSealedDataIsBoundAndSilent(t *testing.T) {
	ring, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := ring.Seal([]byte("482913"), "pc_1")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("482913")) {
		t.Error("the sealed form holds the plain text")
	}
	if _, err := ring.Open(sealed, "pc_2"); err == nil {
		t.Error("opened under another context")
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := ring.Open(sealed, "pc_1"); err == nil {
		t.Error("opened after a change")
	}
	hash, _ := ring.Hash([]byte("482913"))
	if ring.Matches(hash, []byte("482914")) || ring.Matches(nil, nil) {
		t.Error("a hash matched what it is not the hash of")
	}
	other, _ := seal.New()
	if other.Matches(hash, []byte("482913")) {
		t.Error("a hash matched under another ring")
	}
}

func TestStartingTogetherGivesOneRing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "otpost.keys")
	rings := make([]*seal.Ring, 8)
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() { rings[i], _, _ = seal.Open(path) })
	}
	wg.Wait()
	hash, err := rings[0].Hash([]byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	for i, ring := range rings {
		if ring == nil || !ring.Matches(hash, []byte("x")) {
			t.Errorf("ring %d has other keys", i)
		}
	}
}

func TestBadKeyFilesAreExplained(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		content string
		mode    os.FileMode
		want    string
	}{
		"readable by others": {"{}\n{}\n", 0o644, "chmod 600"},
		"empty":              {"", 0o600, "two lines"},
		"not JSON":           {"a\nb\n", 0o600, "read sealing keys"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.content), c.mode); err != nil {
			t.Fatal(err)
		}
		if _, _, err := seal.Open(path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want it to say %q", name, err, c.want)
		}
	}
}

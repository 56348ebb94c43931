package seal_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/otpost/otpost/internal/seal"
)

// FuzzRingFile reads any bytes as the key ring. What is taken works: it opens what it sealed and knows its own hashes,
// and read a second time it is the same ring. What is refused is refused with an error that holds none of the file.
func FuzzRingFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "otpost.keys")
	if _, _, err := seal.Open(path); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	lines := bytes.SplitAfter(good, []byte("\n"))
	f.Add(good)
	f.Add(bytes.ToUpper(good))
	f.Add(append(bytes.Clone(lines[1]), lines[0]...)) // hashing keys where sealing keys belong
	f.Add(append(bytes.Clone(lines[0]), lines[0]...))
	f.Add(bytes.ReplaceAll(good, []byte("ENABLED"), []byte("DISABLED")))
	f.Add(bytes.ReplaceAll(good, []byte("ENABLED"), []byte("DESTROYED")))
	f.Add(good[:len(good)/2])
	for _, text := range []string{"", "\n", "{}\n{}", "null\nnull", `{"primaryKeyId":1,"key":[]}` + "\n" + `{"primaryKeyId":1,"key":[]}`,
		`{"key":[null]}` + "\n" + `{"key":[{"keyData":null}]}`, "[]\n[]", "{\n}\n{\n}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "otpost.keys")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		ring, created, err := seal.Open(path)
		if created {
			t.Fatal("a ring was made over a file that was there")
		}
		if err != nil {
			return
		}
		again, _, err := seal.Open(path)
		if err != nil {
			t.Fatalf("taken once, then refused: %v", err)
		}
		sealed, err := ring.Seal([]byte("482913"), "pc_1")
		if err != nil {
			t.Fatalf("the ring cannot seal: %v", err)
		}
		hash, err := ring.Hash([]byte("482913"))
		if err != nil {
			t.Fatalf("the ring cannot hash: %v", err)
		}
		if plain, err := again.Open(sealed, "pc_1"); err != nil || string(plain) != "482913" || bytes.Contains(sealed, plain) {
			t.Errorf("sealed and opened: %q, %v", plain, err)
		}
		if _, err := again.Open(sealed, "pc_2"); err == nil {
			t.Error("opened under another context")
		}
		if !again.Matches(hash, []byte("482913")) || again.Matches(hash, []byte("482914")) {
			t.Error("the hash matches something else, or not what it was made of")
		}
	})
}

// FuzzOpen gives to a ring what may stand in a database that others can write to: nothing opens that was not sealed
// under the same context, and no hash matches that was not made. The ring is another one in each process, so what it
// made is changed in here.
func FuzzOpen(f *testing.F) {
	ring, err := seal.New()
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := ring.Seal([]byte("482913"), "pc_1")
	if err != nil {
		f.Fatal(err)
	}
	hash, err := ring.Hash([]byte("482913"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{}, uint(1000), byte(0), "pc_1")
	f.Add([]byte{}, uint(0), byte(1), "pc_1")
	f.Add([]byte{}, uint(4), byte(1), "482913")
	f.Add([]byte{}, uint(1000), byte(0), "482913")
	f.Add([]byte("more"), uint(1000), byte(0), "pc_1")
	f.Add([]byte{1, 0, 0, 0, 0}, uint(1000), byte(0), "")
	f.Fuzz(func(t *testing.T, more []byte, at uint, flip byte, word string) {
		for _, made := range [][]byte{sealed, hash, nil} {
			data := append(bytes.Clone(made), more...)
			if at < uint(len(data)) {
				data[at] ^= flip
			}
			plain, err := ring.Open(data, word)
			if asMade := bytes.Equal(data, sealed) && word == "pc_1"; (err == nil) != asMade || asMade && string(plain) != "482913" {
				t.Errorf("opened %q under %q: %q, %v", data, word, plain, err)
			}
			if asMade := bytes.Equal(data, hash) && word == "482913"; ring.Matches(data, []byte(word)) != asMade {
				t.Errorf("the hash %q and %q: want a match: %v", data, word, asMade)
			}
		}
	})
}

// Package seal is the key ring: it seals data at rest, makes keyed hashes, and keeps the keys in one file.
//
// Each key set holds a primary key and any number of older ones. New data uses the primary; data made under an older
// key still opens and still verifies, which is what makes rotation possible without touching a row.
package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/otpost/otpost/internal/faultpoint"
)

// Ring seals, opens and hashes. It is safe for use by many goroutines.
type Ring struct {
	aead tink.AEAD
	mac  tink.MAC
	// macs are mac with each key of the ring as its primary, that of mac itself first.
	macs []tink.MAC
	// order are the prefixes of the hashes under each key, the oldest key's first; primary is that of mac.
	order   []string
	primary int
}

// Open reads the key ring file, or makes one with mode 0600 when there is none. created says which. A file that
// others may read is refused: whoever has it can open everything that was sealed.
func Open(path string) (ring *Ring, created bool, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, false, err
		}
		created = true
	}
	raw, err := read(path)
	if err != nil {
		return nil, false, err
	}
	ring, err = parse(raw)
	if err != nil {
		return nil, false, fmt.Errorf("open key ring %s: %w", path, err)
	}
	return ring, created, nil
}

// read reads the key ring file, unless others may read it too.
func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open key ring: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("open key ring %s: its mode is %04o, so others can read the keys; run: chmod 600 %s",
			path, info.Mode().Perm(), path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("open key ring: %w", err)
	}
	return raw, nil
}

// New makes a ring that lives in memory only, for tests and for the demo.
func New() (*Ring, error) {
	raw, err := generate()
	if err != nil {
		return nil, err
	}
	return parse(raw)
}

// Seal encrypts plain and binds it to context, which Open must be given again (AES-256-GCM).
func (r *Ring) Seal(plain []byte, context string) ([]byte, error) {
	return r.aead.Encrypt(plain, []byte(context))
}

// Open returns what Seal was given, or an error when the data, the context or the key is not the same.
func (r *Ring) Open(sealed []byte, context string) ([]byte, error) {
	return r.aead.Decrypt(sealed, []byte(context))
}

// Hash returns the keyed hash of data (HMAC-SHA-256 under the primary key, its id in front).
func (r *Ring) Hash(data []byte) ([]byte, error) { return r.mac.ComputeMAC(data) }

// Hashes returns the keyed hash of data under every key of the ring, the primary one's first.
func (r *Ring) Hashes(data []byte) [][]byte {
	hashes := make([][]byte, 0, len(r.macs))
	for _, m := range r.macs {
		if hash, err := m.ComputeMAC(data); err == nil { // HMAC fails on no input
			hashes = append(hashes, hash)
		}
	}
	return hashes
}

// Outdated reports whether hash was made under a key that is older than the primary one.
func (r *Ring) Outdated(hash []byte) bool {
	made := slices.IndexFunc(r.order, func(prefix string) bool { return bytes.HasPrefix(hash, []byte(prefix)) })
	return made >= 0 && made < r.primary
}

// Matches reports in constant time whether hash is Hash(data) under any key of the ring.
func (r *Ring) Matches(hash, data []byte) bool { return r.mac.VerifyMAC(hash, data) == nil }

// decode reads the file, which is two key sets in Tink's JSON form, one a line: the sealing keys, then the hashing keys.
func decode(raw []byte) (sealing, hashing *keyset.Handle, err error) {
	lines := bytes.SplitN(bytes.TrimSpace(raw), []byte("\n"), 2)
	if len(lines) != 2 {
		return nil, nil, errors.New("not a key ring: two lines of JSON are expected")
	}
	if sealing, err = insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(lines[0]))); err != nil {
		return nil, nil, fmt.Errorf("read sealing keys: %w", err)
	}
	if hashing, err = insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(lines[1]))); err != nil {
		return nil, nil, fmt.Errorf("read hashing keys: %w", err)
	}
	return sealing, hashing, nil
}

// encode writes what decode reads.
func encode(sealing, hashing *keyset.Handle) ([]byte, error) {
	var out bytes.Buffer
	for _, handle := range []*keyset.Handle{sealing, hashing} {
		var line bytes.Buffer
		if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&line)); err != nil {
			return nil, fmt.Errorf("write keys: %w", err)
		}
		out.Write(bytes.ReplaceAll(bytes.TrimSpace(line.Bytes()), []byte("\n"), nil))
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}

func parse(raw []byte) (*Ring, error) {
	sealing, hashing, err := decode(raw)
	if err != nil {
		return nil, err
	}
	ring := &Ring{}
	if ring.aead, err = aead.New(sealing); err != nil {
		return nil, fmt.Errorf("use sealing keys: %w", err)
	}
	if ring.mac, err = mac.New(hashing); err != nil {
		return nil, fmt.Errorf("use hashing keys: %w", err)
	}
	if ring.macs, err = eachKey(hashing); err != nil {
		return nil, fmt.Errorf("use hashing keys: %w", err)
	}
	ring.order, ring.primary = ages(hashing)
	return ring, nil
}

// eachKey makes one MAC for each enabled key, the primary's first.
func eachKey(keys *keyset.Handle) (macs []tink.MAC, err error) {
	primary, err := keys.Primary()
	if err != nil {
		return nil, err
	}
	ids := []uint32{primary.KeyID()}
	for i := range keys.Len() {
		entry, err := keys.Entry(i)
		if err != nil {
			return nil, err
		}
		if entry.KeyStatus() == keyset.Enabled && entry.KeyID() != primary.KeyID() {
			ids = append(ids, entry.KeyID())
		}
	}
	for _, id := range ids {
		manager := keyset.NewManagerFromHandle(keys)
		if err := manager.SetPrimary(id); err != nil {
			return nil, err
		}
		alone, err := manager.Handle()
		if err != nil {
			return nil, err
		}
		m, err := mac.New(alone)
		if err != nil {
			return nil, err
		}
		macs = append(macs, m)
	}
	return macs, nil
}

func generate() ([]byte, error) {
	sealing, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make sealing keys: %w", err)
	}
	hashing, err := keyset.NewHandle(mac.HMACSHA256Tag256KeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make hashing keys: %w", err)
	}
	return encode(sealing, hashing)
}

// create writes a new ring beside its final name and links it there, so that of two processes that start at once
// both end up with the same keys, and neither ever sees half a file.
func create(path string) error {
	raw, err := generate()
	if err != nil {
		return err
	}
	if dir := filepath.Dir(path); dir != "." {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("make key ring folder: %w", err)
		}
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // mode 0600
	if err != nil {
		return fmt.Errorf("make key ring: %w", err)
	}
	defer os.Remove(tmp.Name())
	if err := writeOut(tmp, raw); err != nil {
		return err
	}
	faultpoint.Here("ring.before_link")
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make key ring: %w", err)
	}
	faultpoint.Here("ring.after_link")
	return syncFolder(filepath.Dir(path))
}

// writeOut writes a file and closes it; what it holds is on disk then.
func writeOut(file *os.File, raw []byte) error {
	_, err := file.Write(raw)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write key ring: %w", err)
	}
	return nil
}

// syncFolder puts the names in a folder on disk: a database that outlives the only ring it can be read with is lost.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("write key ring: %w", err)
	}
	defer folder.Close()
	if err := folder.Sync(); err != nil {
		return fmt.Errorf("write key ring: %w", err)
	}
	return nil
}

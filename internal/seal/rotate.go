package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"

	"github.com/otpost/otpost/internal/faultpoint"
)

// Rotation takes two steps. A process whose ring lacks a key cannot read what another made under it, so a key is
// staged first: every process gets it, and nothing is made under it. Then it becomes the primary one. What was made
// under older keys still opens and still matches; no key is ever taken out.

// Errors of Stage and Rotate that say which step is due.
var (
	ErrStaged    = errors.New("a key is staged already: when every node runs with this file, make it the primary one with otpost keyring rotate")
	ErrNotStaged = errors.New("no key is staged: add one with otpost keyring stage, and give the file to every node, before it becomes the primary one")
)

// KeyState is what a key of a ring is used for.
type KeyState string

// The states of a key.
const (
	// Older keys read what was made under them.
	Older KeyState = "older"
	// Primary is the key that new data is made under.
	Primary KeyState = "primary"
	// Staged is a key that waits to become the primary one. It reads already.
	Staged KeyState = "staged"
)

// Key is one key of a ring, without its secret: there is one for sealing and one for hashing, made together.
type Key struct {
	// ID is the hashing key's.
	ID    string
	State KeyState
}

// Keys lists the keys of the ring file, oldest first.
func Keys(path string) ([]Key, error) {
	raw, err := read(path)
	if err != nil {
		return nil, err
	}
	_, hashing, err := decode(raw)
	if err != nil {
		return nil, fmt.Errorf("open key ring %s: %w", path, err)
	}
	return keysOf(hashing), nil
}

// Stage adds a key to the ring file that reads and is not used for anything new. It returns ErrStaged when there is one.
func Stage(path string) error {
	return change(path, func(sealing, hashing *keyset.Handle) (*keyset.Handle, *keyset.Handle, error) {
		if _, staged := newest(hashing); staged {
			return nil, nil, ErrStaged
		}
		newSealing, newHashing := keyset.NewManagerFromHandle(sealing), keyset.NewManagerFromHandle(hashing)
		_, sealErr := newSealing.Add(aead.AES256GCMKeyTemplate())
		_, hashErr := newHashing.Add(mac.HMACSHA256Tag256KeyTemplate())
		if err := errors.Join(sealErr, hashErr); err != nil {
			return nil, nil, err
		}
		return handles(newSealing, newHashing)
	})
}

// Rotate makes the staged key of the ring file the primary one. It returns ErrNotStaged when there is none.
func Rotate(path string) error {
	return change(path, func(sealing, hashing *keyset.Handle) (*keyset.Handle, *keyset.Handle, error) {
		sealID, _ := newest(sealing)
		hashID, staged := newest(hashing)
		if !staged {
			return nil, nil, ErrNotStaged
		}
		newSealing, newHashing := keyset.NewManagerFromHandle(sealing), keyset.NewManagerFromHandle(hashing)
		if err := errors.Join(newSealing.SetPrimary(sealID), newHashing.SetPrimary(hashID)); err != nil {
			return nil, nil, err
		}
		return handles(newSealing, newHashing)
	})
}

func handles(sealing, hashing *keyset.Manager) (*keyset.Handle, *keyset.Handle, error) {
	s, sealErr := sealing.Handle()
	h, hashErr := hashing.Handle()
	return s, h, errors.Join(sealErr, hashErr)
}

// newest is the key that was added last, and whether it waits to become the primary one.
func newest(keys *keyset.Handle) (id uint32, staged bool) {
	info := keys.KeysetInfo()
	id = info.KeyInfo[len(info.KeyInfo)-1].KeyId
	return id, id != info.PrimaryKeyId
}

func keysOf(hashing *keyset.Handle) (keys []Key) {
	info := hashing.KeysetInfo()
	state := Older
	for _, k := range info.KeyInfo {
		if k.KeyId == info.PrimaryKeyId {
			state = Primary
		}
		keys = append(keys, Key{fmt.Sprintf("%08x", k.KeyId), state})
		if state == Primary {
			state = Staged
		}
	}
	return keys
}

// ages are the prefixes of hashes under each key, oldest first, and which is the primary one's. A prefix is a version
// byte and the key's id (Tink, "Tink wire format").
func ages(hashing *keyset.Handle) (order []string, primary int) {
	info := hashing.KeysetInfo()
	for i, k := range info.KeyInfo {
		order = append(order, string(binary.BigEndian.AppendUint32([]byte{1}, k.KeyId)))
		if k.KeyId == info.PrimaryKeyId {
			primary = i
		}
	}
	return order, primary
}

// change replaces the ring file by what edit makes of it. Whoever reads it meanwhile finds the old ring or the new one.
func change(path string, edit func(sealing, hashing *keyset.Handle) (*keyset.Handle, *keyset.Handle, error)) error {
	path, err := filepath.EvalSymlinks(path) // the file is replaced, not the link that leads to it
	if err != nil {
		return fmt.Errorf("open key ring: %w", err)
	}
	folder, err := lockFolder(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close()
	raw, err := read(path)
	if err != nil {
		return err
	}
	sealing, hashing, err := decode(raw)
	if err == nil {
		sealing, hashing, err = edit(sealing, hashing)
	}
	if err == nil {
		raw, err = encode(sealing, hashing)
	}
	if err == nil {
		_, err = parse(raw) // what cannot be opened must not take the place of what can
	}
	if err != nil {
		return fmt.Errorf("change key ring %s: %w", path, err)
	}
	return replace(path, raw)
}

// lockFolder makes two changes at once take turns: each would otherwise lose the other's key.
func lockFolder(path string) (*os.File, error) {
	folder, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("change key ring: %w", err)
	}
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil {
		folder.Close()
		return nil, fmt.Errorf("change key ring: lock %s: %w", path, err)
	}
	return folder, nil
}

// replace writes beside the file what takes its place at once. A file that an earlier change left there goes.
func replace(path string, raw []byte) error {
	beside := path + ".new"
	if err := os.Remove(beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("change key ring: %w", err)
	}
	file, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("change key ring: %w", err)
	}
	if err := errors.Join(keepOwner(path, file), writeOut(file, raw)); err != nil {
		os.Remove(beside)
		return fmt.Errorf("change key ring: %w", err)
	}
	faultpoint.Here("rotate.before_rename")
	if err := os.Rename(beside, path); err != nil {
		return fmt.Errorf("change key ring: %w", err)
	}
	faultpoint.Here("rotate.after_rename")
	return syncFolder(filepath.Dir(path))
}

// keepOwner gives file the owner of the one at path: rotated by root, it must stay readable to the server.
func keepOwner(path string, file *os.File) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		return file.Chown(int(owner.Uid), int(owner.Gid))
	}
	return nil
}

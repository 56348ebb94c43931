package store

import (
	"context"
	"errors"
	"fmt"
)

// ringText is what the database keeps the keyed hash of.
const ringText = "otpost ring 1"

// Hasher is the part of a key ring that proves which ring it is. *seal.Ring is one.
type Hasher interface {
	Hash(data []byte) ([]byte, error)
	Matches(hash, data []byte) bool
}

// ErrOtherRing is returned by CheckRing for a ring that this database was not written with.
var ErrOtherRing = errors.New("the key ring is not the one this database is written with: no passcode could be verified and no waiting message opened; " +
	"point the setting keys at the right file, or begin with an empty database")

// CheckRing ties the database to a key ring at its first use, and refuses any other from then on. With a wrong ring
// right codes would count as wrong guesses, and nobody would be told why.
func (db *DB) CheckRing(ctx context.Context, ring Hasher) error {
	hash, err := ring.Hash([]byte(ringText))
	if err != nil {
		return fmt.Errorf("check key ring: %w", err)
	}
	var kept []byte
	err = db.transact(ctx, func(t *tx) error {
		if err := t.do(`INSERT INTO ring (one, hash) VALUES (1, $1) ON CONFLICT DO NOTHING`, hash); err != nil {
			return err
		}
		_, err := t.one(`SELECT hash FROM ring`, nil, &kept)
		return err
	})
	if err != nil {
		return fmt.Errorf("check key ring: %w", err)
	}
	if !ring.Matches(kept, []byte(ringText)) {
		return ErrOtherRing
	}
	return nil
}

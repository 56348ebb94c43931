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
	// Outdated reports whether hash was made under a key older than the one that Hash uses.
	Outdated(hash []byte) bool
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
	return judgeRing(ring, kept, err)
}

// judgeRing says of a ring what the kept hash, or the error of reading it, means.
func judgeRing(ring Hasher, kept []byte, err error) error {
	if err != nil {
		return fmt.Errorf("check key ring: %w", err)
	}
	if !ring.Matches(kept, []byte(ringText)) {
		return ErrOtherRing
	}
	return nil
}

// FollowRing is called by a process that is about to write under the ring's primary key: after a rotation the database
// belongs to rings that hold that key, and a process whose ring lacks it is refused from then on.
func (db *DB) FollowRing(ctx context.Context, ring Hasher) error {
	hash, err := ring.Hash([]byte(ringText))
	if err != nil {
		return fmt.Errorf("follow key ring: %w", err)
	}
	err = db.transact(ctx, func(t *tx) error {
		var kept []byte
		if _, err := t.one(`SELECT hash FROM ring`+t.lock(), nil, &kept); err != nil || !ring.Outdated(kept) {
			return err
		}
		return t.do(`UPDATE ring SET hash = $1`, hash)
	})
	if err != nil {
		return fmt.Errorf("follow key ring: %w", err)
	}
	return nil
}

// KnowsRing reports, as an error, that a ring lacks the key that this database is written with by now. A database that
// no ring was tied to, as after otpost migrate alone, is written with none.
func (db *DB) KnowsRing(ctx context.Context, ring Hasher) error {
	var kept []byte
	err := db.look(ctx, func(t *tx) error {
		_, err := t.one(`SELECT hash FROM ring`, nil, &kept)
		return err
	})
	if err == nil && kept == nil {
		return nil
	}
	return judgeRing(ring, kept, err)
}

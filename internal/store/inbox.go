package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// KeptMessage is one message of the built-in inbox.
type KeptMessage struct {
	ID         string
	ReceivedAt time.Time
	Message    outbox.Message
}

// Keep puts a message into the built-in inbox, sealed. Kept twice under one id, it is kept once.
func (db *DB) Keep(ctx context.Context, id string, m outbox.Message, now time.Time) error {
	sealed, err := db.sealer.Seal(encodeMessage(&m), "inbox "+id)
	if err != nil {
		return fmt.Errorf("seal inbox message: %w", err)
	}
	err = db.transact(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO inbox (id, recipient, challenge, received_at, message) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT DO NOTHING`, id, strings.ToLower(m.To), m.Passcode, now.UnixMilli(), sealed)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep inbox message: %w", err)
	}
	return nil
}

// Kept lists the inbox, newest first: the messages to one recipient, whatever its case, or all when to is empty; or the
// one with the given id.
func (db *DB) Kept(ctx context.Context, to, id string, limit int) (messages []KeptMessage, err error) {
	err = db.look(ctx, func(t *tx) error {
		messages = nil
		return t.query(ctx, `SELECT id, received_at, message FROM inbox
			WHERE ($1 = '' OR recipient = $1) AND ($2 = '' OR id = $2) ORDER BY received_at DESC, id DESC LIMIT $3`,
			[]any{strings.ToLower(to), id, limit}, func(scan func(...any) error) error {
				var k KeptMessage
				var received int64
				var sealed []byte
				if err := scan(&k.ID, &received, &sealed); err != nil {
					return err
				}
				plain, err := db.sealer.Open(sealed, "inbox "+k.ID)
				if err != nil {
					return err
				}
				m, err := decodeMessage(plain)
				if err != nil {
					return err
				}
				k.Message, k.ReceivedAt = *m, fromMillis(received)
				messages = append(messages, k)
				return nil
			})
	})
	if err != nil {
		return nil, fmt.Errorf("read inbox: %w", err)
	}
	return messages, nil
}

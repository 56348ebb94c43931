package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/otpost/otpost/internal/outbox"
)

// A message is sealed as one blob: a version byte, then each member as a length and its bytes. The seal is bound to
// the row's id, so that a body cannot be moved to another delivery.

const messageVersion = 1

func members(m *outbox.Message) []*string {
	return []*string{(*string)(&m.Channel), &m.To, &m.From, &m.FromName, &m.Subject, &m.Text, &m.HTML, &m.Language,
		&m.Code, &m.Application, &m.Purpose, &m.Passcode}
}

func encodeMessage(m *outbox.Message) []byte {
	b := make([]byte, 1, 256+len(m.Text)+len(m.HTML))
	b[0] = messageVersion
	for _, s := range members(m) {
		b = binary.AppendUvarint(b, uint64(len(*s)))
		b = append(b, *s...)
	}
	return b
}

func decodeMessage(b []byte) (*outbox.Message, error) {
	if len(b) == 0 || b[0] != messageVersion {
		return nil, errors.New("not a message of a known version")
	}
	b = b[1:]
	var m outbox.Message
	for _, s := range members(&m) {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return nil, errors.New("message is cut short")
		}
		*s, b = string(b[used:used+int(n)]), b[used+int(n):]
	}
	return &m, nil
}

func (db *DB) sealMessage(d *outbox.Delivery) ([]byte, error) {
	if d.Message == nil {
		return nil, nil
	}
	sealed, err := db.sealer.Seal(encodeMessage(d.Message), "message "+d.ID)
	if err != nil {
		return nil, fmt.Errorf("seal message: %w", err)
	}
	return sealed, nil
}

func (db *DB) openMessage(id string, sealed []byte) (*outbox.Message, error) {
	plain, err := db.sealer.Open(sealed, "message "+id)
	if err != nil {
		return nil, fmt.Errorf("open message: %w", err)
	}
	m, err := decodeMessage(plain)
	if err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	return m, nil
}

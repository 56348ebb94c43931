//go:build unix

package mailserver

import (
	"bytes"
	"errors"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// maildir reads the folder new of a Maildir. A file there is whole and never changes, so each is read once.
type maildir struct {
	folder string

	mu    sync.Mutex
	known map[string]bool
	// mails are the texts by lower-case address, in the order they were found.
	mails map[string][][]byte
}

func (d *maildir) texts(address string) ([][]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	entries, err := os.ReadDir(d.folder) // sorted by name, which begins with the time
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if d.known == nil {
		d.known, d.mails = map[string]bool{}, map[string][][]byte{}
	}
	for _, e := range entries {
		if d.known[e.Name()] {
			continue
		}
		if err := d.read(e.Name()); err != nil {
			return nil, err
		}
		d.known[e.Name()] = true
	}
	return append([][]byte(nil), d.mails[strings.ToLower(address)]...), nil
}

func (d *maildir) read(name string) error {
	text, err := os.ReadFile(filepath.Join(d.folder, name))
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(bytes.NewReader(text))
	if err != nil {
		return err
	}
	to := strings.ToLower(m.Header.Get("Envelope-To"))
	d.mails[to] = append(d.mails[to], text)
	return nil
}

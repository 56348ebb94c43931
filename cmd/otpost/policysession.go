package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// keptSession is a journey in a file, between two runs of the command. The file is for its owner's eyes: it holds what
// was typed, but no code.
type keptSession struct {
	ID       string                 `json:"id"`
	Policy   string                 `json:"policy"`
	Began    time.Time              `json:"began"`
	Claims   []keptClaim            `json:"claims"`
	Opened   []string               `json:"opened,omitempty"`
	Controls map[string]keptControl `json:"controls,omitempty"`
	Retries  map[string]int         `json:"retries,omitempty"`
	Device   execute.Device         `json:"device"`
}

type keptControl struct {
	Claims   []keptClaim `json:"claims"`
	Sent     bool        `json:"sent"`
	Verified bool        `json:"verified"`
}

// keptClaim is a claim with its type: a phone number that came back as a string would not be one any more.
type keptClaim struct {
	Name   string     `json:"name"`
	Type   claim.Type `json:"type"`
	Values []string   `json:"values"`
}

// sessionName is the file's name in its folder.
const sessionName = "session.json"

// openSession reads the journey in a folder, or begins one.
func openSession(folder, policy string) (*execute.Session, error) {
	text, err := os.ReadFile(filepath.Join(folder, sessionName))
	if folder == "" || errors.Is(err, fs.ErrNotExist) {
		return &execute.Session{ID: rand.Text(), Policy: policy, Began: now()}, nil
	}
	var k keptSession
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err != nil {
		return nil, fmt.Errorf("read session: %w", err)
	}
	if k.Policy != policy {
		return nil, usageErrorf("the session in %s is of the policy %s; take another folder for %s", folder, k.Policy, policy)
	}
	s := &execute.Session{ID: k.ID, Policy: k.Policy, Began: k.Began, Opened: k.Opened, Retries: k.Retries, Device: k.Device}
	if err := unkeep(k.Claims, &s.Claims); err != nil {
		return nil, err
	}
	s.Controls = map[string]*execute.Control{}
	for id, c := range k.Controls {
		control := &execute.Control{Sent: c.Sent, Verified: c.Verified}
		if err := unkeep(c.Claims, &control.Claims); err != nil {
			return nil, err
		}
		s.Controls[id] = control
	}
	return s, nil
}

// saveSession writes the journey for its owner alone.
func saveSession(folder string, s *execute.Session) error {
	if folder == "" {
		return nil
	}
	k := keptSession{ID: s.ID, Policy: s.Policy, Began: s.Began, Claims: keep(&s.Claims), Opened: s.Opened, Retries: s.Retries,
		Device: s.Device, Controls: map[string]keptControl{}}
	for id, c := range s.Controls {
		k.Controls[id] = keptControl{keep(&c.Claims), c.Sent, c.Verified}
	}
	text, err := json.MarshalIndent(k, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, sessionName), append(text, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("write session: %w", err)
	}
	return nil
}

func keep(b *claim.Bag) []keptClaim {
	list := []keptClaim{}
	for name, v := range b.All() {
		list = append(list, keptClaim{name, v.Type(), v.Items()})
	}
	return list
}

func unkeep(list []keptClaim, into *claim.Bag) error {
	for _, c := range list {
		v, err := typedClaim(c.Type, c.Values)
		if err != nil {
			return fmt.Errorf("read session: claim %s: %w", c.Name, err)
		}
		into.Set(c.Name, v)
	}
	return nil
}

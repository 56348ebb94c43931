package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/otpost/otpost/internal/trustframework/execute"
)

// sessionName is the file's name in its folder.
const sessionName = "session.json"

// openSession reads the journey in a folder, or begins one.
func openSession(folder, policy string) (*execute.Session, error) {
	text, err := os.ReadFile(filepath.Join(folder, sessionName))
	if folder == "" || errors.Is(err, fs.ErrNotExist) {
		return &execute.Session{ID: rand.Text(), Policy: policy, Began: now()}, nil
	}
	s := &execute.Session{}
	if err == nil {
		err = json.Unmarshal(text, s)
	}
	if err != nil {
		return nil, fmt.Errorf("read session in %s: %w; remove the folder to begin anew", folder, err)
	}
	if s.Policy != policy {
		return nil, usageErrorf("the session in %s is of the policy %s; take another folder for %s", folder, s.Policy, policy)
	}
	return s, nil
}

// saveSession writes the journey for its owner's eyes alone: it holds what was typed, but no code.
func saveSession(folder string, s *execute.Session) error {
	if folder == "" {
		return nil
	}
	text, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, sessionName), append(text, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("write session: %w", err)
	}
	return nil
}

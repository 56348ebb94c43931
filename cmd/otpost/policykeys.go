package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// The bounds of policy keys.
const (
	maxPolicyKey  = 64 << 10
	maxPolicyKeys = 1000
)

// policyKeys reads the keys that policies name by their StorageReferenceId, which are told apart without case. Each is a
// file of its own, so that a secret of Kubernetes or Docker can be mounted as it is.
func policyKeys(folder string) (func(storage string) (string, bool), error) {
	keys := map[string]string{}
	find := func(storage string) (string, bool) {
		key, ok := keys[strings.ToLower(strings.TrimSpace(storage))]
		return key, ok
	}
	if folder == "" {
		return find, nil
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("setting b2c_keys: %w", err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") { // Kubernetes keeps the files of a mount in a hidden folder
			continue
		}
		name := strings.ToLower(entry.Name())
		if _, twice := keys[name]; twice {
			return nil, fmt.Errorf("setting b2c_keys: %s is there twice; names of keys are told apart without case", entry.Name())
		}
		if keys[name], err = policyKey(filepath.Join(folder, entry.Name())); err != nil {
			return nil, fmt.Errorf("setting b2c_keys: %w", err)
		}
		if len(keys) > maxPolicyKeys {
			return nil, fmt.Errorf("setting b2c_keys: %s holds more than %d files", folder, maxPolicyKeys)
		}
	}
	return find, nil
}

// policyKey reads one key. A file that others may read is refused, as the key ring is.
func policyKey(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is no file; keep one file for each key in the folder", path)
	case info.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("%s has the mode %04o, so others can read the key; run: chmod 600 %s", path, info.Mode().Perm(), path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPolicyKey+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > maxPolicyKey:
		return "", fmt.Errorf("%s is larger than %d bytes", path, maxPolicyKey)
	case strings.TrimSpace(string(text)) == "":
		return "", errors.New(path + " is empty; write the key into it")
	}
	return strings.TrimSpace(string(text)), nil
}

package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/otpost/otpost/internal/config"
)

// FuzzFile feeds any bytes as the file: Load answers with settings or with problems, and never panics.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"", "listen: :8080\n", "listen: [a, b]\n", "- a\n", "listen: &a x\nops_listen: *a\n", "a: {b: c}\n", "---\n---\n",
		"code_length: !!int 5\n", "null", "limit_guesses: 5/10m,off\n", "? [a]\n: b\n", "database: \"sqlite:\\0\"\n", "<<: {listen: x}\n",
	} {
		f.Add(seed)
	}
	path := filepath.Join(f.TempDir(), "otpost.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(config.Sources{Path: path})
		var problems config.Problems
		switch {
		case err == nil && c == nil, err != nil && !errors.As(err, &problems):
			t.Errorf("got %v, %v", c, err)
		case err == nil && (c.CodeLength < 4 || c.CodeLength > 12 || c.Lease <= c.AttemptTimeout):
			t.Errorf("took settings that are out of bounds: %+v", c)
		}
	})
}

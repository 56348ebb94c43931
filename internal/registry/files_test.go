package registry_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/registry"
)

// Whoever may change settings may not read the server's files through them, nor learn which there are.
func TestADocumentReadsNoFile(t *testing.T) {
	d := newDesk(t)
	there := filepath.Join(t.TempDir(), "there.pem")
	if err := os.WriteFile(there, []byte("-----BEGIN CERTIFICATE-----"), 0o600); err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, path := range []string{there, there + ".not"} {
		_, err := d.Apply(t.Context(), "test", []registry.Change{{Kind: registry.ProviderKind, Name: "mail",
			Body: []byte(`{"kind":"smtp","settings":{"host":"mail.example.org","from":"a@example.org","root_ca":"` + path + `"}}`)}})
		if err == nil || !strings.Contains(err.Error(), "otpost apply") {
			t.Fatalf("%s: %v", path, err)
		}
		said[err.Error()] = true
	}
	if len(said) != 1 {
		t.Errorf("it tells which files there are: %v", said)
	}
}

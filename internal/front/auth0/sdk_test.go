package auth0_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/front/auth0"
)

// sdkVersion is the release of the npm package auth0 that the names were taken from.
const sdkVersion = "auth0@7.1.0"

// TestAuth0sOwnSDK has the SDK that Auth0 publishes speak with the door. It needs node and npm, and npm's registry.
func TestAuth0sOwnSDK(t *testing.T) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed, so Auth0's SDK cannot be run", program)
		}
	}
	if testing.Short() {
		t.Skip("the SDK is downloaded, which is not short")
	}
	folder := t.TempDir()
	install := exec.CommandContext(t.Context(), "npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", sdkVersion)
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("npm could not install %s: %v\n%s", sdkVersion, err, out)
	}
	mux := http.NewServeMux()
	(&auth0.Handler{Settings: (&shelf{}).open(t), Access: doorkeeper{}}).Mount(mux)
	server := httptest.NewTLSServer(mux)
	defer server.Close()
	authority := filepath.Join(folder, "authority.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(authority, block, 0o600); err != nil {
		t.Fatal(err)
	}
	client := exec.CommandContext(t.Context(), "node", "testdata/sdk.cjs", filepath.Join(folder, "node_modules", "auth0"),
		strings.TrimPrefix(server.URL, "https://"), adminKey)
	client.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+authority)
	out, err := client.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if *update {
		if err := os.WriteFile("testdata/sdk.jsonl", out, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/sdk.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != string(want) {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

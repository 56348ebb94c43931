package otp_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/otp"
)

// TestPublicPacks holds that every profile of the public packs can be run. B2C_PACKS names a folder with clones of
// them; see the tests of trustframework.
func TestPublicPacks(t *testing.T) {
	root := os.Getenv("B2C_PACKS")
	if root == "" {
		t.Skip("B2C_PACKS names no folder with the public packs")
	}
	kinds := map[string]int{}
	for _, pack := range []string{"samples", "unit-tests", "active-directory-b2c-custom-policy-starterpack"} {
		set, err := trustframework.Load(packFiles(t, root, pack), trustframework.Options{
			Settings: map[string]string{"Tenant": "contoso.example", "DeploymentMode": "Development", "AppInsightsKey": "none"}})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[trustframework.Origin]bool{}
		for _, p := range set.Policies {
			for _, profile := range p.TechnicalProfiles {
				kind := profile.Protocol.HandlerType()
				if kind != otp.OneTimePasswordHandler && kind != otp.SSPRHandler || seen[profile.At] {
					continue
				}
				seen[profile.At] = true
				kinds[kind]++
				for _, problem := range check(t, p, profile.ID) {
					if t.Logf("%s: %s %v", pack, problem.Weight, problem); problem.Weight > trustframework.Odd {
						t.Errorf("%s: %v", pack, problem)
					}
				}
			}
		}
	}
	if kinds[otp.OneTimePasswordHandler] < 17 || kinds[otp.SSPRHandler] < 12 {
		t.Errorf("%v, want 17 one-time-password profiles and 12 of SSPR", kinds)
	}
}

// packFiles are a pack's policies, with the part of the starter pack that the packs are made to build on.
func packFiles(t *testing.T, root, pack string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	take := func(from fs.FS, name, as string) error {
		data, err := fs.ReadFile(from, name)
		files[as] = &fstest.MapFile{Data: data}
		return err
	}
	all := os.DirFS(root)
	for _, name := range []string{"TrustFrameworkBase.xml", "TrustFrameworkLocalization.xml", "TrustFrameworkExtensions.xml"} {
		if err := take(all, path.Join("active-directory-b2c-custom-policy-starterpack/SocialAndLocalAccountsWithMfa", name), name); err != nil {
			t.Fatal(err)
		}
	}
	below := os.DirFS(filepath.Join(root, pack))
	err := fs.WalkDir(below, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.EqualFold(path.Ext(name), ".xml") {
			return err
		}
		return take(below, name, name)
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

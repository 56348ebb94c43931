package trustframework_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otpost/otpost/internal/trustframework"
)

// starter is the part of Microsoft's starter pack that the other packs are made to build on.
const starter = "active-directory-b2c-custom-policy-starterpack/SocialAndLocalAccountsWithMfa"

// B2C_PACKS names a folder with clones of the public packs azure-ad-b2c/samples, azure-ad-b2c/unit-tests and
// Azure-Samples/active-directory-b2c-custom-policy-starterpack, by their names. They are no part of otpost.
func TestPublicPacks(t *testing.T) {
	root := os.Getenv("B2C_PACKS")
	if root == "" {
		t.Skip("B2C_PACKS names no folder with the public packs")
	}
	for name, least := range map[string]int{"samples": 250, "unit-tests": 110, "active-directory-b2c-custom-policy-starterpack": 50} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{}
			for _, file := range []string{"TrustFrameworkBase.xml", "TrustFrameworkLocalization.xml", "TrustFrameworkExtensions.xml"} {
				files[file] = &fstest.MapFile{Data: fileOf(t, filepath.Join(root, starter, file))}
			}
			collect(t, os.DirFS(filepath.Join(root, name)), files)
			set := load(t, files, trustframework.Options{
				Settings: map[string]string{"Tenant": "contoso.example", "DeploymentMode": "Development", "AppInsightsKey": "none"},
			})
			checkPack(t, files, set, least)
		})
	}
}

func fileOf(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// collect takes the XML files of a pack.
func collect(t *testing.T, pack fs.FS, files fstest.MapFS) {
	t.Helper()
	err := fs.WalkDir(pack, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.EqualFold(path.Ext(name), ".xml") {
			return err
		}
		data, err := fs.ReadFile(pack, name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkPack holds that each file is a policy or refused with its reason, and little of a published policy is broken.
func checkPack(t *testing.T, files fstest.MapFS, set *trustframework.Set, least int) {
	t.Helper()
	told, profiles := map[string]bool{}, 0
	for _, p := range set.Policies {
		told[p.At.File] = true
		profiles += len(p.TechnicalProfiles)
	}
	if len(told) < least {
		t.Errorf("%d policies were read, want at least %d", len(told), least)
	}
	weights := map[trustframework.Weight]int{}
	for _, p := range set.Problems {
		weights[p.Weight]++
		switch p.Weight {
		case trustframework.Refused:
			told[p.At.File] = true
		case trustframework.Broken:
			// Two of the samples have elements where B2C's schema has no place for them.
			if !strings.Contains(p.Reason, "where the schema has no place for it") {
				t.Error(p)
			}
		}
	}
	for name := range files {
		if !told[name] {
			t.Errorf("%s is neither read nor refused", name)
		}
	}
	t.Logf("%d files: %d policies with %d technical profiles, %d refused, %d broken, %d odd", len(files), len(set.Policies), profiles,
		weights[trustframework.Refused], weights[trustframework.Broken], weights[trustframework.Odd])
}

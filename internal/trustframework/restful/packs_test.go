package restful_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/restful"
)

// B2C_PACKS names a folder with clones of the public packs azure-ad-b2c/samples, azure-ad-b2c/unit-tests and
// Azure-Samples/active-directory-b2c-custom-policy-starterpack, by their names. They are no part of otpost.
func TestPublicPacks(t *testing.T) {
	root := os.Getenv("B2C_PACKS")
	if root == "" {
		t.Skip("B2C_PACKS names no folder with the public packs")
	}
	c := client(t, restful.Options{Keys: func(string) (string, bool) { return "key", true }})
	seen := map[trustframework.Origin]bool{}
	passed, refused := 0, map[string]int{}
	for _, pack := range []string{"samples", "unit-tests", "active-directory-b2c-custom-policy-starterpack"} {
		for _, p := range packPolicies(t, root, pack) {
			for _, profile := range p.TechnicalProfiles {
				at := profile.At
				at.File = pack + "/" + at.File
				if profile.Protocol.HandlerType() != restful.Kind || seen[at] {
					continue
				}
				seen[at] = true
				if about := c.About(profile); !strings.HasPrefix(about.Kind, "REST call") {
					t.Errorf("%s: is a %s", at, about.Kind)
				}
				graver := false
				for _, problem := range c.Check(p, profile) {
					if problem.At.Line == 0 {
						t.Errorf("%s: %v has no place", at, problem)
					}
					word, _, _ := strings.Cut(problem.Reason, ";")
					t.Logf("%s %s/%s", problem.Weight, pack, problem.Error())
					if problem.Weight != trustframework.Odd {
						graver = true
						refused[word]++
					}
				}
				if !graver {
					passed++
				}
			}
		}
	}
	t.Logf("%d profiles, %d pass; refused: %v", len(seen), passed, refused)
	if len(seen) < 65 || passed < 50 || len(refused) == 0 {
		t.Errorf("%d profiles, %d pass, %v", len(seen), passed, refused)
	}
}

// packPolicies reads a pack with the part of the starter pack that the others are made to build on.
func packPolicies(t *testing.T, root, pack string) []*trustframework.Policy {
	t.Helper()
	files := fstest.MapFS{}
	take := func(under string) {
		err := filepath.WalkDir(under, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.EqualFold(path.Ext(name), ".xml") {
				return err
			}
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(under, name)
			files[filepath.ToSlash(rel)] = &fstest.MapFile{Data: data}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	take(filepath.Join(root, "active-directory-b2c-custom-policy-starterpack/SocialAndLocalAccountsWithMfa"))
	take(filepath.Join(root, pack))
	set, err := trustframework.Load(files, trustframework.Options{Settings: map[string]string{"Tenant": "contoso.example", "DeploymentMode": "Development", "AppInsightsKey": "none"}})
	if err != nil {
		t.Fatal(err)
	}
	return set.Policies
}

package transform_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/predicate"
	"github.com/otpost/otpost/internal/trustframework/transform"
)

// starter is the part of Microsoft's starter pack that the other packs are made to build on.
const starter = "active-directory-b2c-custom-policy-starterpack/SocialAndLocalAccountsWithMfa"

// B2C_PACKS names a folder with clones of public packs, by their names; they are no part of otpost. What this test
// holds is that nothing that can be run is called broken in them; it tells how much can.
func TestPublicPacks(t *testing.T) {
	root := os.Getenv("B2C_PACKS")
	if root == "" {
		t.Skip("B2C_PACKS names no folder with the public packs")
	}
	p := &packs{t: t, seen: map[trustframework.Origin]bool{}, unknown: map[string]int{}, told: map[trustframework.Problem]bool{}}
	for _, name := range []string{"samples", "unit-tests", "active-directory-b2c-custom-policy-starterpack"} {
		files := fstest.MapFS{}
		for _, file := range []string{"TrustFrameworkBase.xml", "TrustFrameworkLocalization.xml", "TrustFrameworkExtensions.xml"} {
			data, err := os.ReadFile(filepath.Join(root, starter, file))
			if err != nil {
				t.Fatal(err)
			}
			files[file] = &fstest.MapFile{Data: data}
		}
		err := fs.WalkDir(os.DirFS(filepath.Join(root, name)), ".", func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.EqualFold(path.Ext(file), ".xml") {
				return err
			}
			data, err := os.ReadFile(filepath.Join(root, name, file))
			files[name+"/"+file] = &fstest.MapFile{Data: data}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		p.check(files)
	}
	if p.known < 470 {
		t.Errorf("%d transformations can be run", p.known)
	}
	t.Logf("%d transformations: %d can be run, of the others there are %v", len(p.seen), p.known, p.unknown)
}

type packs struct {
	t       *testing.T
	seen    map[trustframework.Origin]bool
	known   int
	unknown map[string]int
	told    map[trustframework.Problem]bool
}

func (p *packs) check(files fstest.MapFS) {
	set, err := trustframework.Load(files, trustframework.Options{
		Settings: map[string]string{"Tenant": "contoso.example", "DeploymentMode": "Development", "AppInsightsKey": "none"},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	leaned := map[*trustframework.Policy]bool{}
	for _, policy := range set.Policies {
		leaned[policy.Base] = true
	}
	for _, policy := range set.Policies {
		if leaned[policy] {
			continue
		}
		p.tell(predicate.Check(policy))
		for _, c := range policy.Transformations {
			problems := transform.Check(policy, c)
			runs := len(problems) != 1 || !strings.Contains(problems[0].Reason, "is not one that can be run")
			if runs {
				p.tell(problems)
			}
			switch {
			case p.seen[c.At]:
			case runs:
				p.known++
			default:
				p.unknown[c.Method]++
			}
			p.seen[c.At] = true
		}
	}
}

// tell logs what is odd, and fails for what is broken.
func (p *packs) tell(problems []trustframework.Problem) {
	for _, problem := range problems {
		switch {
		case p.told[problem]:
		case problem.Weight == trustframework.Broken:
			p.t.Error(problem)
		default:
			p.t.Log(problem)
		}
		p.told[problem] = true
	}
}

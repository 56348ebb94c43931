// Package packs reads the public packs of B2C policies, for tests.
package packs

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/otpost/otpost/internal/trustframework"
)

// The packs, by the names of their repositories: azure-ad-b2c/samples, azure-ad-b2c/unit-tests and Azure-Samples/
// active-directory-b2c-custom-policy-starterpack.
const (
	Samples   = "samples"
	UnitTests = "unit-tests"
	Starter   = "active-directory-b2c-custom-policy-starterpack"
)

// absent stands for a file that one of the samples builds on and that is not published with it.
const absent = `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0" TenantId="t" PolicyId="B2C_1A_MFA_TrustFrameworkExtensions" PublicPolicyUri="http://t/absent">
<BasePolicy><TenantId>t</TenantId><PolicyId>B2C_1A_TrustFrameworkExtensions</PolicyId></BasePolicy></TrustFrameworkPolicy>`

// Pack is the policy files of one pack, in a folder of its name. At the top are those that all packs are made to build on.
type Pack struct {
	Name  string
	Files fstest.MapFS
}

// Read reads the packs. They are no part of otpost: the environment's B2C_PACKS names a folder with clones of them, by
// their names. A test without it is skipped.
func Read(t testing.TB) []Pack {
	t.Helper()
	root := os.Getenv("B2C_PACKS")
	if root == "" {
		t.Skip("B2C_PACKS names no folder with the public packs")
	}
	var packs []Pack
	for _, name := range []string{Samples, UnitTests, Starter} {
		p := Pack{Name: name, Files: fstest.MapFS{"absent.xml": {Data: []byte(absent)}}}
		for _, file := range []string{"TrustFrameworkBase.xml", "TrustFrameworkLocalization.xml", "TrustFrameworkExtensions.xml"} {
			p.take(t, os.DirFS(root), path.Join(Starter, "SocialAndLocalAccountsWithMfa", file), file)
		}
		p.collect(t, os.DirFS(root))
		packs = append(packs, p)
	}
	return packs
}

func (p Pack) take(t testing.TB, from fs.FS, name, as string) {
	t.Helper()
	data, err := fs.ReadFile(from, name)
	if err != nil {
		t.Fatal(err)
	}
	p.Files[as] = &fstest.MapFile{Data: data}
}

// collect takes the XML files below the pack's name.
func (p Pack) collect(t testing.TB, from fs.FS) {
	t.Helper()
	err := fs.WalkDir(from, p.Name, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.EqualFold(path.Ext(name), ".xml") {
			p.take(t, from, name, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Load reads the pack's policies, with settings that every pack can be read with.
func (p Pack) Load(t testing.TB) *trustframework.Set {
	t.Helper()
	set, err := trustframework.Load(p.Files, trustframework.Options{
		Settings: map[string]string{"Tenant": "contoso.example", "DeploymentMode": "Development", "AppInsightsKey": "none"}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// Shared says that a file is none of the pack's own.
func Shared(at trustframework.Origin) bool { return !strings.Contains(at.File, "/") }

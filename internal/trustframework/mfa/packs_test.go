package mfa_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/mfa"
)

// TestPublicPacks runs every multifactor profile of the public packs on the engines. B2C_PACKS names a folder with
// clones of azure-ad-b2c/samples, azure-ad-b2c/unit-tests and
// Azure-Samples/active-directory-b2c-custom-policy-starterpack, by their names. They are no part of otpost.
func TestPublicPacks(t *testing.T) {
	root := os.Getenv("B2C_PACKS")
	if root == "" {
		t.Skip("B2C_PACKS names no folder with the public packs")
	}
	const starter = "active-directory-b2c-custom-policy-starterpack"
	for pack, want := range map[string]int{"samples": 13, "unit-tests": 2, starter: 2} {
		t.Run(pack, func(t *testing.T) {
			files := fstest.MapFS{}
			shared := os.DirFS(filepath.Join(root, starter, "SocialAndLocalAccountsWithMfa"))
			for _, from := range []fs.FS{shared, os.DirFS(filepath.Join(root, pack))} {
				collect(t, from, files)
			}
			files["absent.xml"] = &fstest.MapFile{Data: []byte(absent)}
			set, err := trustframework.Load(files, trustframework.Options{Settings: map[string]string{"Tenant": "contoso.example", "DeploymentMode": "Development", "AppInsightsKey": "none"}})
			if err != nil {
				t.Fatal(err)
			}
			inBubble(t, func(t *testing.T, b *bench) {
				ran := 0
				for i, p := range set.Policies {
					if n := (&packed{journey: b.packed(t, p, i), profiles: own(t, p)}).all(t); n > 0 {
						t.Logf("%s: %d profiles ran", p.At.File, n)
						ran += n
					}
				}
				if ran != want {
					t.Errorf("%d profiles ran, want %d", ran, want)
				}
			})
		})
	}
}

// absent stands for a file that one of the samples builds on and that is not published with it.
const absent = `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0" TenantId="tenant.onmicrosoft.com" PolicyId="B2C_1A_MFA_TRUSTFRAMEWORKEXTENSIONS" PublicPolicyUri="http://tenant.onmicrosoft.com/absent">
<BasePolicy><TenantId>tenant.onmicrosoft.com</TenantId><PolicyId>B2C_1A_TrustFrameworkExtensions</PolicyId></BasePolicy>
</TrustFrameworkPolicy>`

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

// own are the multifactor profiles that a policy's own file declares, by Operation. None of them may be broken.
func own(t *testing.T, p *trustframework.Policy) map[string][]*trustframework.TechnicalProfile {
	t.Helper()
	found := map[string][]*trustframework.TechnicalProfile{}
	for _, profile := range p.TechnicalProfiles {
		if profile.Protocol.HandlerType() != mfa.HandlerType || profile.At.File != p.At.File {
			continue
		}
		item, _ := profile.Metadata.Get("Operation")
		found[item.Value] = append(found[item.Value], profile)
		for _, problem := range (&mfa.Handler{}).Check(p, profile) {
			if problem.Weight >= trustframework.Broken {
				t.Errorf("%s: %v", profile.ID, problem)
			}
		}
	}
	return found
}

func (b *bench) packed(t *testing.T, p *trustframework.Policy, i int) *journey {
	j := b.journey(t, "B2C_1A_Open", fmt.Sprint("packed", i))
	j.policy, j.session.Policy = p, p.ID
	return j
}

// packed runs what one file has.
type packed struct {
	*journey
	profiles map[string][]*trustframework.TechnicalProfile
}

func (x *packed) all(t *testing.T) (ran int) {
	t.Helper()
	for _, send := range x.profiles["OneWaySMS"] {
		for _, verify := range x.profiles["Verify"] {
			if x.claim(send, "phoneNumber") != x.claim(verify, "phoneNumber") {
				continue
			}
			time.Sleep(time.Hour) // all send to one number
			x.call(t, send)
			x.call(t, verify, "verificationCode", x.b.phones.last(t).Code)
			ran += 2
		}
	}
	for _, begin := range x.profiles["BeginVerifyOTP"] {
		x.call(t, begin)
		x.call(t, x.profiles["VerifyOTP"][0], "otpCode", codeOf(t, secret, time.Now()))
		x.call(t, x.profiles["GetAvailableDevices"][0])
		if n := x.session.Claims.Text("numberOfAvailableDevices"); n != "1" {
			t.Errorf("%q devices", n)
		}
		ran += 3
	}
	return ran
}

// call runs a profile with all that it takes.
func (x *packed) call(t *testing.T, profile *trustframework.TechnicalProfile, typed ...string) {
	t.Helper()
	var claims []string
	values := append([]string{"userPrincipalName", lea, "objectId", "1", "secretKey", secret, "phoneNumber", paris}, typed...)
	for i := 0; i < len(values); i += 2 {
		if claim := x.claim(profile, values[i]); claim != "" {
			claims = append(claims, claim, values[i+1])
		}
	}
	if err := x.run(t, profile.ID, claims...); err != nil {
		t.Errorf("%s in %s: %v", profile.ID, x.policy.At.File, err)
	}
}

// claim is the policy's name for an input.
func (x *packed) claim(profile *trustframework.TechnicalProfile, partner string) string {
	for _, m := range profile.InputClaims {
		if strings.EqualFold(m.PartnerName(), partner) {
			return strings.ToLower(m.Claim)
		}
	}
	return ""
}

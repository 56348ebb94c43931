package mfa_test

import (
	"encoding/json"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/qr"
	"github.com/otpost/otpost/internal/qr/qrtest"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// theirs are secrets in the forms that policies have them in: drawn by themselves, as the documentation shows them, and
// those of legacy attributes.
var theirs = []string{"", "fay2lj7ynpntjgqa", "GEZDGNBV", "GEZDGNBVGY3TQOJQGEZDGNBVGY", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}

const emily = "emily@fabrikam.com"

// drawn is the secret and the key URI that the policy makes, of a secret that it is given or of a new one.
func (j *journey) drawn(t *testing.T, given string) (secret, uri string) {
	t.Helper()
	profile, claims := "NewKeyUri", []string{"upn", emily}
	if given != "" {
		profile, claims = "KeyUri", append(claims, "secret", given)
	}
	made, err := j.ask(t, execute.Request{Profile: profile}, claims...)
	if err != nil {
		t.Fatal(err)
	}
	return made.Text("secret"), made.Text("uri")
}

// scanned is what a camera has of a key URI: the text of its QR code, read by a reader that is not ours.
func scanned(t *testing.T, uri string) string {
	t.Helper()
	svg, err := qr.Draw(uri)
	if err != nil {
		t.Fatal(err)
	}
	got := qrtest.Read(t, svg)
	if got != uri {
		t.Fatalf("the QR code is read as %q, want %q", got, uri)
	}
	return got
}

// app makes the codes of some moments from what was scanned.
type app func(t *testing.T, uri string, moments ...time.Time) []string

// enrolAndVerify is the whole chain: the policy draws a secret, which is scanned, enrolled by its first code, and verified
// in a later session.
func enrolAndVerify(t *testing.T, make app) {
	for _, given := range theirs {
		inBubble(t, func(t *testing.T, b *bench) {
			const step = 30 * time.Second
			enrols := b.journey(t, "B2C_1A_Open", "enrols")
			secret, uri := enrols.drawn(t, given)
			began := time.Now()
			codes := make(t, scanned(t, uri), began, began.Add(step), began.Add(8*step), began.Add(9*step))
			enrols.ok(t, "Begin", "upn", emily, "secret", secret)
			enrols.told(t, wrongApp, "CheckApp", "otpCode", codes[2])
			enrols.ok(t, "CheckApp", "otpCode", codes[0])
			enrols.ok(t, "CheckApp", "otpCode", codes[1]) // the app's clock may be a step ahead
			time.Sleep(9 * step)
			signsIn := b.journey(t, "B2C_1A_Open", "signs in")
			if n := signsIn.devices(t, "Emily@Fabrikam.com"); n != "1" {
				t.Errorf("%s devices, want 1", n)
			}
			signsIn.ok(t, "Begin", "upn", "Emily@Fabrikam.com")
			signsIn.ok(t, "CheckApp", "otpCode", codes[3])
			signsIn.told(t, wrongApp, "CheckApp", "otpCode", codes[3])
			signsIn.told(t, wrongApp, "CheckApp", "otpCode", codes[2]) // older than one that was taken
		})
	}
}

// TestOathtoolReadsWhatAPolicyBuilds has Debian's oathtool make the codes.
func TestOathtoolReadsWhatAPolicyBuilds(t *testing.T) {
	program, err := exec.LookPath("oathtool")
	if err != nil {
		t.Skip("oathtool is not installed: apt-get install oathtool")
	}
	enrolAndVerify(t, func(t *testing.T, uri string, moments ...time.Time) (codes []string) {
		t.Helper()
		u, err := url.Parse(uri)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range moments {
			out, err := exec.Command(program, "--base32", "--totp", "--now="+at.UTC().Format("2006-01-02 15:04:05 UTC"), u.Query().Get("secret")).CombinedOutput()
			if err != nil {
				t.Fatalf("oathtool: %v: %s", err, out)
			}
			codes = append(codes, strings.TrimSpace(string(out)))
		}
		return codes
	})
}

// otplib is the release of the npm package that plays an app.
const otplib = "otplib@13.5.0"

// TestOtplibReadsWhatAPolicyBuilds has the npm package otplib read the URI and make the codes. It needs node and npm, and
// npm's registry.
func TestOtplibReadsWhatAPolicyBuilds(t *testing.T) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed, so otplib cannot be run", program)
		}
	}
	if testing.Short() {
		t.Skip("the package is downloaded, which is not short")
	}
	folder := t.TempDir()
	install := exec.CommandContext(t.Context(), "npm", "install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", otplib)
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("npm could not install %s: %v\n%s", otplib, err, out)
	}
	enrolAndVerify(t, func(t *testing.T, uri string, moments ...time.Time) []string {
		t.Helper()
		args := []string{filepath.Join("testdata", "otplib.cjs"), folder, uri}
		for _, at := range moments {
			args = append(args, strconv.FormatInt(at.Unix(), 10))
		}
		out, err := exec.CommandContext(t.Context(), "node", args...).Output()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		var told struct {
			Type, Label, Secret, Issuer string
			Codes                       []string
		}
		if err := json.Unmarshal(out, &told); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		// This reader does not take the + of BuildUri's form encoding for a blank, and so apps exist that show it.
		if told.Type != "totp" || told.Label != "Contoso demo:emily@fabrikam.com" || told.Issuer != "Contoso+demo" {
			t.Errorf("otplib reads %+v", told)
		}
		return told.Codes
	})
}

// TestTheKeyURIIsTheDocumentedOne holds what is scanned here to what the documentation prints
// (display-control-time-based-one-time-password.md).
func TestTheKeyURIIsTheDocumentedOne(t *testing.T) {
	const want = "otpauth://totp/Contoso%20demo:emily@fabrikam.com?secret=fay2lj7ynpntjgqa&issuer=Contoso+demo"
	if _, got := answering(t, answers{}).drawn(t, "fay2lj7ynpntjgqa"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

//go:build unix

package e2e_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/otpost/otpost/e2e/browser"
)

// appCode is the code that an authenticator app which is not ours shows for a secret, so many seconds from now.
func appCode(t *testing.T, secret, when string) string {
	t.Helper()
	out, err := exec.Command("oathtool", "--totp", "--base32", "--now", when, secret).CombinedOutput()
	if err != nil {
		t.Fatalf("oathtool: %v %s; it is Debian's package oathtool", err, out)
	}
	return strings.TrimSpace(string(out))
}

// TestAnAppIsSetUpOnAPage reads the secret off the page, as a person does who cannot scan it.
func TestAnAppIsSetUpOnAPage(t *testing.T) {
	t.Parallel()
	v := newVisit(t)
	v.open(appPage)
	v.says("Set up an authenticator app", "lea@fabrikam.example")
	if f := v.Focused(); f.Attribute("name") != "" {
		t.Errorf("the page begins at %q, below what has to be read first", f.Name())
	}
	var image struct {
		Name string
		// Square is the drawn size in pixels, and 0 where it is none.
		Square float64
	}
	v.Script(&image, `const svg = document.querySelector(".qr svg").getBoundingClientRect();
		return {Name: document.querySelector(".qr").getAttribute("aria-label"), Square: svg.width === svg.height ? svg.width : 0}`)
	if image.Name != "Scan the QR code" || image.Square < 200 {
		t.Errorf("the QR code is called %q and %v pixels wide", image.Name, image.Square)
	}
	if role := v.Find(".qr").Role(); role != "image" && role != "img" {
		t.Errorf("the QR code is a %q", role)
	}
	secret := v.All(".facts dd")[1].Text()

	v.Leave(func() { v.field("Code from the app").Type("12345" + browser.Enter) })
	v.focused("Code from the app")
	v.field("Code from the app").Type(another(appCode(t, secret, "now")))
	v.press("Continue")
	v.focused("Code from the app")
	v.told("Wrong code entered, please try again.")
	if got := v.All(".facts dd")[1].Text(); got != secret {
		t.Error("a wrong code leads to another secret than the one that was scanned")
	}
	v.Focused().Type(appCode(t, secret, "now"))
	v.press("Continue")
	v.says("Done", "account lea@fabrikam.example")
	v.quiet()
}

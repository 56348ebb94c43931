package authenticator_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/qr/qrtest"
)

func TestKeyURI(t *testing.T) {
	d := authenticator.Device{Issuer: "Example", Label: "ana@example.net", Algorithm: authenticator.SHA1, Digits: 6, Period: 30 * time.Second}
	for want, change := range map[string]func(*authenticator.Device){
		"otpauth://totp/Example:ana%40example.net?secret=ULITSXFDNCEW3IHI5BMB535UW6RDOWSP&issuer=Example&algorithm=SHA1&digits=6&period=30": func(*authenticator.Device) {},
		"otpauth://totp/Lea%20%26%20Co%3F:a%2Bb%25%2Fc?secret=ULITSXFDNCEW3IHI5BMB535UW6RDOWSP&issuer=Lea%20%26%20Co%3F&algorithm=SHA512&digits=8&period=60": func(d *authenticator.Device) {
			d.Issuer, d.Label, d.Algorithm, d.Digits, d.Period = "Lea & Co?", "a+b%/c", authenticator.SHA512, 8, time.Minute
		},
	} {
		d := d
		change(&d)
		got := authenticator.URIOf(d, "ULITSXFDNCEW3IHI5BMB535UW6RDOWSP")
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		u, err := url.Parse(got)
		if err != nil || u.Path != "/"+d.Issuer+":"+d.Label || u.Query().Get("issuer") != d.Issuer {
			t.Errorf("%s is read as %q, %v", got, u.Path, err)
		}
	}
}

func TestQRCodesAreRead(t *testing.T) {
	longest := authenticator.Request{Issuer: strings.Repeat("\u00e9", 32), Label: strings.Repeat("\u00e9", 128),
		Secret: unpadded(make([]byte, 128)), Algorithm: authenticator.SHA512, Digits: 8}
	for name, r := range map[string]authenticator.Request{"usual": {}, "longest": longest} {
		e, _ := newEngine(t)
		made := enrolWith(t, e, r)
		if got := qrtest.Read(t, made.QR); got != made.URI {
			t.Errorf("%s: read %q, want %q", name, got, made.URI)
		}
	}
}

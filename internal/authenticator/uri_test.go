package authenticator_test

import (
	"image"
	"image/color"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/otpost/otpost/internal/authenticator"
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

var run = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)

// raster draws an SVG image of ours, scale pixels for a unit. It understands nothing but what drawQR writes.
func raster(t *testing.T, svg string, scale int) image.Image {
	t.Helper()
	head := regexp.MustCompile(`viewBox="0 0 (\d+) (\d+)"`).FindStringSubmatch(svg)
	path := regexp.MustCompile(` d="([^"]+)"`).FindStringSubmatch(svg)
	if head == nil || head[1] != head[2] || path == nil || run.ReplaceAllString(path[1], "") != "" {
		t.Fatalf("not an image that can be drawn: %.200s", svg)
	}
	size, _ := strconv.Atoi(head[1])
	img := image.NewGray(image.Rect(0, 0, size*scale, size*scale))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	for _, m := range run.FindAllStringSubmatch(path[1], -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		width, _ := strconv.Atoi(m[3])
		if m[3] != m[4] {
			t.Fatalf("%s does not close where it began", m[0])
		}
		if min(x, y) < 4 || max(x+width, y+1) > size-4 { // ISO/IEC 18004 wants a margin of four modules
			t.Fatalf("%s is in the margin", m[0])
		}
		for py := y * scale; py < (y+1)*scale; py++ {
			for px := x * scale; px < (x+width)*scale; px++ {
				img.SetGray(px, py, color.Gray{})
			}
		}
	}
	return img
}

// read reads a QR code with a reader that is not ours.
func read(t *testing.T, svg string) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(raster(t, svg, 4))
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil { // the largest ones are not found in a picture by this reader, which is told that it is all of it
		result, err = qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	}
	if err != nil {
		t.Fatalf("read QR code: %v", err)
	}
	return result.GetText()
}

func TestQRCodesAreRead(t *testing.T) {
	longest := authenticator.Request{Issuer: strings.Repeat("\u00e9", 32), Label: strings.Repeat("\u00e9", 128),
		Secret: unpadded(make([]byte, 128)), Algorithm: authenticator.SHA512, Digits: 8}
	for name, r := range map[string]authenticator.Request{"usual": {}, "longest": longest} {
		e, _ := newEngine(t)
		made := enrolWith(t, e, r)
		if got := read(t, made.QR); got != made.URI {
			t.Errorf("%s: read %q, want %q", name, got, made.URI)
		}
		if strings.Contains(made.QR, "style") || strings.Contains(made.QR, "script") {
			t.Errorf("%s: the image needs more than a strict policy allows: %.300s", name, made.QR)
		}
	}
}

func TestAQRCodeThatIsTooLong(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQ"
	if _, err := authenticator.DrawQR(strings.Repeat(secret, 400)); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("error %v", err)
	}
}

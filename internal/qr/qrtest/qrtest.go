// Package qrtest reads the QR codes that we draw with a reader that is not ours.
package qrtest

import (
	"image"
	"image/color"
	"regexp"
	"strconv"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// quiet is the margin that ISO/IEC 18004 §9.1 wants, in modules.
const quiet = 4

var (
	head = regexp.MustCompile(`viewBox="0 0 (\d+) (\d+)"`)
	path = regexp.MustCompile(` d="([^"]+)"`)
	run  = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)
)

// Raster draws an SVG image of ours, scale pixels for a unit. It understands nothing but what qr.Draw writes, and fails the
// test when something is drawn in the margin.
func Raster(t testing.TB, svg string, scale int) image.Image {
	t.Helper()
	box, drawn := head.FindStringSubmatch(svg), path.FindStringSubmatch(svg)
	if box == nil || box[1] != box[2] || drawn == nil || run.ReplaceAllString(drawn[1], "") != "" {
		t.Fatal("not an image that can be drawn")
	}
	size := number(box[1])
	img := image.NewGray(image.Rect(0, 0, size*scale, size*scale))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	for _, m := range run.FindAllStringSubmatch(drawn[1], -1) {
		x, y, width := number(m[1]), number(m[2]), number(m[3])
		switch {
		case m[3] != m[4]:
			t.Fatalf("%s does not close where it began", m[0])
		case min(x, y) < quiet || max(x+width, y+1) > size-quiet:
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

// number reads what a pattern has found to be digits.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

// Read is the text of an SVG image that qr.Draw made.
func Read(t testing.TB, svg string) string {
	t.Helper()
	bitmap, err := gozxing.NewBinaryBitmapFromImage(Raster(t, svg, 4))
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

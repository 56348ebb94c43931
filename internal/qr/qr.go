// Package qr draws text as a QR code.
package qr

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// MaxText is the longest text, in bytes, that Draw takes: what the largest QR code holds of any text with error correction
// M (ISO/IEC 18004, table 7, version 40).
const MaxText = 2331

// quiet is the white margin that a reader needs, in modules (ISO/IEC 18004 §9.1).
const quiet = 4

// Draw draws a text as an SVG image of one path, a unit for each module. It is black on white whatever is around it, since
// apps do not read the inverse. Its errors do not repeat the text.
func Draw(text string) (string, error) {
	if text == "" || len(text) > MaxText {
		return "", fmt.Errorf("draw QR code: a text of %d bytes, and it must have 1 to %d", len(text), MaxText)
	}
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("draw QR code: %d bytes do not fit", len(text)) // the library's error repeats the text
	}
	size := code.Bounds().Dx()
	black := func(x, y int) bool { return x < size && code.At(x, y) == color.Black }
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			from := x
			for black(x, y) {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	all := size + 2*quiet
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" shape-rendering="crispEdges">`+
		`<rect width="%d" height="%d" fill="#fff"/><path fill="#000" d="%s"/></svg>`, all, all, all, all, path.String()), nil
}

package provider_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/otpost/otpost/internal/provider"
)

// The expected numbers were computed with the npm package sms-segments-calculator 1.3.0, which is Twilio's.
func TestSegments(t *testing.T) {
	euro, grin, cyrillic := string(rune(0x20AC)), string(rune(0x1F600)), string(rune(0x416))
	for _, test := range []struct {
		name, text string
		want       int
	}{
		{"empty", "", 1},
		{"160 septets", strings.Repeat("a", 160), 1},
		{"161 septets", strings.Repeat("a", 161), 2},
		{"306 septets", strings.Repeat("a", 306), 2},
		{"307 septets", strings.Repeat("a", 307), 3},
		{"80 of two septets", strings.Repeat(euro, 80), 1},
		{"81 of two septets", strings.Repeat(euro, 81), 2},
		{"152 of two septets", strings.Repeat(euro, 152), 2},
		{"153 of two septets", strings.Repeat(euro, 153), 3},
		{"an extension that does not fit the rest of a part", strings.Repeat("a", 152) + euro + strings.Repeat("a", 151), 2},
		{"and pushes one more over", strings.Repeat("a", 152) + euro + strings.Repeat("a", 152), 3},
		{"70 units", strings.Repeat(cyrillic, 70), 1},
		{"71 units", strings.Repeat(cyrillic, 71), 2},
		{"134 units", strings.Repeat(cyrillic, 134), 2},
		{"135 units", strings.Repeat(cyrillic, 135), 3},
		{"35 pairs", strings.Repeat(grin, 35), 1},
		{"36 pairs", strings.Repeat(grin, 36), 2},
		{"66 pairs, which are not divided", strings.Repeat(grin, 66), 2},
		{"67 pairs", strings.Repeat(grin, 67), 3},
		{"one character outside", "`" + strings.Repeat("a", 70), 2},
		{"a lower-case c with cedilla is outside", "\u00e7" + strings.Repeat("a", 70), 2},
		{"an upper-case one is inside", "\u00c7" + strings.Repeat("a", 70), 1},
	} {
		if got := provider.Segments(test.text); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}

// TestSegmentsAlphabet tells by the length at which a text is divided how large each character of the basic plane is.
// The numbers of characters are those of 3GPP TS 23.038: 128 places less the escape, and ten of the extension.
func TestSegmentsAlphabet(t *testing.T) {
	sizes := map[int]int{}
	for r := rune(0); r <= 0xFFFF; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		c := string(r)
		switch {
		case provider.Segments(strings.Repeat(c, 160)) == 1:
			sizes[1]++
		case provider.Segments(strings.Repeat(c, 80)) == 1:
			sizes[2]++
		case provider.Segments(strings.Repeat(c, 70)) != 1 || provider.Segments(strings.Repeat(c, 71)) != 2:
			t.Fatalf("%U is of no size", r)
		}
	}
	if sizes[1] != 127 || sizes[2] != 10 {
		t.Errorf("%d characters of one septet and %d of two, want 127 and 10", sizes[1], sizes[2])
	}
}

package compose

import (
	"fmt"
	"math"
	"regexp"
	"testing"
)

// TestContrast computes the contrast of each text with the ground it stands on, in both themes (WCAG 2.2 §1.4.3: 4.5).
func TestContrast(t *testing.T) {
	style := func(pattern string) string {
		match := regexp.MustCompile(pattern).FindStringSubmatch(mailHTML)
		if match == nil {
			t.Fatalf("mail.html has no %s", pattern)
		}
		return match[1]
	}
	for name, pair := range map[string][2]string{
		"light text":  {style(`class="c" style="[^"]*background:(#\w+)`), style(`class="c" style="[^"]*[;"]color:(#\w+)`)},
		"light code":  {style(`class="k" style="[^"]*background:(#\w+)`), style(`class="k" style="[^"]*[;"]color:(#\w+)`)},
		"light small": {style(`class="c" style="[^"]*background:(#\w+)`), style(`class="q" style="[^"]*[;"]color:(#\w+)`)},
		"dark text":   {style(`\.c\{background:(#\w+)`), style(`\.c\{[^}]*[;{]color:(#\w+)`)},
		"dark code":   {style(`\.k\{background:(#\w+)`), style(`\.k\{[^}]*[;{]color:(#\w+)`)},
		"dark small":  {style(`\.c\{background:(#\w+)`), style(`\.q\{color:(#\w+)`)},
	} {
		if c := contrast(t, pair[0], pair[1]); c < 4.5 {
			t.Errorf("%s: %s on %s has a contrast of %.2f", name, pair[1], pair[0], c)
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	var r, g, b int
	if _, err := fmt.Sscanf(colour, "#%02x%02x%02x", &r, &g, &b); err != nil {
		t.Fatalf("%q: %v", colour, err)
	}
	linear := func(c int) float64 {
		s := float64(c) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

package digit_test

import (
	"testing"
	"unicode"

	"github.com/otpost/otpost/internal/digit"
)

func TestDigitsOfScripts(t *testing.T) {
	for r, want := range map[rune]byte{
		'0': '0', '7': '7', 0x0663: '3' /* Arabic-Indic */, 0x0967: '1' /* Devanagari */, 0xff19: '9', /* fullwidth */
		0x1d7ce: '0' /* mathematical bold */, 0x1d7d8: '0' /* double-struck */, 0x1d7ff: '9' /* monospace */, 'x': '0',
	} {
		if got := digit.ASCII(r); got != want {
			t.Errorf("%U is %q, want %q", r, got, want)
		}
	}
	// Each script has ten digits in a row, so that what follows a digit is the next one, or no digit of its script.
	for r := rune(0); r < unicode.MaxRune; r++ {
		if unicode.IsDigit(r) && unicode.IsDigit(r+1) && digit.ASCII(r+1) != '0'+(digit.ASCII(r)-'0'+1)%10 {
			t.Errorf("%U is %q after %q", r+1, digit.ASCII(r+1), digit.ASCII(r))
		}
	}
}

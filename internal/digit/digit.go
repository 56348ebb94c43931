// Package digit reads the decimal digits of every script.
package digit

import "unicode"

// ASCII is the digit 0 to 9 that a decimal digit of any script (unicode.IsDigit) stands for. Unicode keeps each script's
// ten digits together, in order, and begins each run at a code point that is not itself preceded by a digit of the run.
func ASCII(r rune) byte {
	for _, table := range unicode.Nd.R16 {
		if rune(table.Lo) <= r && r <= rune(table.Hi) {
			return '0' + byte((r-rune(table.Lo))%10)
		}
	}
	for _, table := range unicode.Nd.R32 {
		if rune(table.Lo) <= r && r <= rune(table.Hi) {
			return '0' + byte((r-rune(table.Lo))%10)
		}
	}
	return '0'
}

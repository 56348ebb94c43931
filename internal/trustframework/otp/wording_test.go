package otp

import (
	"testing"

	"github.com/otpost/otpost/internal/trustframework/wording"
)

// TestDefaultTextsAreTranslated finds default texts that the list of translations lacks.
func TestDefaultTextsAreTranslated(t *testing.T) {
	for _, texts := range []map[string]string{oneTimePasswordTexts, ssprTexts} {
		for key, english := range texts {
			if _, ok := wording.In("de", english); !ok {
				t.Errorf("%s: %q is not in the list", key, english)
			}
		}
	}
}

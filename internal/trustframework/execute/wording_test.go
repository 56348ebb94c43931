package execute

import (
	"testing"

	"github.com/otpost/otpost/internal/trustframework/wording"
)

// TestControlTextsAreTranslated finds default texts that the list of translations lacks.
func TestControlTextsAreTranslated(t *testing.T) {
	for kind, texts := range controlTexts {
		for id, english := range texts {
			if _, ok := wording.In("de", english); !ok {
				t.Errorf("%s %s: %q is not in the list", kind, id, english)
			}
		}
	}
}

package restful

import (
	"testing"

	"github.com/otpost/otpost/internal/trustframework/wording"
)

// TestDefaultTextsAreTranslated finds default texts that the list of translations lacks.
func TestDefaultTextsAreTranslated(t *testing.T) {
	for key, english := range defaults {
		if _, ok := wording.In("de", english); !ok {
			t.Errorf("%s: %q is not in the list", key, english)
		}
	}
}

package suggest_test

import (
	"testing"

	"github.com/otpost/otpost/internal/suggest"
)

func TestNamesAreNearWhateverTheirCase(t *testing.T) {
	known := []string{"CopyClaim", "CreateOtpSecret", "NullClaim"}
	for name, want := range map[string]string{
		"createotpsecrets": "; did you mean CreateOtpSecret?",
		"COPYCLAIMS":       "; did you mean CopyClaim?",
		"nulClaim":         "; did you mean NullClaim?",
		"Hash":             "; known are CopyClaim, CreateOtpSecret, NullClaim",
	} {
		if got := suggest.For(name, known); got != want {
			t.Errorf("For(%q) is %q, want %q", name, got, want)
		}
	}
	if got := suggest.For("any", nil); got != "; there are none yet" {
		t.Errorf("with nothing known it says %q", got)
	}
}

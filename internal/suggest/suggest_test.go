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

func TestFewListsNoMoreThanAreWanted(t *testing.T) {
	known := []string{"one", "three", "two"}
	for _, c := range []struct {
		name  string
		known []string
		most  int
		want  string
	}{
		{"thre", known, 0, "; did you mean three?"},
		{"something", known, 3, "; known are one, three, two"},
		{"something", known, 2, ""},
		{"something", known, 0, ""},
		{"something", nil, 3, "; there are none yet"},
		{"something", nil, 0, ""},
	} {
		if got := suggest.Few(c.name, c.known, c.most); got != c.want {
			t.Errorf("Few(%q, %d names, %d) is %q, want %q", c.name, len(c.known), c.most, got, c.want)
		}
	}
}

func TestSureNamesWhatASlipOfTheHandExplains(t *testing.T) {
	known := []string{"otpost_listen", "otpost_log_level"}
	for name, want := range map[string]string{"OTPOST_LISTN": "otpost_listen", "otpost_loglevel": "otpost_log_level", "otpost_l": "", "other": ""} {
		if got := suggest.Sure(name, known); got != want {
			t.Errorf("Sure(%q) is %q, want %q", name, got, want)
		}
	}
}

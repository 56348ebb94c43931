package qr_test

import (
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/qr"
	"github.com/otpost/otpost/internal/qr/qrtest"
)

func TestWhatIsDrawnIsRead(t *testing.T) {
	for name, text := range map[string]string{
		"a key URI":                "otpauth://totp/Contoso%20demo:emily@example.com?secret=fay2lj7ynpntjgqa&issuer=Contoso+demo",
		"digits":                   "0123456789",
		"letters outside of ASCII": "caf\u00e9 \u00fcber",
		"the longest":              strings.Repeat("otpauth://", qr.MaxText/10) + "x",
	} {
		svg, err := qr.Draw(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := qrtest.Read(t, svg); got != text {
			t.Errorf("%s: read %q, want %q", name, got, text)
		}
		if strings.Contains(svg, "style") || strings.Contains(svg, "script") {
			t.Errorf("%s: the image needs more than a strict policy allows: %.300s", name, svg)
		}
	}
}

func TestATextThatDoesNotFit(t *testing.T) {
	const secret = "GEZDGNBVGY3TQOJQ"
	for _, text := range []string{"", strings.Repeat(secret, qr.MaxText/len(secret)+1), strings.Repeat("7", qr.MaxText+1)} {
		if svg, err := qr.Draw(text); err == nil || svg != "" || strings.Contains(err.Error(), secret) {
			t.Errorf("%d bytes: error %v", len(text), err)
		}
	}
}

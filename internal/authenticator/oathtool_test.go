package authenticator_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"net/url"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/qr/qrtest"
)

// TestOathtoolVerifies has an authenticator that is not ours, Debian's oathtool, read what an enrolment's QR code says
// and make the codes.
func TestOathtoolVerifies(t *testing.T) {
	program, err := exec.LookPath("oathtool")
	if err != nil {
		t.Skip("oathtool is not installed: apt-get install oathtool")
	}
	for _, r := range []authenticator.Request{
		{}, {Algorithm: authenticator.SHA256, Digits: 8}, {Algorithm: authenticator.SHA512, Period: time.Minute},
		{Secret: "fay2lj7ynpntjgqa"}, {Secret: "GEZD GNBV GY3T QOJQ GEZD GNBV GE"}, {Secret: unpadded(keyOf(authenticator.SHA512))},
	} {
		e, c := newEngine(t)
		made := enrolWith(t, e, r)
		u, err := url.Parse(qrtest.Read(t, made.QR))
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		code := func(at time.Time) string {
			t.Helper()
			out, err := exec.Command(program, "--base32", "--totp="+q.Get("algorithm"), "--digits="+q.Get("digits"),
				"--time-step-size="+q.Get("period")+"s", "--now="+at.UTC().Format("2006-01-02 15:04:05 UTC"), q.Get("secret")).CombinedOutput()
			if err != nil {
				t.Fatalf("oathtool: %v: %s", err, out)
			}
			return strings.TrimSpace(string(out))
		}
		wantReason(t, e, "confirm", made.Device.ID, code(c.read()), "")
		c.pass(made.Device.Period)
		wantReason(t, e, "verify", "", code(c.read()), "")
		wantReason(t, e, "verify", "", code(c.read()), authenticator.CodeUsed)
		c.pass(5 * made.Device.Period)
		wantReason(t, e, "verify", "", code(c.read().Add(-made.Device.Period)), "")
		wantReason(t, e, "verify", "", code(c.read().Add(-4*made.Device.Period)), authenticator.WrongCode)
	}
}

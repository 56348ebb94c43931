package mfa_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

const (
	lea    = "Lea@Fabrikam.example"
	secret = "fay2lj7ynpntjgqa"
)

// codeOf is the code that an app shows (RFC 6238 with RFC 4226 §5.3: SHA-1, six digits, 30 seconds).
func codeOf(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	bare := strings.ToUpper(strings.TrimRight(strings.ReplaceAll(secret, " ", ""), "="))
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(bare)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Unix()/30)))
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1_000_000)
}

// devices is what GetAvailableDevices answers.
func (j *journey) devices(t testing.TB, user string) string {
	t.Helper()
	got, err := j.ask(t, execute.Request{Profile: "Devices"}, "upn", user)
	if err != nil {
		t.Fatal(err)
	}
	return got.Text("devices")
}

// kept are the states of the user's devices in the engine.
func (b *bench) kept(t testing.TB) (pending, confirmed int) {
	t.Helper()
	devices, err := b.apps.Devices(t.Context(), "default", strings.ToLower(lea))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		if d.State == authenticator.Pending {
			pending++
		} else {
			confirmed++
		}
	}
	return pending, confirmed
}

func (b *bench) wantKept(t testing.TB, pending, confirmed int) {
	t.Helper()
	if p, c := b.kept(t); p != pending || c != confirmed {
		t.Errorf("%d devices are pending and %d confirmed, want %d and %d", p, c, pending, confirmed)
	}
}

const wrongApp = "UserMessageIfIncorrectOTPCodeEntered"

func TestAnAppIsEnrolledThenVerifies(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		j := b.journey(t, "B2C_1A_Open", "s1")
		if n := j.devices(t, lea); n != "0" {
			t.Errorf("%s devices of nobody", n)
		}
		j.ok(t, "Begin", "upn", lea, "secret", secret)
		if n := j.devices(t, lea); n != "0" {
			t.Errorf("%s devices before the first code", n)
		}
		j.told(t, wrongApp, "CheckApp", "otpCode", other(codeOf(t, secret, time.Now())))
		j.ok(t, "CheckApp", "otpCode", codeOf(t, secret, time.Now()))
		if j.session.Device.ID != "" {
			t.Errorf("the session still waits for the first code")
		}
		j.told(t, wrongApp, "CheckApp", "otpCode", codeOf(t, secret, time.Now())) // it is used
		for _, name := range []string{lea, strings.ToLower(lea), strings.ToUpper(lea)} {
			if n := j.devices(t, name); n != "1" {
				t.Errorf("%s devices of %s, want 1", n, name)
			}
		}
		time.Sleep(30 * time.Second)
		next := b.journey(t, "B2C_1A_Open", "s2")
		next.ok(t, "Begin", "upn", strings.ToUpper(lea))
		next.ok(t, "CheckApp", "otpCode", codeOf(t, secret, time.Now()))
		time.Sleep(30 * time.Second)
		next.ok(t, "CheckApp", "otpCode", codeOf(t, secret, time.Now()))
	})
}

func TestAVerificationMustBeBegun(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.journey(t, "B2C_1A_Open", "s1").ok(t, "Begin", "upn", lea, "secret", secret)
		m := wantMisuse(t, b.journey(t, "B2C_1A_Open", "s2").run(t, "CheckApp", "otpCode", codeOf(t, secret, time.Now())))
		if !strings.Contains(m.Error(), "BeginVerifyOTP") {
			t.Errorf("%v does not say what to do", m)
		}
	})
}

func TestAVerificationIsBegunAndEndedInOneList(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		j := b.journey(t, "B2C_1A_Open", "s")
		page := execute.Request{Profile: "AppPage"}
		_, err := j.ask(t, page, "upn", lea, "secret", secret, "otpCode", other(codeOf(t, secret, time.Now())))
		wantKey(t, err, wrongApp)
		if _, err := j.ask(t, page, "upn", lea, "secret", secret, "otpCode", codeOf(t, secret, time.Now())); err != nil {
			t.Error(err)
		}
		time.Sleep(30 * time.Second)
		if _, err := j.ask(t, page, "upn", lea, "otpCode", codeOf(t, secret, time.Now())); err != nil {
			t.Error(err)
		}
		b.wantKept(t, 0, 1)
	})
}

// TestSecretsOfEveryLength takes what B2C takes (8, 16, 24 and 32 characters) and what it does not (azure-ad-b2c/samples#556).
func TestSecretsOfEveryLength(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for i, taken := range []string{
			"GEZDGNBV", "gezdgnbvgy3tqojq", "GEZDGNBVGY3TQOJQGEZDGNBV", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
			"GEZDGNBVGY3TQOJQGEZDGNBVGY", "gezd gnbv gy3t qojq ge", "GEZDGNBVGY3TQOJQGEZDGNBVGY======", strings.Repeat("GEZDGNBV", 25),
		} {
			j := b.journey(t, "B2C_1A_Open", fmt.Sprint(i))
			user := fmt.Sprintf("user%d@fabrikam.example", i)
			j.ok(t, "Begin", "upn", user, "secret", taken)
			j.ok(t, "CheckApp", "otpCode", codeOf(t, taken, time.Now()))
		}
		for _, refused := range []string{"GEZDGNB", "gezdgnbvgy1tqojq", "GEZDGNBVG", strings.Repeat("GEZDGNBV", 26), "otpauth://totp/x"} {
			j := b.journey(t, "B2C_1A_Open", "refused")
			j.ok(t, "Begin", "upn", lea, "secret", secret)
			before := j.session.Device
			m := wantMisuse(t, j.run(t, "Begin", "upn", lea, "secret", refused))
			if !strings.Contains(m.Reason, "secretKey") || strings.Contains(m.Error(), refused) {
				t.Errorf("%v, want a word of secretKey and not its value", m)
			}
			if j.session.Device != before {
				t.Errorf("bad input has changed the session")
			}
		}
		b.wantKept(t, 1, 0)
	})
}

func TestAPageThatIsShownAgainLeavesNoDevicesBehind(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		j := b.journey(t, "B2C_1A_Open", "s")
		secrets := []string{"GEZDGNBVGY3TQOJQ", "GEZDGNBVGY3TQOJR", "GEZDGNBVGY3TQOJS"}
		for range 4 {
			for _, s := range secrets {
				j.ok(t, "Begin", "upn", lea, "secret", s)
				j.ok(t, "Begin", "upn", lea, "secret", strings.ToLower(s))
				b.wantKept(t, 1, 0)
			}
		}
		j.told(t, wrongApp, "CheckApp", "otpCode", codeOf(t, secrets[0], time.Now())) // of a page that is not shown any more
		j.ok(t, "CheckApp", "otpCode", codeOf(t, secrets[2], time.Now()))
		b.wantKept(t, 0, 1)
		j.ok(t, "Begin", "upn", lea, "secret", secrets[0])
		j.ok(t, "Begin", "upn", lea) // goes back to what is confirmed
		b.wantKept(t, 0, 1)
		j.ok(t, "Begin", "upn", lea, "secret", secrets[0])
		j.ok(t, "Begin", "upn", "ana@fabrikam.example", "secret", secrets[0])
		b.wantKept(t, 0, 1)
	})
}

// TestASecretThatComesAtEverySignIn is a policy that moves secrets over (azure-ad-b2c/samples, TOTPMigration): journeys are
// left, begun again and done, always with the same secret.
func TestASecretThatComesAtEverySignIn(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		var last *journey
		for i := range 3 * authenticator.DefaultMaxDevices {
			last = b.journey(t, "B2C_1A_Open", fmt.Sprint("left", i))
			last.ok(t, "Begin", "upn", lea, "secret", secret)
		}
		b.wantKept(t, 1, 0)
		first := b.journey(t, "B2C_1A_Open", "first")
		first.ok(t, "Begin", "upn", lea, "secret", secret)
		first.ok(t, "CheckApp", "otpCode", codeOf(t, secret, time.Now()))
		time.Sleep(30 * time.Second)
		last.ok(t, "CheckApp", "otpCode", codeOf(t, secret, time.Now())) // the device is confirmed meanwhile
		for i := range 3 {
			time.Sleep(30 * time.Second)
			j := b.journey(t, "B2C_1A_Open", fmt.Sprint("again", i))
			j.ok(t, "Begin", "upn", lea, "secret", secret)
			if j.session.Device != (execute.Device{User: strings.ToLower(lea)}) {
				t.Errorf("the session waits for the first code of a device that is confirmed")
			}
			j.ok(t, "CheckApp", "otpCode", codeOf(t, secret, time.Now()))
		}
		b.wantKept(t, 0, 1)
	})
}

// TestASecretOfAnotherKindOfCode has the secret enrolled elsewhere, for codes that no policy makes.
func TestASecretOfAnotherKindOfCode(t *testing.T) {
	for _, r := range []authenticator.Request{{Algorithm: authenticator.SHA256}, {Digits: 8}, {Period: time.Minute}} {
		inBubble(t, func(t *testing.T, b *bench) {
			r.Tenant, r.User, r.Issuer, r.Label, r.Secret = "default", strings.ToLower(lea), "Example", "lea", secret
			if _, err := b.apps.Enrol(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			j := b.journey(t, "B2C_1A_Open", "s")
			j.ok(t, "Begin", "upn", lea, "secret", secret)
			b.wantKept(t, 2, 0)
			j.ok(t, "CheckApp", "otpCode", codeOf(t, secret, time.Now()))
			b.wantKept(t, 1, 1)
		})
	}
}

func TestANewSecretInManySessions(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		var first, last *journey
		for i := range authenticator.DefaultMaxDevices + 2 {
			last = b.journey(t, "B2C_1A_Open", fmt.Sprint(i))
			last.ok(t, "Begin", "upn", lea, "secret", "GEZDGNBVGY3TQOJ"+string(rune('A'+i)))
			if first == nil {
				first = last
			}
			time.Sleep(time.Second)
		}
		b.wantKept(t, authenticator.DefaultMaxDevices, 0)
		first.told(t, "UserMessageIfServerError", "CheckApp", "otpCode", codeOf(t, "GEZDGNBVGY3TQOJA", time.Now()))
		last.ok(t, "CheckApp", "otpCode", codeOf(t, "GEZDGNBVGY3TQOJG", time.Now()))
	})
}

func TestConfirmedDevicesMakeNoRoom(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		for i := range authenticator.DefaultMaxDevices {
			j := b.journey(t, "B2C_1A_Open", fmt.Sprint(i))
			s := "GEZDGNBVGY3TQOJ" + string(rune('A'+i))
			j.ok(t, "Begin", "upn", lea, "secret", s)
			j.ok(t, "CheckApp", "otpCode", codeOf(t, s, time.Now()))
		}
		j := b.journey(t, "B2C_1A_Open", "more")
		j.told(t, "UserMessageIfServerError", "Begin", "upn", lea, "secret", "GEZDGNBVGY3TQOJZ")
		b.wantKept(t, 0, authenticator.DefaultMaxDevices)
		time.Sleep(30 * time.Second)
		j.ok(t, "Begin", "upn", lea)
		j.ok(t, "CheckApp", "otpCode", codeOf(t, "GEZDGNBVGY3TQOJC", time.Now())) // any of them will do
	})
}

// TestADeviceThatWasConfirmedElsewhereIsNotEnded has two sessions with one pending device: when one of them has confirmed
// it, the other's next page must not end it.
func TestADeviceThatWasConfirmedElsewhereIsNotEnded(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		one, two := b.journey(t, "B2C_1A_Open", "one"), b.journey(t, "B2C_1A_Open", "two")
		one.ok(t, "Begin", "upn", lea, "secret", secret)
		two.ok(t, "Begin", "upn", lea, "secret", secret)
		one.ok(t, "CheckApp", "otpCode", codeOf(t, secret, time.Now()))
		two.ok(t, "Begin", "upn", lea, "secret", "GEZDGNBVGY3TQOJQ")
		b.wantKept(t, 1, 1)
	})
}

func TestAnEnrolmentThatTookTooLong(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		j := b.journey(t, "B2C_1A_Open", "s")
		j.ok(t, "Begin", "upn", lea, "secret", secret)
		time.Sleep(authenticator.DefaultConfirmWithin)
		j.told(t, "UserMessageIfServerError", "CheckApp", "otpCode", codeOf(t, secret, time.Now()))
		j.ok(t, "Begin", "upn", lea, "secret", secret)
		j.ok(t, "CheckApp", "otpCode", codeOf(t, secret, time.Now()))
		none := b.journey(t, "B2C_1A_Open", "none")
		none.ok(t, "Begin", "upn", "nobody@fabrikam.example")
		none.told(t, "UserMessageIfServerError", "CheckApp", "otpCode", "123456")
	})
}

func TestTheWindow(t *testing.T) {
	const step = 30 * time.Second
	for _, c := range []struct {
		window authenticator.Window
		taken  map[time.Duration]bool
	}{
		{authenticator.Window{}, map[time.Duration]bool{-2 * step: false, -step: true, step: true, 2 * step: false}},
		{authenticator.Window{Back: 10, Forward: 1}, map[time.Duration]bool{-11 * step: false, -10 * step: true, step: true, 2 * step: false}},
	} {
		for off, taken := range c.taken {
			inBubble(t, func(t *testing.T, b *bench) {
				b.Window = c.window
				j := b.journey(t, "B2C_1A_Open", "s")
				j.ok(t, "Begin", "upn", lea, "secret", secret)
				if err := j.run(t, "CheckApp", "otpCode", codeOf(t, secret, time.Now().Add(off))); (err == nil) != taken {
					t.Errorf("window %v, %v off: %v", c.window, off, err)
				}
			})
		}
	}
}

func TestTooManyWrongCodesOfAnApp(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		j := b.journey(t, "B2C_1A_Open", "s")
		j.ok(t, "Begin", "upn", lea, "secret", secret)
		code := codeOf(t, secret, time.Now())
		for range 10 {
			j.told(t, wrongApp, "CheckApp", "otpCode", other(code))
		}
		j.told(t, "UserMessageIfMaxAllowedCodeRetryReached", "CheckApp", "otpCode", code)
		b.journey(t, "B2C_1A_Open", "another").ok(t, "Begin", "upn", lea, "secret", secret)
		j.told(t, "UserMessageIfMaxAllowedCodeRetryReached", "CheckApp", "otpCode", code)
	})
}

func TestOfManyRightCodesOfAnAppOneWins(t *testing.T) {
	for name, confirmed := range map[string]bool{"the first code": false, "a later code": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				// The codes that are too late are wrong ones, and would spend the budget before all were tried.
				b.apps.Guesses = nil
				j := b.journey(t, "B2C_1A_Open", "s")
				j.ok(t, "Begin", "upn", lea, "secret", secret)
				if confirmed {
					j.ok(t, "CheckApp", "otpCode", codeOf(t, secret, time.Now()))
					time.Sleep(30 * time.Second)
				}
				code := codeOf(t, secret, time.Now())
				won := together(func() error {
					copied := b.journey(t, "B2C_1A_Open", "s")
					copied.session.Device = j.session.Device
					return copied.run(t, "CheckApp", "otpCode", code)
				}, func(err error) { wantKey(t, err, wrongApp) })
				if won != 1 {
					t.Errorf("%d of 64 right codes were taken, want 1", won)
				}
				b.wantKept(t, 0, 1)
			})
		})
	}
}

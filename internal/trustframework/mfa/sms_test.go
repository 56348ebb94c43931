package mfa_test

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/mfa"
)

const paris = "+33612345678"

func TestACodeInATextMessageIsVerifiedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		j := b.journey(t, "B2C_1A_Open", "s1")
		j.ok(t, "Send", "phone", " +33 (0)6 12-34.56 78 ")
		m := b.phones.last(t)
		if m.To != paris || m.Channel != outbox.SMS || len(m.Code) != 6 || strings.Trim(m.Code, "0123456789") != "" {
			t.Errorf("a message to %s by %s with a code of %d characters", m.To, m.Channel, len(m.Code))
		}
		j.told(t, "UserMessageIfWrongCodeEntered", "Check", "phone", paris, "verificationCode", other(m.Code))
		j.told(t, "UserMessageIfServerError", "Check", "phone", "+33612345679", "verificationCode", m.Code)
		b.journey(t, "B2C_1A_Open", "s2").told(t, "UserMessageIfServerError", "Check", "phone", paris, "verificationCode", m.Code)
		j.ok(t, "Check", "phone", "+33 6 12 34 56 78", "verificationCode", m.Code[:3]+" "+m.Code[3:])
		j.told(t, "UserMessageIfWrongCodeEntered", "Check", "phone", paris, "verificationCode", m.Code)
		for _, s := range j.trace.Steps {
			for _, v := range s.In {
				if strings.Contains(v.Value, m.Code) {
					t.Errorf("the trace has the code in %s", v.Name)
				}
			}
		}
	})
}

// other is a code that this one is not.
func other(code string) string {
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code)
}

func TestACodeLives180SecondsAndIsTriedFiveTimes(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		j := b.journey(t, "B2C_1A_Open", "s")
		j.ok(t, "Send", "phone", paris)
		time.Sleep(180 * time.Second)
		j.told(t, "UserMessageIfWrongCodeEntered", "Check", "phone", paris, "verificationCode", b.phones.last(t).Code)
		j.ok(t, "Send", "phone", paris)
		code := b.phones.last(t).Code
		time.Sleep(179 * time.Second)
		for range 4 {
			j.told(t, "UserMessageIfWrongCodeEntered", "Check", "phone", paris, "verificationCode", other(code))
		}
		j.told(t, "UserMessageIfMaxAllowedCodeRetryReached", "Check", "phone", paris, "verificationCode", other(code))
		j.told(t, "UserMessageIfMaxAllowedCodeRetryReached", "Check", "phone", paris, "verificationCode", code)
		j.told(t, "UserMessageIfThrottled", "Send", "phone", paris) // locked out
	})
}

func TestASecondMessageWithinHalfAMinuteIsThrottled(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		j := b.journey(t, "B2C_1A_Open", "s1")
		j.ok(t, "Send", "phone", paris)
		time.Sleep(29 * time.Second)
		j.told(t, "UserMessageIfThrottled", "Send", "phone", paris)
		b.journey(t, "B2C_1A_Open", "s2").told(t, "UserMessageIfThrottled", "Send", "phone", "+33 6 12 34 56 78")
		j.ok(t, "Send", "phone", "+33612345679")
		time.Sleep(time.Second)
		j.ok(t, "Send", "phone", paris)
		if n := b.phones.count(); n != 3 {
			t.Errorf("%d messages were sent, want 3", n)
		}
	})
}

func TestWhatIsNoPhoneNumber(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		j := b.journey(t, "B2C_1A_Open", "s")
		for _, number := range []string{"lea@example.org", "0612345678", "+33", "+336123456789012345", "+33612345678 or so", "phone"} {
			j.told(t, "UserMessageIfInvalidFormat", "Send", "phone", number)
		}
		if n := b.phones.count(); n != 0 {
			t.Errorf("%d messages were sent", n)
		}
	})
}

func TestWhoIsNamedAndInWhatLanguage(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		j := b.journey(t, "B2C_1A_Open", "s")
		j.scene.Locale, j.scene.IP = "fr-CA, en", netip.MustParseAddr("192.0.2.7")
		j.ok(t, "Send", "phone", paris)
		time.Sleep(time.Minute)
		j.scene.IP = netip.IPv6Unspecified() // nobody's
		j.ok(t, "Send", "phone", paris)
		if m := b.phones.last(t); m.Subject != "app_1" || m.Text != "fr-CA, en" {
			t.Errorf("of %q in %q", m.Subject, m.Text)
		}
		b.Application = func(*trustframework.Policy, *execute.Scene) passcode.Application {
			return passcode.Application{ID: "app_1", Name: "Fabrikam"}
		}
		time.Sleep(time.Minute)
		j.ok(t, "Send", "phone", paris)
		if m := b.phones.last(t); m.Subject != "Fabrikam" {
			t.Errorf("of %q", m.Subject)
		}
		time.Sleep(time.Minute)
		j.ok(t, "Send", "phone", paris, "brand", "Contoso\r\n\tLtd "+strings.Repeat("x", 300), "tongue", "de")
		if m := b.phones.last(t); m.Subject != "Contoso Ltd "+strings.Repeat("x", 244) || m.Text != "de" {
			t.Errorf("of %q in %q", m.Subject, m.Text)
		}
	})
}

func TestWhenNoProviderTakesTheMessage(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.phones.Refuse(outbox.Faultf(outbox.InvalidRecipient, "", "no such number"))
		j := b.journey(t, "B2C_1A_Open", "s")
		j.told(t, "UserMessageIfCouldntSendSms", "Send", "phone", paris)
		b.codes.Route = func(passcode.Destination) passcode.Route { return passcode.Route{} }
		j.told(t, "UserMessageIfServerError", "Send", "phone", "+33612345679")
		b.codes.Guard = func(passcode.Destination, *outbox.Message) ([]passcode.Spend, error) {
			return nil, &passcode.Refusal{Reason: passcode.DestinationRefused}
		}
		b.codes.Route = func(passcode.Destination) passcode.Route { return passcode.Route{Providers: []string{"gateway"}} }
		j.told(t, "UserMessageIfCouldntSendSms", "Send", "phone", "+33612345679")
		b.codes.Compose = func(passcode.Content) (outbox.Message, error) { return outbox.Message{}, errors.New("broken template") }
		j.told(t, "UserMessageIfServerError", "Send", "phone", "+33612345679")
	})
}

func TestInputsThatAreMissing(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		j := b.journey(t, "B2C_1A_Open", "s")
		for partner, err := range map[string]error{
			"phoneNumber":       j.run(t, "Send"),
			"verificationCode":  j.run(t, "Check", "phone", paris),
			"userPrincipalName": j.run(t, "Devices"),
			"otpCode":           j.run(t, "CheckApp"),
		} {
			if m := wantMisuse(t, err); !strings.Contains(m.Error(), partner) || m.At.Line == 0 {
				t.Errorf("%v, want a word of %s and its place", m, partner)
			}
		}
	})
}

func TestTheDisplayControlSaysWhatThePolicySays(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		j := b.journey(t, "B2C_1A_Open", "s")
		j.scene.Locale = "fr"
		send := execute.Request{Control: "phoneControl", Action: "SendCode"}
		if _, err := j.ask(t, send, "phone", paris); err != nil {
			t.Fatal(err)
		}
		_, err := j.ask(t, send, "phone", paris)
		wantTold(t, err, "One moment, please.") // of the page's metadata
		verify := execute.Request{Control: "phoneControl", Action: "VerifyCode"}
		code := b.phones.last(t).Code
		_, err = j.ask(t, verify, "phone", paris, "verificationCode", other(code))
		wantTold(t, err, "Ce code est faux.") // of the page's texts
		if _, err = j.ask(t, verify, "phone", paris, "verificationCode", code); err != nil {
			t.Error(err)
		}
	})
}

func wantTold(t *testing.T, err error, text string) {
	t.Helper()
	var told *execute.Told
	if !errors.As(err, &told) || told.Text != text {
		t.Errorf("error %v, want %q", err, text)
	}
}

func TestOfManyRightCodesOneWins(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.journey(t, "B2C_1A_Open", "s").ok(t, "Send", "phone", paris)
		code := b.phones.last(t).Code
		won := together(func() error {
			return b.journey(t, "B2C_1A_Open", "s").run(t, "Check", "phone", paris, "verificationCode", code)
		}, func(err error) { wantKey(t, err, "UserMessageIfWrongCodeEntered") })
		if won != 1 {
			t.Errorf("%d of 64 right codes were taken, want 1", won)
		}
	})
}

// together does something 64 times at once and counts how often it was done; the errors of the others are looked at.
func together(do func() error, look func(error)) (won int) {
	var mu sync.Mutex
	var all sync.WaitGroup
	start := make(chan struct{})
	for range 64 {
		all.Go(func() {
			<-start
			err := do()
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
				return
			}
			look(err)
		})
	}
	close(start)
	all.Wait()
	return won
}

func TestANameIsBroughtToOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"Contoso":                        "Contoso",
		" a\u0000b\r\nc ":                "a b c",
		"\u00e9\u00e9\u00e9\u00e9\u00e9": "\u00e9\u00e9\u00e9\u00e9", // nine bytes would end within a character
		"123456789 0":                    "123456789",
		"12345678 90":                    "12345678",
		"a\xffb":                         "ab",
		"\n":                             "",
	} {
		if got := mfa.OneLine(text, 9); got != want {
			t.Errorf("%q is brought to %q, want %q", text, got, want)
		}
	}
}

package provider_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/provider"
)

// shortMessage is what composing makes for a number.
func shortMessage() outbox.Message {
	return outbox.Message{
		Channel: outbox.SMS, To: "+34600111222", Text: "Your Contoso code is 482913. J\u00fcrgen & co", Language: "en",
		Code: "482913", Application: "Contoso", Purpose: "sign_in",
	}
}

const reportsURL = "https://otp.example.org/receipts/sms"

// refusesSettings asks whether settings are refused when they are set, with words that say what is wrong.
func refusesSettings(t *testing.T, name string, good map[string]string, wrong []wrongSetting) {
	t.Helper()
	k := kind(t, name)
	for _, w := range wrong {
		values := map[string]string{}
		for n, v := range good {
			values[n] = v
		}
		for n, v := range w.change {
			values[n] = v
		}
		settings, err := k.Parse(values)
		if err == nil {
			_, err = k.Open(settings, provider.Environment{})
		}
		if w.want == "" && err != nil || w.want != "" && (err == nil || !strings.Contains(err.Error(), w.want)) {
			t.Errorf("%v: got %v, want %q", w.change, err, w.want)
		}
	}
}

type wrongSetting struct {
	change map[string]string
	want   string // a part of the error, empty for settings that are right
}

// finds runs a kind's check against a fake and compares subjects and verdicts.
func finds(t *testing.T, name string, settings map[string]string, h http.HandlerFunc, want ...provider.Finding) {
	t.Helper()
	all := map[string]string{"endpoint": serveHTTP(t, h), "allow_http": "true", "allow_private": "true"}
	for n, v := range settings {
		all[n] = v
	}
	checker, ok := openKind(t, name, all, provider.Environment{}).(provider.Checker)
	if !ok {
		t.Fatalf("%s cannot be checked", name)
	}
	got := checker.Check(t.Context())
	if len(got) != len(want) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	for i, f := range got {
		if f.Subject != want[i].Subject || f.Verdict != want[i].Verdict || !strings.Contains(f.Found, want[i].Found) {
			t.Errorf("got %+v, want %+v", f, want[i])
		}
		if f.Found == "" || f.Verdict == provider.Bad && f.Do == "" {
			t.Errorf("%+v does not say what was found or what to do", f)
		}
		for n, v := range settings {
			if (strings.Contains(n, "secret") || strings.Contains(n, "token")) && strings.Contains(f.Found+f.Do, v) {
				t.Errorf("%+v holds the %s", f, n)
			}
		}
	}
}

// A vendor that hides refusals in a 2xx has said nothing while its answer lacks an end, even if what came is whole JSON.
func TestSMSAnswersThatEndTooSoonAreAmbiguous(t *testing.T) {
	for name, test := range map[string]struct {
		settings map[string]string
		body     string
	}{
		"vonage":  {vonageSettings(), `{"messages":[{"status":"0","message-id":"a"}]}`},
		"infobip": {infobipSettings(), infobipAnswer("PENDING", 26, "PENDING_ACCEPTED", "").body},
	} {
		t.Run(name, func(t *testing.T) {
			test.settings["endpoint"] = rawHTTP(t, func(c *net.TCPConn) {
				defer c.Close()
				readRequest(c)
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(test.body)+2, test.body)
			})
			test.settings["allow_http"], test.settings["allow_private"] = "true", "true"
			_, err := openKind(t, name, test.settings, provider.Environment{}).Send(t.Context(), deliveryID, shortMessage())
			if f := fault(t, err); f.Class != outbox.Ambiguous {
				t.Errorf("got %v, want ambiguous", f)
			}
		})
	}
}

package extension_test

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/extension"
)

func registration(t *testing.T, target string) extension.Registration {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return extension.Registration{Target: u, Name: "otpost", Timeout: 2 * time.Second, Retries: 1, Fallback: true}
}

// $NAME stands for what an earlier call answered.
var reference = regexp.MustCompile(`\$[A-Z_]+`)

func TestCallsNeedOnlyWhatEarlierOnesAnswered(t *testing.T) {
	calls, err := registration(t, "https://otp.example.com/entra/otp-send").Calls()
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, call := range calls {
		for _, name := range reference.FindAllString(call.URL+string(call.Body), -1) {
			if !slices.Contains(known, name) {
				t.Errorf("%s %s needs %s, which nothing before it answered", call.Method, call.URL, name)
			}
		}
		for _, k := range call.Keep {
			known = append(known, "$"+k.Name)
		}
		if len(call.Body) > 0 && !json.Valid(call.Body) {
			t.Errorf("%s %s has no JSON: %s", call.Method, call.URL, call.Body)
		}
	}
	if len(calls) != 9 {
		t.Errorf("there are %d calls, want 9", len(calls))
	}
}

// The extension's resource has the host of the target without its port, and the listener's applications are named one by one or are
// all: errors 1003014 and 1003015 otherwise.
func TestExtensionAndListener(t *testing.T) {
	r := registration(t, "https://otp.example.com:8443/api/OtpSend?code=k&x=1")
	r.AppID, r.Applications, r.Fallback, r.Retries = "66666666-7777-8888-9999-000000000000", []string{"77777777-8888-9999-0000-111111111111"}, false, 0
	calls, err := r.Calls()
	if err != nil || len(calls) != 3 {
		t.Fatalf("%d calls, %v; want 3 with an app registration that is there", len(calls), err)
	}
	extensionBody, listener := string(calls[0].Body), string(calls[2].Body)
	for _, want := range []string{`"targetUrl":"https://otp.example.com:8443/api/OtpSend?code=k&x=1"`, `"resourceId":"api://otp.example.com/66666666-7777-8888-9999-000000000000"`,
		`"clientConfiguration":{"maximumRetries":0,"timeoutInMilliseconds":2000}`, `"@odata.type":"#microsoft.graph.onOtpSendCustomExtension"`} {
		if !strings.Contains(extensionBody, want) {
			t.Errorf("the extension is %s, want in it %s", extensionBody, want)
		}
	}
	for _, want := range []string{`"includeAllApplications":false`, `"includeApplications":[{"appId":"77777777-8888-9999-0000-111111111111"}]`, `"customExtension":{"id":"$EXTENSION_ID"}`} {
		if !strings.Contains(listener, want) {
			t.Errorf("the listener is %s, want in it %s", listener, want)
		}
	}
	if r.Applications = nil; !strings.Contains(string(third(t, r).Body), `"includeAllApplications":true,"includeApplications":[]`) {
		t.Error("without applications the listener is not for all")
	}
}

func third(t *testing.T, r extension.Registration) extension.GraphCall {
	t.Helper()
	calls, err := r.Calls()
	if err != nil {
		t.Fatal(err)
	}
	return calls[2]
}

func TestRegistrationIsHeldToEntrasBounds(t *testing.T) {
	for name, change := range map[string]func(*extension.Registration){
		"http":          func(r *extension.Registration) { r.Target.Scheme = "http" },
		"no host":       func(r *extension.Registration) { r.Target.Host = "" },
		"no URL":        func(r *extension.Registration) { r.Target = nil },
		"short":         func(r *extension.Registration) { r.Timeout = 199 * time.Millisecond },
		"long":          func(r *extension.Registration) { r.Timeout = 2001 * time.Millisecond },
		"two retries":   func(r *extension.Registration) { r.Retries = 2 },
		"fewer retries": func(r *extension.Registration) { r.Retries = -1 },
	} {
		r := registration(t, "https://otp.example.com/entra/otp-send")
		change(&r)
		if calls, err := r.Calls(); err == nil {
			t.Errorf("%s: made %d calls, want an error", name, len(calls))
		}
	}
}

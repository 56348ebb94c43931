package restful_test

import (
	"io"
	"net/http"
	"testing"
)

func TestATraceShowsNoSecret(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"access_token":"made-by-service","email":"`+mailTo+`"}`)
	})
	p, _ := load(t, profile("ServiceUrl="+server.URL+open, in("name:otp", "message:passCode", "newPassword:word", "objectId:client_secret", "email"), out("body:access_token", "phone:email")))
	claims, trace, err := call(t, client(t, options(server)), p, "name", mailCode, "message", "the code is 7312", "newPassword", "correct horse", "objectId", "hush-hush", "email", mailTo)
	if err != nil || claims.Text("body") != "made-by-service" {
		t.Fatal(claims, err)
	}
	shown := map[string]string{}
	for _, step := range trace.Steps {
		for _, v := range append(step.In, step.Out...) {
			shown[v.Name] = v.Value
		}
	}
	for name, want := range map[string]string{"otp": "***", "passCode": "***", "word": "***", "client_secret": "***", "body": "***", "email": mailTo, "phone": mailTo} {
		if shown[name] != want {
			t.Errorf("the trace has %q as %s, want %q", shown[name], name, want)
		}
	}
}

func TestATraceOfACallThatEndsEarlyShowsNoSecretEither(t *testing.T) {
	for _, metadata := range []string{"ServiceUrl=https://127.0.0.1 AuthenticationType=ApiKeyHeader ", "AuthenticationType=None SendClaimsIn=Form "} {
		p, _ := load(t, profile(metadata+"ClaimUsedForRequestPayload=payload", in("body:payload", "name:otp")))
		_, trace, err := call(t, client(t, options(nil)), p, "body", "{"+mailCode+"}", "name", "7312")
		misuse(t, err)
		if len(trace.Steps) != 1 || len(trace.Steps[0].In) != 2 {
			t.Fatalf("the trace is %+v", trace.Steps)
		}
		for _, v := range trace.Steps[0].In {
			if v.Value != "***" {
				t.Errorf("the trace has %q as %s", v.Value, v.Name)
			}
		}
	}
}

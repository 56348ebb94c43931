package extension_test

import (
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/extension"
)

func TestJudge(t *testing.T) {
	const asJSON = "application/json"
	for name, test := range map[string]struct {
		status int
		media  string
		body   string
		want   extension.Code
	}{
		"the documented answer":      {200, asJSON, extension.Continue, 0},
		"charset":                    {200, "Application/JSON; charset=utf-8", extension.Continue, 0},
		"another casing, with #":     {200, asJSON, `{"data":{"@odata.type":"#microsoft.graph.onOtpSendResponseData","actions":[{"@odata.type":"#microsoft.graph.otpSend.ContinueWithDefaultBehavior"}],"x":1}}`, 0},
		"accepted but not 200":       {202, asJSON, extension.Continue, extension.InvalidHTTPStatus},
		"unauthorized":               {401, asJSON, ``, extension.InvalidHTTPStatus},
		"redirect":                   {302, asJSON, ``, extension.InvalidHTTPStatus},
		"throttled":                  {429, asJSON, ``, extension.InvalidHTTPStatus},
		"not sent":                   {503, "application/problem+json", `{}`, extension.InvalidHTTPStatus},
		"text":                       {200, "text/plain", extension.Continue, extension.InvalidContentType},
		"no content type":            {200, "", extension.Continue, extension.InvalidContentType},
		"no body":                    {200, asJSON, " \n", extension.EmptyResponse},
		"null":                       {200, asJSON, `null`, extension.EmptyResponse},
		"not JSON":                   {200, asJSON, `ok`, extension.InvalidResponseBody},
		"no data":                    {200, asJSON, `{}`, extension.InvalidResponseBody},
		"another event's answer":     {200, asJSON, strings.Replace(extension.Continue, "OnOtpSendResponseData", "onTokenIssuanceStartResponseData", 1), extension.InvalidResponseBody},
		"no action":                  {200, asJSON, `{"data":{"@odata.type":"microsoft.graph.OnOtpSendResponseData","actions":[]}}`, extension.InvalidNumberOfActions},
		"two actions":                {200, asJSON, strings.Replace(extension.Continue, "}]", "},{}]", 1), extension.InvalidNumberOfActions},
		"another action":             {200, asJSON, strings.Replace(extension.Continue, "continueWithDefaultBehavior", "showBlockPage", 1), extension.InvalidActionType},
		"an action that is nothing":  {200, asJSON, `{"data":{"@odata.type":"microsoft.graph.OnOtpSendResponseData","actions":[null]}}`, extension.InvalidActionType},
		"an action that is a number": {200, asJSON, `{"data":{"@odata.type":"microsoft.graph.OnOtpSendResponseData","actions":[1]}}`, extension.InvalidResponseBody},
	} {
		t.Run(name, func(t *testing.T) {
			if got := extension.Judge(test.status, test.media, []byte(test.body)); got != test.want {
				t.Errorf("got %d %v, want %d %v", got, got, test.want, test.want)
			}
		})
	}
}

func TestContinueIsTheDocumentedBody(t *testing.T) {
	const want = `{"data":{"@odata.type":"microsoft.graph.OnOtpSendResponseData","actions":[{"@odata.type":"microsoft.graph.OtpSend.continueWithDefaultBehavior"}]}}`
	if extension.Continue != want {
		t.Errorf("got %s", extension.Continue)
	}
}

func TestCodesHaveNames(t *testing.T) {
	seen := make(map[string]bool)
	for _, c := range extension.Codes() {
		name := c.String()
		if !strings.HasPrefix(name, "CustomExtension") || seen[name] {
			t.Errorf("%d has the name %q", c, name)
		}
		seen[name] = true
	}
}

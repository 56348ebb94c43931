package restful_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// request is what a service was asked.
type request struct {
	method, uri, body string
	header            http.Header
}

// asked runs a profile against a server that answers {}, and returns what it was asked. SERVER in the metadata is its URL.
func asked(t *testing.T, metadata string, more []string, claims ...any) (request, error) {
	t.Helper()
	var got request
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = request{r.Method, r.RequestURI, string(body), r.Header}
		_, _ = io.WriteString(w, "{}")
	})
	p, _ := load(t, profile(strings.ReplaceAll(metadata, "SERVER", server.URL), more...))
	_, _, err := call(t, client(t, options(server)), p, claims...)
	return got, err
}

func TestClaimsAreSentWhereThePolicySays(t *testing.T) {
	claims := []any{"email", "lea@fabrikam.example", "name", "Zo\u00eb \"Z\" & co", "age", claim.Number(42), "member", claim.Flag(true),
		"groups", claim.List("a", "b"), "objectId", "id/1?x#y z"}
	inputs := in("email", "name:givenName", "age", "member", "groups", "objectId", "phone")
	for name, test := range map[string]struct {
		metadata, inputs  string
		method, uri, body string
		header            map[string]string
	}{
		"Body": {"ServiceUrl=SERVER/a", inputs, "POST", "/a",
			`{"email":"lea@fabrikam.example","givenName":"Zo` + "\u00eb" + ` \"Z\" \u0026 co","age":42,"member":true,"groups":["a","b"],"objectId":"id/1?x#y z"}`,
			map[string]string{"Content-Type": "application/json"}},
		"no claims": {"ServiceUrl=SERVER SendClaimsIn=Body", "", "POST", "/", "{}", map[string]string{"Content-Type": "application/json"}},
		"Form": {"ServiceUrl=SERVER/a SendClaimsIn=form", inputs, "POST", "/a",
			"age=42&email=lea%40fabrikam.example&givenName=Zo%C3%AB+%22Z%22+%26+co&groups=a%2Cb&member=True&objectId=id%2F1%3Fx%23y+z",
			map[string]string{"Content-Type": "application/x-www-form-urlencoded"}},
		"Header": {"ServiceUrl=SERVER/a?b=c SendClaimsIn=Header", in("email:x-email", "age:x-age"), "GET", "/a?b=c", "",
			map[string]string{"X-Email": "lea@fabrikam.example", "X-Age": "42"}},
		"QueryString": {"ServiceUrl=SERVER/a?b=c SendClaimsIn=QueryString", in("email", "name:givenName", "objectId:id"), "GET",
			"/a?b=c&email=lea%40fabrikam.example&givenName=Zo%C3%AB%20%22Z%22%20%26%20co&id=id%2F1%3Fx%23y%20z", "", nil},
		"QueryString alone": {"ServiceUrl=SERVER/ SendClaimsIn=QueryString", in("age"), "GET", "/?age=42", "", nil},
		"Url": {"ServiceUrl=SERVER/users/{objectId}/{givenName}?$select=id&f=(elements*(x~))&{age}={email}&p={phone} SendClaimsIn=Url", inputs, "GET",
			"/users/id%2F1%3Fx%23y%20z/Zo%C3%AB%20%22Z%22%20&%20co?$select=id&f=(elements*(x~))&42=lea%40fabrikam.example&p=", "", nil},
		"Url without claims": {"ServiceUrl=SERVER/me SendClaimsIn=Url", inputs, "GET", "/me", "", nil},
	} {
		got, err := asked(t, test.metadata+" AuthenticationType=None", []string{test.inputs}, claims...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.method != test.method || got.uri != test.uri || got.body != test.body {
			t.Errorf("%s: asked %s %s %s", name, got.method, got.uri, got.body)
		}
		for key, value := range test.header {
			if got.header.Get(key) != value {
				t.Errorf("%s: header %s is %q", name, key, got.header.Get(key))
			}
		}
		if got.header.Get("Authorization") != "" {
			t.Errorf("%s: the service was shown credentials", name)
		}
	}
}

func TestThePayloadIsSentAsItIs(t *testing.T) {
	for _, payload := range []string{`{"b": 1, "a":[ ]}`, "not JSON\n", " "} {
		got, err := asked(t, "ServiceUrl=SERVER AuthenticationType=None SendClaimsIn=body ClaimUsedForRequestPayload=Body", []string{in("email", "body:payload")},
			"email", "lea@fabrikam.example", "body", payload)
		if err != nil || got.body != payload {
			t.Errorf("sent %q, want %q: %v", got.body, payload, err)
		}
	}
	_, err := asked(t, "ServiceUrl=SERVER AuthenticationType=None ClaimUsedForRequestPayload=body", []string{in("body")})
	if text := misuse(t, err); !strings.Contains(text, "the claim body is to be the body and has no value") {
		t.Error(text)
	}
}

func TestABearerTokenOfAClaimIsSentAsThatAlone(t *testing.T) {
	const metadata = "ServiceUrl=SERVER AuthenticationType=Bearer UseClaimAsBearerToken=token"
	for _, place := range []string{"Body", "Form", "QueryString", "Header"} {
		got, err := asked(t, metadata+" SendClaimsIn="+place, []string{in("token", "email")}, "token", "eyJ.a.b", "email", "lea@fabrikam.example")
		if err != nil || got.header.Get("Authorization") != "Bearer eyJ.a.b" {
			t.Errorf("%s: %v, %v", place, got.header, err)
		}
		delete(got.header, "Authorization")
		if all := fmt.Sprint(got); strings.Contains(all, "eyJ") || !strings.Contains(all, "fabrikam.example") {
			t.Errorf("%s: sent %s", place, all)
		}
	}
	_, err := asked(t, metadata, []string{in("token")})
	if text := misuse(t, err); !strings.Contains(text, "the claim token is to be the bearer token and has no value") {
		t.Error(text)
	}
}

func TestOneOfTwoClaimsWithOnePartnerNameIsSent(t *testing.T) {
	got, err := asked(t, "ServiceUrl=SERVER AuthenticationType=None", []string{in("email:x", "name:x")}, "email", "first", "name", "second")
	if err != nil || got.body != `{"x":"first"}` {
		t.Errorf("sent %s: %v", got.body, err)
	}
}

func TestEveryTextArrivesAsItWasSent(t *testing.T) {
	for _, text := range []string{"", "a b+c", "a&b=c", "%2e%2e", "\u20ac", "a\"b\\c", "</script>", "..", "a/../b", "1\u20282"} {
		claims := []any{"email", "set", "name", text}
		got, err := asked(t, "ServiceUrl=SERVER AuthenticationType=None", []string{in("email", "name")}, claims...)
		var body map[string]string
		if err != nil || json.Unmarshal([]byte(got.body), &body) != nil || body["name"] != text {
			t.Errorf("%q: sent %s: %v", text, got.body, err)
		}
		got, err = asked(t, "ServiceUrl=SERVER?q={name}&r=1 AuthenticationType=None SendClaimsIn=Url", []string{in("email", "name")}, claims...)
		r, parseErr := http.NewRequest("GET", "http://x"+got.uri, nil)
		if err != nil || parseErr != nil || r.URL.Query().Get("q") != text || r.URL.Query().Get("r") != "1" {
			t.Errorf("%q: asked %s: %v", text, got.uri, err)
		}
	}
}

func TestCredentialsThatCannotBeSent(t *testing.T) {
	for name, test := range map[string]struct{ auth, keys, want string }{
		"line break in a token":  {"Bearer", keys("BearerAuthenticationToken", "B2C_1A_Broken"), "the policy key B2C_1A_Broken (BearerAuthenticationToken) holds a sign"},
		"line break in a header": {"ApiKeyHeader", keys("x-api-key", "B2C_1A_Broken"), "the policy key B2C_1A_Broken (x-api-key) holds a sign"},
		"colon in a user":        {"Basic", keys("BasicAuthenticationUsername", "B2C_1A_Colon", "BasicAuthenticationPassword", "B2C_1A_Token"), "the policy key B2C_1A_Colon (BasicAuthenticationUsername) holds a colon"},
		"not a certificate":      {"ClientCertificate", keys("ClientCertificate", "B2C_1A_Token"), "(ClientCertificate) is not a certificate with its private key"},
		"unknown key":            {"Bearer", keys("BearerAuthenticationToken", "B2C_1A_None"), "the policy key B2C_1A_None is not known here"},
	} {
		got, err := asked(t, "ServiceUrl=SERVER AuthenticationType="+test.auth, []string{test.keys})
		if text := misuse(t, err); !strings.Contains(text, test.want) || got.method != "" || strings.Contains(text, "Host: b") {
			t.Errorf("%s: %s", name, text)
		}
	}
}

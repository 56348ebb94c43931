package restful_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework/claim"
)

// answered runs a profile against a server that answers with a status and a body.
func answered(t *testing.T, status int, body, metadata string, more ...string) (*claim.Bag, error) {
	t.Helper()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
	p, _ := load(t, profile("ServiceUrl="+server.URL+"/answer?code=url-Secret AuthenticationType=None "+metadata, more...))
	claims, _, err := call(t, client(t, options(server)), p)
	return claims, err
}

func TestOutputsAreTakenFromTheAnswer(t *testing.T) {
	const object = `{"email":"lea@fabrikam.example","Age":42,"member":"true","groups":["a","b"],"profile":{"b":1,"a":[ 2 ]},"nothing":null,"x":1,"X":2,"Yes":1,"yEs":2,
		"data":[{"to":[{"email":"deep@fabrikam.example"}]}],"name.first":"dotted"}`
	for name, test := range map[string]struct {
		outputs, metadata string
		want              map[string]claim.Value
	}{
		"by name":      {out("email", "age", "member", "groups"), "", map[string]claim.Value{"email": claim.Text("lea@fabrikam.example"), "age": claim.Number(42), "member": claim.Flag(true), "groups": claim.List("a", "b")}},
		"object":       {out("name:profile"), "", map[string]claim.Value{"name": claim.Text(`{"b":1,"a":[ 2 ]}`)}},
		"list as text": {out("name:groups"), "", map[string]claim.Value{"name": claim.Text(`["a","b"]`)}},
		"number":       {out("name:age"), "", map[string]claim.Value{"name": claim.Text("42")}},
		"absent":       {out("name", "email:nothing"), "", nil},
		"case alone":   {out("age:x"), "", map[string]claim.Value{"age": claim.Number(1)}},
		"two cases":    {out("age:yes"), "", nil},
		"no path":      {out("email:data[0].to[0].email"), "", nil},
		"path":         {out("email:data[0].to[0].email"), "ResolveJsonPathsInJsonTokens=true", map[string]claim.Value{"email": claim.Text("deep@fabrikam.example")}},
		"dots":         {out("email:data.0.to.0.email"), "ResolveJsonPathsInJsonTokens=True", map[string]claim.Value{"email": claim.Text("deep@fabrikam.example")}},
		"beyond":       {out("email:data[1].to", "name:data[0].to.x", "age:age.b"), "ResolveJsonPathsInJsonTokens=true", nil},
		"dot in name":  {out("name:name.first"), "ResolveJsonPathsInJsonTokens=true", map[string]claim.Value{"name": claim.Text("dotted")}},
		"part of path": {out("name:data[0]"), "ResolveJsonPathsInJsonTokens=true", map[string]claim.Value{"name": claim.Text(`{"to":[{"email":"deep@fabrikam.example"}]}`)}},
	} {
		claims, err := answered(t, 200, object, test.metadata, test.outputs)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if claims.Len() != len(test.want) {
			t.Errorf("%s: %d claims, want %d", name, claims.Len(), len(test.want))
		}
		for id, want := range test.want {
			if got, _ := claims.Get(id); !got.Equal(want) {
				t.Errorf("%s: %s is %q", name, id, got)
			}
		}
	}
}

func TestAnAnswerThatCannotBeRead(t *testing.T) {
	optional := `<OutputClaims><OutputClaim ClaimTypeReferenceId="name" DefaultValue="nobody"/></OutputClaims>`
	for name, body := range map[string]string{"empty": "", "words": "OK", "list": `["a"]`, "null": "null", "cut off": `{"name":"a`,
		"huge": `{"name":"a","more":"` + strings.Repeat("x", 64<<10) + `"}`, "padded": `{"name":"a"}` + strings.Repeat(" ", 64<<10), "bytes": "\xff\xfe\x00"} {
		if _, err := answered(t, 202, body, "", ""); err != nil {
			t.Errorf("%s, nothing wanted: %v", name, err)
		}
		if claims, err := answered(t, 200, body, "", optional); err != nil || claims.Text("name") != "nobody" {
			t.Errorf("%s, with a default: %v", name, err)
		}
		_, err := answered(t, 200, body, "", out("name"))
		text, failure := told(t, err)
		if text != "Failed to establish connection to restful service end point." || !strings.Contains(failure.Error(), "the output claim name is to be taken from it") {
			t.Errorf("%s: told %q, logged %v", name, text, failure)
		}
	}
}

func TestAServiceTellsThePersonWhatIsWrong(t *testing.T) {
	const full = `{"version":"1.0.0","status":409,"code":"API12345","requestId":"50f0bd91","userMessage":"That number is\r\n in use. \u202eABC","developerMessage":"row 7","moreInfo":"https://fabrikam.example/7"}`
	for _, status := range []int{400, 404, 409, 422, 499} {
		_, err := answered(t, status, full, "")
		text, failure := told(t, err)
		if text != "That number is in use. ABC" || failure.Code+failure.Developer+failure.RequestID+failure.MoreInfo != "" {
			t.Errorf("%d: told %q with %+v", status, text, failure)
		}
	}
	_, err := answered(t, 409, full, "DebugMode=true DefaultUserMessageIfRequestFailed=no")
	text, f := told(t, err)
	got := []string{text, f.Code, f.RequestID, f.Developer, f.MoreInfo, f.Key}
	if want := []string{"That number is in use. ABC", "API12345", "50f0bd91", "row 7", "https://fabrikam.example/7", ""}; !slices.Equal(got, want) {
		t.Errorf("told %q", got)
	}
	_, err = answered(t, 409, `{"version":"1.0.0","status":409,"userMessage":"`+strings.Repeat("long ", 10000)+`"}`, "")
	if text, _ := told(t, err); len(text) != 999 || !strings.HasPrefix(text, "long long") {
		t.Errorf("told %d bytes", len(text))
	}
}

func TestWhatIsNoRefusalOfB2CIsNotTold(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
	}{
		"status of another kind": {400, `{"version":"1.0.0","status":400,"userMessage":"told"}`},
		"no status":              {409, `{"version":"1.0.0","userMessage":"told"}`},
		"no version":             {409, `{"status":409,"userMessage":"told"}`},
		"no message":             {409, `{"version":"1.0.0","status":409,"userMessage":" "}`},
		"message of marks alone": {409, `{"version":"1.0.0","status":409,"userMessage":"\u202e \u0000"}`},
		"message of a list":      {409, `{"version":"1.0.0","status":409,"userMessage":["told"]}`},
		"server's error":         {500, `{"version":"1.0.0","status":409,"userMessage":"told"}`},
		"redirect":               {302, `{"version":"1.0.0","status":409,"userMessage":"told"}`},
		"page":                   {404, `<html>told</html>`},
		"too long, padded":       {409, `{"version":"1.0.0","status":409,"userMessage":"told"}` + strings.Repeat(" ", 64<<10)},
		"too long":               {409, `{"version":"1.0.0","status":409,"userMessage":"told","more":"` + strings.Repeat("x", 64<<10) + `"}`},
	} {
		_, err := answered(t, test.status, test.body, "")
		text, failure := told(t, err)
		if log := failure.Error(); text == "" || strings.Contains(text+log, "told") || strings.Contains(text+log, "url-Secret") || strings.Contains(text+log, "/answer") || !strings.Contains(log, "status ") {
			t.Errorf("%s: told %q, logged %s", name, text, log)
		}
	}
}

func TestAServiceThatRepeatsCredentialsIsNotHeard(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		w.WriteHeader(409)
		_, _ = io.WriteString(w, `{"version":"1","status":409,"userMessage":"`+user+` with `+password+` is not known, nor `+r.Header.Get("Authorization")+`"}`)
	})
	p, _ := load(t, profile("AuthenticationType=Basic ServiceUrl="+server.URL, keys("BasicAuthenticationUsername", "B2C_1A_User", "BasicAuthenticationPassword", "B2C_1A_Password")))
	_, _, err := call(t, client(t, options(server)), p)
	if text, _ := told(t, err); text != "... with ... is not known, nor Basic ..." {
		t.Errorf("told %q", text)
	}
}

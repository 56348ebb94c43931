package accounts_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/accounts"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

const policy = `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicySchemaVersion="0.3.0.0" TenantId="fabrikam.example" PolicyId="B2C_1A_Accounts" PublicPolicyUri="http://fabrikam.example/accounts">
<BuildingBlocks><ClaimsSchema>
  <ClaimType Id="email"><DataType>string</DataType></ClaimType><ClaimType Id="objectId"><DataType>string</DataType></ClaimType>
  <ClaimType Id="accountEnabled"><DataType>boolean</DataType></ClaimType><ClaimType Id="found"><DataType>string</DataType></ClaimType>
</ClaimsSchema></BuildingBlocks>
<ClaimsProviders><ClaimsProvider><DisplayName>Accounts</DisplayName><TechnicalProfiles>
  <TechnicalProfile Id="Common"><DisplayName>Common</DisplayName><Protocol Name="Proprietary" Handler="Web.TPEngine.Providers.AzureActiveDirectoryProvider, Web.TPEngine"/></TechnicalProfile>
  <TechnicalProfile Id="Look"><Metadata><Item Key="Operation">Read</Item><Item Key="RaiseErrorIfClaimsPrincipalDoesNotExist">false</Item></Metadata>
    <InputClaims><InputClaim ClaimTypeReferenceId="email" PartnerClaimType="signInNames.emailAddress" Required="true"/></InputClaims>
    <OutputClaims><OutputClaim ClaimTypeReferenceId="objectId"/><OutputClaim ClaimTypeReferenceId="accountEnabled"/><OutputClaim ClaimTypeReferenceId="found" DefaultValue="looked"/></OutputClaims>
    <IncludeTechnicalProfile ReferenceId="Common"/></TechnicalProfile>
  <TechnicalProfile Id="Must"><Metadata><Item Key="Operation">Read</Item><Item Key="UserMessageIfClaimsPrincipalDoesNotExist">Who are you?</Item><Item Key="RaiseErrorIfClaimPrincipalDoesNotExist">true</Item></Metadata>
    <InputClaims><InputClaim ClaimTypeReferenceId="email"/></InputClaims><IncludeTechnicalProfile ReferenceId="Common"/></TechnicalProfile>
  <TechnicalProfile Id="Write"><Metadata><Item Key="Operation">Write</Item></Metadata><InputClaims><InputClaim ClaimTypeReferenceId="email"/></InputClaims><IncludeTechnicalProfile ReferenceId="Common"/></TechnicalProfile>
</TechnicalProfiles></ClaimsProvider></ClaimsProviders></TrustFrameworkPolicy>`

// people is a service that knows one account, and refuses what the contract does not allow.
func people(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := json.NewDecoder(r.Body)
		in.DisallowUnknownFields()
		var q struct {
			Policy, Profile string
			By              map[string]string
			Want            []string
		}
		if err := in.Decode(&q); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			http.Error(w, "bad question", http.StatusBadRequest)
			return
		}
		if r.Header.Get("Authorization") != "Bearer let-me-in" {
			http.Error(w, "who asks?", http.StatusUnauthorized)
			return
		}
		switch q.By["signInNames.emailAddress"] {
		case "lea@fabrikam.example":
			_, _ = io.WriteString(w, `{"objectId": "0f8f", "accountEnabled": true, "more": {"nobody": "asked"}}`)
		case "huge@fabrikam.example":
			_, _ = io.WriteString(w, `{"objectId": "`+strings.Repeat("x", 70<<10)+`"}`)
		case "list@fabrikam.example":
			_, _ = io.WriteString(w, `["objectId"]`)
		case "away@fabrikam.example":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func ask(t *testing.T, directory accounts.Directory, profile, email string) (execute.Result, error) {
	t.Helper()
	set := load(t)
	r := &execute.Runner{Handlers: map[string]execute.Handler{accounts.Kind: &accounts.Handler{Directory: directory}}, Now: time.Now}
	bag := &claim.Bag{}
	bag.Set("email", claim.Text(email))
	return r.Run(t.Context(), execute.Request{Policy: set.Policies[0], Profile: profile, Claims: bag, Session: &execute.Session{}})
}

func load(t *testing.T) *trustframework.Set {
	t.Helper()
	set, err := trustframework.Load(fstest.MapFS{"a.xml": {Data: []byte(policy)}}, trustframework.Options{})
	if err != nil || len(set.Policies) != 1 {
		t.Fatal(err, set.Problems)
	}
	return set
}

func service(t *testing.T, key string) *accounts.Service {
	t.Helper()
	s, err := accounts.NewService(people(t).URL, key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnAccountIsRead(t *testing.T) {
	result, err := ask(t, service(t, "let-me-in"), "Look", "lea@fabrikam.example")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"objectId": "0f8f", "accountEnabled": "True", "found": "looked"} {
		if got := result.Claims.Text(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestAnAccountThatIsNotThere(t *testing.T) {
	s := service(t, "let-me-in")
	result, err := ask(t, s, "Look", "nobody@fabrikam.example")
	if err != nil || result.Claims.Has("objectId") {
		t.Errorf("%v, %v; want no account and no error", result, err)
	}
	_, err = ask(t, s, "Must", "nobody@fabrikam.example")
	var told *execute.Told
	if !errors.As(err, &told) || told.Text != "Who are you?" {
		t.Errorf("%v, want the profile's own text", err)
	}
}

func TestAServiceThatCannotBeUsedIsNobodysAccount(t *testing.T) {
	for name, email := range map[string]string{"huge": "huge@fabrikam.example", "list": "list@fabrikam.example", "redirect": "away@fabrikam.example"} {
		_, err := ask(t, service(t, "let-me-in"), "Look", email)
		if err == nil || strings.Contains(err.Error(), "fabrikam.example") {
			t.Errorf("%s: %v, want an error without the address", name, err)
		}
	}
	if _, err := ask(t, service(t, "wrong"), "Look", "lea@fabrikam.example"); err == nil {
		t.Error("a refused key is no error")
	}
}

// What is no HTTP is repeated by the client's own error.
func TestWhatAServiceSaysIsInNoError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			io.WriteString(c, "lea@fabrikam.example\r\n\r\n")
			c.Close()
		}
	}()
	s, err := accounts.NewService("http://"+l.Addr().String()+"/find?code=let-me-in", "")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Find(t.Context(), accounts.Question{By: map[string]any{}, Want: []string{}})
	if err == nil || strings.Contains(err.Error(), "fabrikam") || strings.Contains(err.Error(), "let-me-in") {
		t.Errorf("%v, want an error in words of ours", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err = s.Find(ctx, accounts.Question{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want that the caller left", err)
	}
}

func TestWhatIsRefusedSaysWhy(t *testing.T) {
	s := service(t, "let-me-in")
	for _, c := range []struct {
		directory accounts.Directory
		profile   string
		want      string
	}{{s, "Write", "changes accounts"}, {nil, "Look", "b2c_accounts"}} {
		_, err := ask(t, c.directory, c.profile, "lea@fabrikam.example")
		var misuse *trustframework.Misuse
		if !errors.As(err, &misuse) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.profile, err, c.want)
		}
	}
	p := load(t).Policies[0]
	must, _ := p.TechnicalProfile("Must")
	problems := (&accounts.Handler{Directory: s}).Check(p, must)
	if len(problems) != 1 || !strings.Contains(problems[0].Reason, "did you mean RaiseErrorIfClaimsPrincipalDoesNotExist?") {
		t.Errorf("%v", problems)
	}
	write, _ := p.TechnicalProfile("Write")
	if problems := (&accounts.Handler{Directory: s}).Check(p, write); len(problems) != 1 || problems[0].At.Line == 0 {
		t.Errorf("%v", problems)
	}
}

func TestTheServiceIsAskedWithoutTheProxyOfTheEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	// Go never asks a proxy for a loopback address, and so the service has a name that comes to one.
	s, err := accounts.NewService(strings.Replace(people(t).URL, "127.0.0.1", "accounts.example", 1), "let-me-in")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = s.Find(t.Context(), accounts.Question{By: map[string]any{}, Want: []string{}})
	if err == nil || strings.Contains(err.Error(), "connection refused") {
		t.Errorf("%v, want a name that is not known", err)
	}
}

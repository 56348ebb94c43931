package restful_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"

	"github.com/otpost/otpost/internal/trustframework/restful"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

const fine = "ServiceUrl=https://api.example.org/a AuthenticationType=Bearer "

var token = keys("BearerAuthenticationToken", "B2C_1A_Token")

func TestCheckNamesWhatWillNotWork(t *testing.T) {
	for name, test := range map[string]struct {
		metadata string
		more     []string
		want     string
	}{
		"fine":                     {fine + "SendClaimsIn=body ClaimsFormat=Body DebugMode=TRUE IncludeClaimResolvingInClaimsHandling=true", []string{token}, ""},
		"no URL":                   {"AuthenticationType=Bearer", []string{token}, "2:1 broken ServiceUrl is missing"},
		"no authentication":        {"ServiceUrl=https://api.example.org", nil, "2:1 broken AuthenticationType is missing; it is one of None, Basic, Bearer, ClientCertificate, ApiKeyHeader"},
		"misspelt authentication":  {"ServiceUrl=https://api.example.org AuthenticationType=Bearr", nil, "4:1 broken AuthenticationType has a value that there is not; did you mean Bearer?"},
		"misspelt place":           {fine + "SendClaimsIn=Query", []string{token}, "5:1 broken SendClaimsIn has a value that there is not; known are Body, Form, Header, QueryString, Url"},
		"misspelt key":             {fine + "ClaimUsedForRequestPayloads=a", []string{token}, "5:1 odd there is no metadata ClaimUsedForRequestPayloads of RESTful profiles; it does nothing; did you mean ClaimUsedForRequestPayload?"},
		"foreign keys":             {fine + "HttpBinding=POST BearerTokenTransmissionMethod=Query ClaimResolverUrlFormatting=true", []string{token}, "5:1 odd HttpBinding is not documented|6:1 odd BearerTokenTransmissionMethod is not|7:1 odd ClaimResolverUrlFormatting is not"},
		"no flag":                  {fine + "DebugMode=yes", []string{token}, "5:1 odd DebugMode is neither true nor false"},
		"http":                     {"ServiceUrl=http://api.example.org AuthenticationType=Bearer", []string{token}, "3:1 broken ServiceUrl shows claims and credentials to the network"},
		"other scheme":             {"ServiceUrl=file:///etc/passwd AuthenticationType=Bearer", []string{token}, "3:1 broken ServiceUrl is not a URL such as"},
		"no scheme":                {"ServiceUrl=//api.example.org/a AuthenticationType=Bearer", []string{token}, "3:1 broken ServiceUrl is not a URL"},
		"user":                     {"ServiceUrl=https://a:b@api.example.org AuthenticationType=Bearer", []string{token}, "3:1 broken ServiceUrl has a user in it"},
		"user without password":    {"ServiceUrl=https://api.example.org@127.0.0.1 AuthenticationType=Bearer", []string{token}, "3:1 broken ServiceUrl has a user in it"},
		"backslash":                {"ServiceUrl=https://api.example.org\\a AuthenticationType=Bearer", []string{token}, "3:1 broken ServiceUrl cannot be read as a URL"},
		"blank":                    {"ServiceUrl=https://api_x.example.org/ AuthenticationType=Bearer", []string{token}, "3:1 broken ServiceUrl cannot be read as a URL"},
		"no host":                  {"ServiceUrl=https:///a AuthenticationType=Bearer", []string{token}, "3:1 broken ServiceUrl cannot be read as a URL"},
		"port alone":               {"ServiceUrl=https://:443/a AuthenticationType=Bearer", []string{token}, "3:1 broken ServiceUrl cannot be read as a URL"},
		"zone":                     {"ServiceUrl=https://[fe80::1%25eth0]/a AuthenticationType=Bearer", []string{token}, "3:1 broken ServiceUrl cannot be read as a URL"},
		"fragment":                 {"ServiceUrl=https://api.example.org/a#b AuthenticationType=Bearer", []string{token}, "3:1 odd ServiceUrl has a fragment"},
		"service placeholder":      {"ServiceUrl={service:te}/a AuthenticationType=Bearer", []string{token}, "3:1 broken ServiceUrl still holds {service:te}"},
		"claim in host":            {"ServiceUrl=https://{email}.example.org/a AuthenticationType=Bearer SendClaimsIn=Url", []string{token, in("email")}, "3:1 broken ServiceUrl has a claim in its host"},
		"claim as host":            {"ServiceUrl=https://{email}/a AuthenticationType=Bearer SendClaimsIn=Url", []string{token, in("email")}, "3:1 broken ServiceUrl has a claim in its host"},
		"claim as scheme":          {"ServiceUrl={email}://a/a AuthenticationType=Bearer SendClaimsIn=Url", []string{token, in("email")}, "3:1 broken ServiceUrl is not a URL"},
		"claim in port":            {"ServiceUrl=https://a.example:{age}/a AuthenticationType=Bearer SendClaimsIn=Url", []string{token, in("age")}, "3:1 broken ServiceUrl has a claim in its host"},
		"half a brace":             {fine[:strings.Index(fine, " ")] + "/{email AuthenticationType=Bearer SendClaimsIn=Url", []string{token, in("email")}, "3:1 broken ServiceUrl has a brace without"},
		"no claim in braces":       {fine[:strings.Index(fine, " ")] + "/{} AuthenticationType=Bearer SendClaimsIn=Url", []string{token}, "3:1 broken ServiceUrl has a brace without"},
		"claim in another place":   {"ServiceUrl=https://a.example/{email} AuthenticationType=Bearer", []string{token, in("email")}, "3:1 broken ServiceUrl has claims in it, which only SendClaimsIn Url puts in"},
		"claim that is no input":   {"ServiceUrl=https://a.example/{email}/{Name}/{x} AuthenticationType=Bearer SendClaimsIn=Url", []string{token, in("email", "age:name")}, "3:1 broken ServiceUrl has the claim x in it, which is not among the InputClaims"},
		"resolver":                 {"ServiceUrl=https://a.example/{Culture:RFC5646} AuthenticationType=Bearer SendClaimsIn=Url", []string{token}, "3:1 broken ServiceUrl has a claim resolver in it"},
		"payload that is no input": {fine + "ClaimUsedForRequestPayload=body", []string{token, in("email")}, "5:1 broken ClaimUsedForRequestPayload names a claim that is not among the InputClaims"},
		"payload in a form":        {fine + "SendClaimsIn=Form ClaimUsedForRequestPayload=body", []string{token, in("body")}, "6:1 odd ClaimUsedForRequestPayload counts only with SendClaimsIn Body"},
		"token that is no input":   {fine + "UseClaimAsBearerToken=token", []string{in("email")}, "5:1 broken UseClaimAsBearerToken names a claim that is not among the InputClaims"},
		"token without Bearer":     {"ServiceUrl=https://a.example AuthenticationType=Basic UseClaimAsBearerToken=token", []string{in("token"), keys("BasicAuthenticationUsername", "B2C_1A_User", "BasicAuthenticationPassword", "B2C_1A_Password")}, "5:1 odd UseClaimAsBearerToken counts only with AuthenticationType Bearer"},
		"no token":                 {fine, nil, "2:1 broken AuthenticationType Bearer wants the key BearerAuthenticationToken"},
		"no Basic keys":            {"ServiceUrl=https://a.example AuthenticationType=Basic", []string{keys("BasicAuthenticationUsername", "B2C_1A_User")}, "2:1 broken AuthenticationType Basic wants the key BasicAuthenticationPassword"},
		"no certificate":           {"ServiceUrl=https://a.example AuthenticationType=ClientCertificate", nil, "2:1 broken AuthenticationType ClientCertificate wants the key ClientCertificate"},
		"no header":                {"ServiceUrl=https://a.example AuthenticationType=ApiKeyHeader", nil, "2:1 broken AuthenticationType ApiKeyHeader wants a key"},
		"header of the connection": {"ServiceUrl=https://a.example AuthenticationType=ApiKeyHeader", []string{"\n" + keys("Host", "B2C_1A_Token")}, "5:20 broken the key's Id cannot be the name of a header"},
		"two headers":              {"ServiceUrl=https://a.example AuthenticationType=ApiKeyHeader", []string{keys("a", "B2C_1A_Token", "b", "B2C_1A_User")}, "4 odd ApiKeyHeader sends one header"},
		"key that is not known":    {fine, []string{"\n" + keys("BearerAuthenticationToken", "B2C_1A_Other")}, "5:20 broken the policy key B2C_1A_Other is not known here"},
		"path without the switch":  {fine, []string{token, "\n" + out("email:data[0].email")}, "6:15 odd the PartnerClaimType of the output claim email looks like a path"},
		"no path": {fine + "ResolveJsonPathsInJsonTokens=true", []string{token, "\n" + out("email:data[x]", "name:a..b", "age:a[1", "phone:a[1]b", "body:"+strings.Repeat("a.", 33)+"a")},
			"7:15 broken the PartnerClaimType of the output claim email is not a path|7 broken the PartnerClaimType of the output claim name has two dots|7 broken the PartnerClaimType of the output claim age is not|7 broken the PartnerClaimType of the output claim phone is not|7 broken the PartnerClaimType of the output claim body has more than 32 steps"},
		"open to all":            {"ServiceUrl=https://a.example AuthenticationType=None AllowInsecureAuthInProduction=true", nil, "5:1 odd the service has no way to tell who calls it: AuthenticationType is None, and AllowInsecureAuthInProduction"},
		"open in development":    {"ServiceUrl=https://a.example AuthenticationType=None AllowInsecureAuthInProduction=false", nil, ""},
		"switch without meaning": {fine + "AllowInsecureAuthInProduction=true", []string{token}, ""},
	} {
		p, found := load(t, profile(test.metadata, test.more...))
		o := options(nil)
		o.AllowPrivate = false
		var got []string
		for _, problem := range client(t, o).Check(p, found) {
			got = append(got, fmt.Sprintf("%d:%d %s %s", problem.At.Line, problem.At.Column, problem.Weight, problem.Reason))
		}
		var want []string
		if test.want != "" {
			want = strings.Split(test.want, "|")
		}
		same := slices.EqualFunc(got, want, func(g, w string) bool {
			line, rest, _ := strings.Cut(w, " ")
			at, reason, _ := strings.Cut(g, " ")
			return strings.HasPrefix(reason, rest) && (at == line || strings.HasPrefix(at, line+":"))
		})
		if !same {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
		for _, g := range got {
			if strings.Contains(g, "secret") || strings.Contains(g, "example.org") && !strings.Contains(g, "such as") {
				t.Errorf("%s: %s repeats a value", name, g)
			}
		}
	}
}

func TestB2CDoesNotTakeOpenServicesInProduction(t *testing.T) {
	for mode, want := range map[string]int{"Production": 1, "Development": 0} {
		p, found := loadWith(t, profile("ServiceUrl=https://a.example AuthenticationType=None"), "", mode)
		problems := client(t, restful.Options{}).Check(p, found)
		if len(problems) != want {
			t.Errorf("%s: %v", mode, problems)
		}
	}
}

func TestWithoutKeysCheckSaysNothingOfThem(t *testing.T) {
	p, found := load(t, profile(fine, keys("BearerAuthenticationToken", "B2C_1A_Other")))
	c := client(t, restful.Options{})
	if problems := c.Check(p, found); len(problems) != 0 {
		t.Error(problems)
	}
	_, _, err := call(t, c, p)
	if text := misuse(t, err); !strings.Contains(text, "the policy key B2C_1A_Other (BearerAuthenticationToken) is not known, since there are no policy keys here") {
		t.Error(text)
	}
}

func TestAProfileThatIsBrokenIsNotRun(t *testing.T) {
	p, _ := load(t, profile("ServiceUrl=https://{email}.example.org AuthenticationType=None SendClaimsIn=Url", in("email")))
	_, _, err := call(t, client(t, restful.Options{}), p, "email", "x")
	if text := misuse(t, err); !strings.HasPrefix(text, "rest.xml:3:1: technical profile Rest: ServiceUrl has a claim in its host") {
		t.Error(text)
	}
}

func TestAClientCertificateIsShown(t *testing.T) {
	shown, kept := "", false
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		shown, kept = r.TLS.PeerCertificates[0].Subject.CommonName, !r.Close
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.Config.ErrorLog = quiet()
	server.StartTLS()
	t.Cleanup(server.Close)
	o := options(server)
	pair := certificatePEM(t, "otpost.example")
	o.Keys = func(string) (string, bool) { return pair, true }
	c := client(t, o)
	p, found := load(t, profile("ServiceUrl="+server.URL+" AuthenticationType=ClientCertificate", keys("ClientCertificate", "B2C_1A_Certificate")))
	if problems := c.Check(p, found); len(problems) != 0 {
		t.Error(problems)
	}
	if _, _, err := call(t, c, p); err != nil || shown != "otpost.example" || kept {
		t.Errorf("shown %q, connection kept: %t: %v", shown, kept, err)
	}
	// Another profile of the same client shows none.
	p, _ = load(t, profile("ServiceUrl="+server.URL+open))
	_, _, err := call(t, c, p)
	told(t, err)
}

func certificatePEM(t *testing.T, name string) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

func TestAboutSaysWhereACallGoes(t *testing.T) {
	_, found := load(t, profile(fine+"SendClaimsIn=Form", token))
	about := client(t, restful.Options{}).About(found)
	if about.Kind != "REST call to api.example.org" || about.B2C == "" || about.Otpost == "" || about.Entra == "" || len(about.Differs) == 0 {
		t.Errorf("%+v", about)
	}
	_, found = load(t, profile("ServiceUrl={Service:te} AuthenticationType=None"))
	if about := client(t, restful.Options{}).About(found); about.Kind != "REST call" {
		t.Errorf("%+v", about)
	}
}

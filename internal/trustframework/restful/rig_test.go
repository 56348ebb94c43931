package restful_test

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/restful"
)

const schema = `<BuildingBlocks><ClaimsSchema>
<ClaimType Id="email"><DataType>string</DataType></ClaimType>
<ClaimType Id="phone"><DataType>phoneNumber</DataType></ClaimType>
<ClaimType Id="message"><DataType>string</DataType></ClaimType>
<ClaimType Id="body"><DataType>string</DataType></ClaimType>
<ClaimType Id="token"><DataType>string</DataType></ClaimType>
<ClaimType Id="objectId"><DataType>string</DataType></ClaimType>
<ClaimType Id="name"><DataType>string</DataType></ClaimType>
<ClaimType Id="newPassword"><DataType>string</DataType><UserInputType>Password</UserInputType></ClaimType>
<ClaimType Id="age"><DataType>int</DataType></ClaimType>
<ClaimType Id="member"><DataType>boolean</DataType></ClaimType>
<ClaimType Id="groups"><DataType>stringCollection</DataType></ClaimType>
</ClaimsSchema>MORE</BuildingBlocks>`

// load reads a policy with one technical profile, which begins in line 2.
func load(t testing.TB, profile string) (*trustframework.Policy, *trustframework.TechnicalProfile) {
	t.Helper()
	return loadWith(t, profile, "", "Development")
}

// loadWith also takes what follows the claims in BuildingBlocks, and the DeploymentMode.
func loadWith(t testing.TB, profile, more, mode string) (*trustframework.Policy, *trustframework.TechnicalProfile) {
	t.Helper()
	profile = strings.Replace(profile, "<Protocol/>", `<Protocol Name="Proprietary" Handler="`+restful.Kind+`, Web.TPEngine"/>`, 1)
	text := `<TrustFrameworkPolicy xmlns="http://schemas.microsoft.com/online/cpim/schemas/2013/06" PolicyId="B2C_1A_Rest" DeploymentMode="` + mode + `">` +
		strings.ReplaceAll(strings.Replace(schema, "MORE", more, 1), "\n", "") +
		"<ClaimsProviders><ClaimsProvider><TechnicalProfiles>\n" + profile + "\n</TechnicalProfiles></ClaimsProvider></ClaimsProviders></TrustFrameworkPolicy>"
	set, err := trustframework.Load(fstest.MapFS{"rest.xml": {Data: []byte(text)}}, trustframework.Options{})
	if err != nil || len(set.Policies) != 1 || len(set.Problems) != 0 {
		t.Fatal(err, set.Problems)
	}
	p := set.Policies[0]
	return p, p.TechnicalProfiles[0]
}

// profile writes a technical profile of metadata, "key=value" each, and more elements.
func profile(metadata string, more ...string) string {
	var b strings.Builder
	b.WriteString(`<TechnicalProfile Id="Rest"><DisplayName>Rest</DisplayName><Protocol/><Metadata>`)
	for _, pair := range strings.Fields(metadata) {
		key, value, _ := strings.Cut(pair, "=")
		b.WriteString("\n<Item Key=\"" + key + "\">" + strings.NewReplacer("&", "&amp;", "_", " ").Replace(value) + "</Item>")
	}
	return b.String() + "</Metadata>" + strings.Join(more, "\n") + "</TechnicalProfile>"
}

func keys(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		b.WriteString(`<Key Id="` + pairs[i] + `" StorageReferenceId="` + pairs[i+1] + `"/>`)
	}
	return "<CryptographicKeys>" + b.String() + "</CryptographicKeys>"
}

// in and out write claims, "claim" or "claim:partner" each.
func in(names ...string) string  { return mappings("InputClaim", names) }
func out(names ...string) string { return mappings("OutputClaim", names) }

func mappings(element string, names []string) string {
	var b strings.Builder
	for _, n := range names {
		name, partner, mapped := strings.Cut(n, ":")
		b.WriteString("<" + element + ` ClaimTypeReferenceId="` + name + `"`)
		if mapped {
			b.WriteString(` PartnerClaimType="` + partner + `"`)
		}
		b.WriteString("/>")
	}
	return "<" + element + "s>" + b.String() + "</" + element + "s>"
}

// vault holds the policy keys of tests.
var vault = map[string]string{"B2C_1A_User": "AC0123456789", "B2C_1A_Password": "pass-Word-98765", "B2C_1A_Token": "SG.Secret-123456\n", "B2C_1A_Colon": "a:b", "B2C_1A_Broken": "a\r\nHost: b"}

func options(server *httptest.Server) restful.Options {
	o := restful.Options{AllowPrivate: true, Keys: func(name string) (string, bool) { text, ok := vault[name]; return text, ok }}
	if server != nil && server.TLS != nil {
		o.Roots = x509.NewCertPool()
		o.Roots.AddCert(server.Certificate())
	}
	return o
}

// serve starts a server with a certificate.
func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	return s
}

// client makes a client for a server.
func client(t testing.TB, o restful.Options) *restful.Client {
	t.Helper()
	c := restful.New(o)
	t.Cleanup(c.Close)
	return c
}

// call runs the profile by a Runner, as a policy would, and returns the claims and the trace.
func call(t testing.TB, c *restful.Client, p *trustframework.Policy, claims ...any) (*claim.Bag, *execute.Trace, error) {
	t.Helper()
	bag := &claim.Bag{}
	for i := 0; i < len(claims); i += 2 {
		v, ok := claims[i+1].(claim.Value)
		if !ok {
			v = claim.Text(claims[i+1].(string))
		}
		bag.Set(claims[i].(string), v)
	}
	trace := &execute.Trace{}
	r := &execute.Runner{Handlers: map[string]execute.Handler{restful.Kind: c}, Rand: rand.Reader, Now: time.Now}
	result, err := r.Run(t.Context(), execute.Request{Policy: p, Profile: "Rest", Claims: bag, Session: &execute.Session{ID: "s"}, Trace: trace})
	return result.Claims, trace, err
}

// told is what the person is told.
func told(t testing.TB, err error) (string, *trustframework.Failure) {
	t.Helper()
	var refusal *execute.Told
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal for the person", err)
	}
	return refusal.Text, refusal.Failure
}

// misuse is what whoever wrote the policy is told.
func misuse(t testing.TB, err error) string {
	t.Helper()
	var m *trustframework.Misuse
	if !errors.As(err, &m) {
		t.Fatalf("got %v, want a misuse", err)
	}
	return m.Error()
}

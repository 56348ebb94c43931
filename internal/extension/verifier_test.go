package extension_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/otpost/otpost/internal/extension"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

var newKey = sync.OnceValue(func() *rsa.PrivateKey { return freshKey() })

func freshKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// clock is a clock that only the test moves.
type clock struct{ at atomic.Pointer[time.Time] }

func newClock() *clock {
	c := new(clock)
	c.at.Store(&noon)
	return c
}

func (c *clock) Now() time.Time { return *c.at.Load() }

func (c *clock) advance(d time.Duration) {
	next := c.Now().Add(d)
	c.at.Store(&next)
}

// tenant is an issuer behind a real server, which counts what is fetched from it.
type tenant struct {
	*extension.Issuer
	server *httptest.Server
	clock  *clock
	// handler answers instead of the issuer when it is set.
	handler atomic.Pointer[http.HandlerFunc]
	fetches atomic.Int64
}

func newTenant(t testing.TB) *tenant {
	t.Helper()
	n := &tenant{clock: newClock()}
	n.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
			n.fetches.Add(1)
		}
		if h := n.handler.Load(); h != nil {
			(*h)(w, r)
			return
		}
		n.ServeHTTP(w, r)
	}))
	t.Cleanup(n.server.Close)
	n.Issuer = n.issuer(t, newKey())
	return n
}

func (n *tenant) issuer(t testing.TB, key *rsa.PrivateKey) *extension.Issuer {
	t.Helper()
	i, err := extension.NewIssuer(n.server.URL, tenantID, key, n.clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func (n *tenant) answer(h http.HandlerFunc) { n.handler.Store(&h) }

func (n *tenant) trust() extension.Trust {
	return extension.Trust{
		Audiences: extension.Audiences(appID, "otp.example.net"), Tenants: []string{tenantID}, AllowLoopback: true, Now: n.clock.Now,
		Issuers: []extension.TrustedIssuer{
			{Issuer: n.Name(extension.V2), Metadata: n.Metadata(extension.V2), Tenant: tenantID},
			{Issuer: n.Name(extension.V1), Metadata: n.Metadata(extension.V1), Tenant: tenantID},
		},
	}
}

func (n *tenant) verifier(t testing.TB) *extension.Verifier {
	t.Helper()
	v, err := extension.NewVerifier(n.trust())
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return v
}

func mint(t testing.TB, i *extension.Issuer, g extension.Grant) string {
	t.Helper()
	token, err := i.Mint(g)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func reason(err error) extension.Reason {
	var r *extension.Refused
	if errors.As(err, &r) {
		return r.Reason
	}
	return extension.Reason(fmt.Sprint(err))
}

func TestVerifyAcceptsBothShapes(t *testing.T) {
	n := newTenant(t)
	v := n.verifier(t)
	for name, grant := range map[string]extension.Grant{
		"v2, app id":                    {Audience: appID},
		"v2, app id in capitals":        {Audience: strings.ToUpper(appID)},
		"v1, identifier URI with host":  {Audience: "api://otp.example.net/" + appID, Version: extension.V1},
		"v1, identifier URI by default": {Audience: "api://" + appID, Version: extension.V1},
	} {
		t.Run(name, func(t *testing.T) {
			id, err := v.Verify(t.Context(), mint(t, n.Issuer, grant))
			if err != nil {
				t.Fatal(err)
			}
			if id.Tenant != tenantID || id.Party != extension.EntraClient || !id.Expires.Equal(noon.Add(time.Hour)) {
				t.Errorf("got %+v", id)
			}
		})
	}
}

// good is the claims of a token that is right in every respect.
func (n *tenant) good() map[string]any {
	return map[string]any{"iss": n.Name(extension.V2), "aud": appID, "azp": extension.EntraClient, "tid": tenantID, "ver": "2.0",
		"iat": noon.Unix(), "nbf": noon.Unix(), "exp": noon.Add(time.Hour).Unix()}
}

func kid(t testing.TB, key *rsa.PrivateKey) string {
	t.Helper()
	sum, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

func sign(t testing.TB, alg jose.SignatureAlgorithm, key any, header map[jose.HeaderKey]any, claims any) string {
	t.Helper()
	options := new(jose.SignerOptions)
	for k, v := range header {
		options.WithHeader(k, v)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestVerifyRefusals(t *testing.T) {
	n := newTenant(t)
	v := n.verifier(t)
	ours := map[jose.HeaderKey]any{"kid": kid(t, newKey())}
	stranger := freshKey()
	with := func(changes map[string]any) string {
		claims := n.good()
		for k, v := range changes {
			if claims[k] = v; v == nil {
				delete(claims, k)
			}
		}
		return sign(t, jose.RS256, newKey(), ours, claims)
	}
	good := with(nil)
	parts := strings.Split(good, ".")
	b64 := base64.RawURLEncoding.EncodeToString
	public, err := x509.MarshalPKIXPublicKey(newKey().Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		token string
		want  extension.Reason
	}{
		"none":                {"", extension.TokenMissing},
		"no token at all":     {"hello", extension.TokenMalformed},
		"two parts":           {parts[0] + "." + parts[1], extension.TokenMalformed},
		"too long":            {strings.Repeat("a", 20<<10), extension.TokenMalformed},
		"JSON serialization":  {`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`, extension.TokenMalformed},
		"claims not JSON":     {with(map[string]any{"iss": 7}), extension.TokenMalformed},
		"a claim twice":       {parts[0] + "." + b64([]byte(`{"iss":"a","iss":"b"}`)) + "." + parts[2], extension.TokenMalformed},
		"alg none":            {b64([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", extension.WrongAlgorithm},
		"alg HS256, our key":  {sign(t, jose.HS256, public, ours, n.good()), extension.WrongAlgorithm},
		"alg PS256":           {sign(t, jose.PS256, newKey(), ours, n.good()), extension.WrongAlgorithm},
		"another issuer":      {with(map[string]any{"iss": "https://login.microsoftonline.com/" + tenantID + "/v2.0"}), extension.WrongIssuer},
		"issuer with a slash": {with(map[string]any{"iss": n.Name(extension.V2) + "/"}), extension.WrongIssuer},
		"no issuer":           {with(map[string]any{"iss": nil}), extension.WrongIssuer},
		"unknown kid":         {sign(t, jose.RS256, stranger, map[jose.HeaderKey]any{"kid": "other"}, n.good()), extension.UnknownKey},
		"no kid":              {sign(t, jose.RS256, newKey(), nil, n.good()), extension.UnknownKey},
		"our kid, their key":  {sign(t, jose.RS256, stranger, ours, n.good()), extension.BadSignature},
		"changed claims":      {parts[0] + "." + b64([]byte(`{"iss":"`+n.Name(extension.V2)+`"}`)) + "." + parts[2], extension.BadSignature},
		"a key of its own": {sign(t, jose.RS256, jose.JSONWebKey{Key: stranger, KeyID: "other"},
			map[jose.HeaderKey]any{"jwk": jose.JSONWebKey{Key: stranger.Public(), KeyID: "other"}}, n.good()), extension.UnknownKey},
		"no exp":            {with(map[string]any{"exp": nil}), extension.TokenMalformed},
		"expired":           {with(map[string]any{"exp": noon.Add(-time.Minute).Unix()}), extension.TokenExpired},
		"not yet":           {with(map[string]any{"nbf": noon.Add(61 * time.Second).Unix()}), extension.NotYetValid},
		"issued tomorrow":   {with(map[string]any{"iat": noon.Add(24 * time.Hour).Unix()}), extension.NotYetValid},
		"another audience":  {with(map[string]any{"aud": "00000003-0000-0000-c000-000000000000"}), extension.WrongAudience},
		"no audience":       {with(map[string]any{"aud": nil}), extension.WrongAudience},
		"another host":      {with(map[string]any{"aud": "api://evil.example/" + appID}), extension.WrongAudience},
		"another client":    {with(map[string]any{"azp": appID}), extension.WrongParty},
		"no client":         {with(map[string]any{"azp": nil}), extension.WrongParty},
		"two clients":       {with(map[string]any{"appid": appID}), extension.WrongParty},
		"another tenant":    {with(map[string]any{"tid": appID}), extension.WrongTenant},
		"no tenant":         {with(map[string]any{"tid": nil}), extension.WrongTenant},
		"claim in capitals": {with(map[string]any{"tid": nil, "TID": tenantID}), extension.WrongTenant},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Verify(t.Context(), test.token)
			if got := reason(err); got != test.want {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	if _, err := v.Verify(t.Context(), good); err != nil {
		t.Errorf("the good token: %v", err)
	}
}

func TestVerifyLeeway(t *testing.T) {
	n := newTenant(t)
	v := n.verifier(t)
	token := mint(t, n.Issuer, extension.Grant{Audience: appID, Lifetime: 10 * time.Minute})
	n.clock.advance(-time.Minute)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("a minute before nbf: %v", err)
	}
	n.clock.advance(12*time.Minute - time.Second)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("59 seconds after exp: %v", err)
	}
	n.clock.advance(time.Second)
	if _, err := v.Verify(t.Context(), token); reason(err) != extension.TokenExpired {
		t.Errorf("a minute after exp, the token already seen: %v", err)
	}
}

// Casdoor looked codes up by receiver only; here the same mistake would be to take one tenant's token for another's.
func TestAdvisory_Casdoor_TenantsDoNotVouchForEachOther(t *testing.T) {
	const otherID = "99999999-0000-4000-8000-0000000000aa"
	n := newTenant(t)
	trust := n.trust()
	trust.Tenants = append(trust.Tenants, otherID)
	v, err := extension.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	claims := n.good()
	claims["tid"] = otherID
	token := sign(t, jose.RS256, newKey(), map[jose.HeaderKey]any{"kid": kid(t, newKey())}, claims)
	if _, err := v.Verify(t.Context(), token); reason(err) != extension.WrongTenant {
		t.Errorf("got %v", err)
	}
}

func TestUnknownKeyIsFetchedOnce(t *testing.T) {
	n := newTenant(t)
	v := n.verifier(t)
	next := freshKey()
	n.clock.advance(time.Hour)
	n.fetches.Store(0)
	forged := sign(t, jose.RS256, next, map[jose.HeaderKey]any{"kid": "forged"}, n.good())
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := v.Verify(t.Context(), forged); reason(err) != extension.UnknownKey {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
	if got := n.fetches.Load(); got != 1 {
		t.Errorf("50 forged tokens caused %d fetches, want 1", got)
	}

	rotated := n.issuer(t, next)
	n.answer(rotated.ServeHTTP)
	token := mint(t, rotated, extension.Grant{Audience: appID})
	if _, err := v.Verify(t.Context(), token); reason(err) != extension.UnknownKey {
		t.Errorf("within the minimum interval: %v", err)
	}
	n.clock.advance(extension.DefaultRefetch)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("after the minimum interval: %v", err)
	}
}

func TestWithdrawnKeyForgetsItsTokens(t *testing.T) {
	n := newTenant(t)
	v := n.verifier(t)
	token := mint(t, n.Issuer, extension.Grant{Audience: appID})
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	n.answer(n.issuer(t, freshKey()).ServeHTTP)
	if err := v.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), token); reason(err) != extension.UnknownKey {
		t.Errorf("got %v", err)
	}
}

func TestLastGoodKeysStayWhenTheIssuerIsDown(t *testing.T) {
	n := newTenant(t)
	v := n.verifier(t)
	lifetime := time.Hour // differs from token to token, so that none is one already seen
	for name, h := range map[string]http.HandlerFunc{
		"down":     func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) },
		"nonsense": func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") },
		"redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "https://example.org", 302) },
		"endless":  func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, strings.Repeat(" ", 1<<20)) },
		"imposter": func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `{"issuer":"https://evil.example"}`) },
		"plain": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":"http://192.0.2.1/"}`, n.Name(extension.V2))
		},
		"emptiness": func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q,"keys":[]}`, n.Name(extension.V2), n.server.URL)
		},
	} {
		t.Run(name, func(t *testing.T) {
			n.answer(h)
			if err := v.Load(t.Context()); err == nil {
				t.Fatal("loaded nothing, and said nothing")
			}
			if err := v.Ready(); err != nil {
				t.Errorf("not ready: %v", err)
			}
			lifetime += time.Second
			token := mint(t, n.Issuer, extension.Grant{Audience: appID, Lifetime: lifetime})
			if _, err := v.Verify(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReady(t *testing.T) {
	n := newTenant(t)
	trust := n.trust()
	lazy := trust.Issuers[0]
	for name, test := range map[string]struct {
		issuers []extension.TrustedIssuer
		load    bool
		ready   bool
	}{
		"nothing loaded":         {trust.Issuers, false, false},
		"loaded":                 {trust.Issuers, true, true},
		"one of two forms":       {append(extension.Issuers(tenantID, "")[:1:1], trust.Issuers[0]), true, true},
		"only a missing one":     {[]extension.TrustedIssuer{{Issuer: "x", Metadata: n.server.URL + "/nowhere"}}, true, false},
		"a lazy one":             {[]extension.TrustedIssuer{{Issuer: lazy.Issuer, Metadata: lazy.Metadata, Lazy: true}}, false, true},
		"keys brought by hand":   {[]extension.TrustedIssuer{n.Trusted(extension.V2)}, false, true},
		"lazy beside a dead one": {[]extension.TrustedIssuer{{Issuer: lazy.Issuer, Metadata: lazy.Metadata, Lazy: true}, {Issuer: "x", Metadata: n.server.URL + "/nowhere"}}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			trust := trust
			trust.Issuers = test.issuers
			trust.Client = &http.Client{Transport: onlyLoopback{}}
			v, err := extension.NewVerifier(trust)
			if err != nil {
				t.Fatal(err)
			}
			if test.load {
				if err := v.Load(t.Context()); err != nil {
					t.Log(err)
				}
			}
			if err := v.Ready(); (err == nil) != test.ready {
				t.Errorf("got %v, want ready %v", err, test.ready)
			}
		})
	}
}

// onlyLoopback keeps a test from asking the internet.
type onlyLoopback struct{}

func (onlyLoopback) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Hostname() != "127.0.0.1" {
		return nil, errors.New("no such host")
	}
	return http.DefaultTransport.RoundTrip(r)
}

func TestLazyIssuerIsFetchedWhenATokenNamesIt(t *testing.T) {
	n := newTenant(t)
	trust := n.trust()
	trust.Issuers = trust.Issuers[:1]
	trust.Issuers[0].Lazy = true
	v, err := extension.NewVerifier(trust)
	if err != nil {
		t.Fatal(err)
	}
	n.answer(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) })
	token := mint(t, n.Issuer, extension.Grant{Audience: appID})
	if _, err := v.Verify(t.Context(), token); reason(err) != extension.NoKeys {
		t.Errorf("while the issuer is down: %v", err)
	}
	n.answer(n.ServeHTTP)
	n.clock.advance(5 * time.Second)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("once it is up: %v", err)
	}
}

func TestVerifyWaitsForKeysNoLongerThanItsContext(t *testing.T) {
	n := newTenant(t)
	v, err := extension.NewVerifier(n.trust())
	if err != nil {
		t.Fatal(err)
	}
	release := make(chan struct{})
	n.answer(func(w http.ResponseWriter, r *http.Request) { <-release; n.ServeHTTP(w, r) })
	token := mint(t, n.Issuer, extension.Grant{Audience: appID})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Verify(ctx, token); reason(err) != extension.NoKeys {
		t.Errorf("got %v", err)
	}
	// The fetch that the impatient request began serves the next one.
	close(release)
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
	if got := n.fetches.Load(); got != 1 {
		t.Errorf("%d fetches, want 1", got)
	}
}

func TestTrustMistakes(t *testing.T) {
	n := newTenant(t)
	for name, change := range map[string]func(*extension.Trust){
		"no audience":             func(t *extension.Trust) { t.Audiences = nil },
		"empty audience":          func(t *extension.Trust) { t.Audiences = []string{""} },
		"no tenant":               func(t *extension.Trust) { t.Tenants = nil },
		"tenant by domain":        func(t *extension.Trust) { t.Tenants = []string{"contoso.onmicrosoft.com"} },
		"no issuer":               func(t *extension.Trust) { t.Issuers = nil },
		"issuer twice":            func(t *extension.Trust) { t.Issuers = append(t.Issuers, t.Issuers[0]) },
		"issuer of a stranger":    func(t *extension.Trust) { t.Issuers[0].Tenant = appID },
		"plain http":              func(t *extension.Trust) { t.AllowLoopback = false },
		"plain http to elsewhere": func(t *extension.Trust) { t.Issuers[0].Metadata = "http://192.0.2.1/" },
		"file":                    func(t *extension.Trust) { t.Issuers[0].Metadata = "file:///etc/passwd" },
		"no keys in the keys":     func(t *extension.Trust) { t.Issuers[0].Keys = &jose.JSONWebKeySet{} },
	} {
		t.Run(name, func(t *testing.T) {
			trust := n.trust()
			change(&trust)
			if _, err := extension.NewVerifier(trust); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestIssuersOfATenant(t *testing.T) {
	got := extension.Issuers(strings.ToUpper(tenantID), "Contoso")
	want := []string{
		"https://" + tenantID + ".ciamlogin.com/" + tenantID + "/v2.0",
		"https://contoso.ciamlogin.com/" + tenantID + "/v2.0",
		"https://login.microsoftonline.com/" + tenantID + "/v2.0",
		"https://sts.windows.net/" + tenantID + "/",
	}
	for i, is := range got {
		if is.Issuer != want[i] || is.Tenant != tenantID {
			t.Errorf("issuer %d: got %+v, want %s", i, is, want[i])
		}
	}
	if len(got) != len(want) || len(extension.Issuers(tenantID, "")) != 3 {
		t.Errorf("got %d issuers", len(got))
	}
	if _, err := extension.NewVerifier(extension.Trust{Audiences: extension.Audiences(appID), Tenants: []string{tenantID}, Issuers: got}); err != nil {
		t.Error(err)
	}
}

package extension

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Version is the shape of an access token.
type Version int

// The shapes: V2 names the client in azp and ends the issuer in /v2.0; V1 names it in appid.
const (
	V2 Version = 2
	V1 Version = 1
)

// Issuer signs tokens shaped like Entra's and publishes their keys. It stands in for a tenant where there is none: in
// the demo, in the emulator and in tests.
type Issuer struct {
	base   string
	tenant string
	key    jose.JSONWebKey
	signer jose.Signer
	now    func() time.Time
}

// Grant is what a token is made out for.
type Grant struct {
	// Audience is aud: the receiver's application id, or its identifier URI in v1 tokens.
	Audience string
	// Party is the client; empty means EntraClient.
	Party string
	// Version is the shape; zero means V2.
	Version Version
	// Lifetime is from now to exp; zero means an hour.
	Lifetime time.Duration
}

// NewIssuer makes an issuer for one tenant. base is the URL under which its handler is reached, without a slash at
// the end; now may be nil.
func NewIssuer(base, tenant string, key *rsa.PrivateKey, now func() time.Time) (*Issuer, error) {
	if now == nil {
		now = time.Now
	}
	jwk := jose.JSONWebKey{Key: key, Algorithm: string(jose.RS256), Use: "sig"}
	thumb, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("name signing key: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumb) // RFC 7638 §3
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jwk}, new(jose.SignerOptions).WithType("JWT"))
	if err != nil {
		return nil, fmt.Errorf("use signing key: %w", err)
	}
	return &Issuer{base: strings.TrimSuffix(base, "/"), tenant: lower(tenant), key: jwk, signer: signer, now: now}, nil
}

// Name is the value of iss in tokens of that shape.
func (i *Issuer) Name(v Version) string {
	if v == V1 {
		return i.base + "/" + i.tenant + "/"
	}
	return i.base + "/" + i.tenant + "/v2.0"
}

// Metadata is the URL of the OpenID configuration for tokens of that shape.
func (i *Issuer) Metadata(v Version) string {
	return strings.TrimSuffix(i.Name(v), "/") + "/.well-known/openid-configuration"
}

// DevelopmentIssuer is the entry with which a verifier trusts an Issuer in another process: its keys are fetched when a
// token names it.
func DevelopmentIssuer(base, tenant string, v Version) TrustedIssuer {
	i := Issuer{base: strings.TrimSuffix(base, "/"), tenant: lower(tenant)}
	return TrustedIssuer{Issuer: i.Name(v), Metadata: i.Metadata(v), Tenant: i.tenant, Lazy: true}
}

// Trusted is the entry with which a verifier in the same process trusts the issuer, no fetch needed.
func (i *Issuer) Trusted(v Version) TrustedIssuer {
	keys := i.keys()
	return TrustedIssuer{Issuer: i.Name(v), Metadata: i.Metadata(v), Tenant: i.tenant, Keys: &keys}
}

func (i *Issuer) keys() jose.JSONWebKeySet {
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{i.key.Public()}}
}

// Mint signs a token.
func (i *Issuer) Mint(g Grant) (string, error) {
	now := i.now()
	party := g.Party
	if party == "" {
		party = EntraClient
	}
	claims := map[string]any{
		"aud": g.Audience, "tid": i.tenant,
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(orDefault(g.Lifetime, time.Hour)).Unix(),
	}
	switch g.Version {
	case V1:
		claims["iss"], claims["ver"], claims["appid"] = i.Name(V1), "1.0", party
	default:
		claims["iss"], claims["ver"], claims["azp"] = i.Name(V2), "2.0", party
	}
	token, err := jwt.Signed(i.signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return token, nil
}

// ServeHTTP serves the metadata of both shapes and the keys.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	keysPath := "/" + i.tenant + "/discovery/v2.0/keys"
	var body any
	switch r.URL.Path {
	case "/" + i.tenant + "/v2.0/.well-known/openid-configuration":
		body = map[string]any{"issuer": i.Name(V2), "jwks_uri": i.base + keysPath}
	case "/" + i.tenant + "/.well-known/openid-configuration":
		body = map[string]any{"issuer": i.Name(V1), "jwks_uri": i.base + keysPath}
	case keysPath:
		body = i.keys()
	default:
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(body)
}

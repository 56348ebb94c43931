package extension

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Verifier decides whether a token is Entra's (custom-extension-overview, "Protect your REST API": signature, issuer,
// audience, authorized party). It is used by many goroutines at once.
type Verifier struct {
	trust Trust
	// issuers is by the exact value of iss.
	issuers map[string]trusted
	// sets are the key sets that are fetched.
	sets   []*keySet
	proved proved
}

type trusted struct {
	tenant string
	keys   *keySet
}

// Identity is what a valid token says.
type Identity struct {
	Tenant   string
	Issuer   string
	Audience string
	Party    string
	Expires  time.Time
}

// maxToken bounds a token; Entra's are under 2 KiB.
const maxToken = 16 << 10

// NewVerifier checks what is to be trusted. No key is loaded yet: see Load and Run.
func NewVerifier(t Trust) (*Verifier, error) {
	if err := t.settle(); err != nil {
		return nil, fmt.Errorf("trust tokens: %w", err)
	}
	client := http.Client{Timeout: fetchTimeout}
	if t.Client != nil {
		client = *t.Client
	}
	client.CheckRedirect = noRedirect
	v := &Verifier{trust: t, issuers: make(map[string]trusted)}
	names := make([]string, 0, len(t.Issuers))
	for _, is := range t.Issuers {
		names = append(names, is.Issuer)
	}
	byMetadata := make(map[string]*keySet)
	for _, is := range t.Issuers {
		if _, twice := v.issuers[is.Issuer]; twice {
			return nil, fmt.Errorf("trust tokens: issuer %s is listed twice", is.Issuer)
		}
		if is.Keys != nil {
			set, err := fixed(is.Keys)
			if err != nil {
				return nil, fmt.Errorf("trust tokens: issuer %s: %w", is.Issuer, err)
			}
			v.issuers[is.Issuer] = trusted{is.Tenant, set}
			continue
		}
		set := byMetadata[is.Metadata]
		if set == nil {
			set = &keySet{metadata: is.Metadata, issuers: names, client: &client, loopback: t.AllowLoopback, now: t.Now, lazy: true}
			byMetadata[is.Metadata] = set
			v.sets = append(v.sets, set)
		}
		set.lazy = set.lazy && is.Lazy
		v.issuers[is.Issuer] = trusted{is.Tenant, set}
	}
	return v, nil
}

// Verify returns what the token says, or a *Refused. It asks an issuer for its keys at most once, and waits for them
// no longer than ctx lasts.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	if token == "" {
		return Identity{}, &Refused{Reason: TokenMissing}
	}
	if len(token) > maxToken {
		return Identity{}, &Refused{TokenMalformed, fmt.Sprintf("longer than %d bytes", maxToken)}
	}
	now := v.trust.Now()
	sum := sha256.Sum256([]byte(token))
	if id, ok := v.proved.find(sum, now); ok {
		return id, nil
	}
	c, signed, err := parse(token)
	if err != nil {
		return Identity{}, err
	}
	from, ok := v.issuers[c.Issuer]
	if !ok {
		return Identity{}, &Refused{WrongIssuer, "iss " + quote(c.Issuer)}
	}
	snap, err := v.checkSignature(ctx, from.keys, signed)
	if err != nil {
		return Identity{}, err
	}
	id, err := v.checkClaims(&c, from, now)
	if err != nil {
		return Identity{}, err
	}
	v.proved.keep(sum, proof{id: id, keys: from.keys, snap: snap, until: c.Expiry.Time().Add(v.trust.Leeway)}, now)
	return id, nil
}

// claims are the members that count, v1 and v2 alike.
type claims struct {
	jwt.Claims
	Tenant string `json:"tid"`
	Azp    string `json:"azp"`
	AppID  string `json:"appid"`
}

// parse reads a compact JWS without believing it. Names of claims match exactly and none may come twice.
func parse(token string) (claims, *jose.JSONWebSignature, error) {
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512})
	if err != nil {
		var alg *jose.ErrUnexpectedSignatureAlgorithm
		if errors.As(err, &alg) {
			return claims{}, nil, &Refused{WrongAlgorithm, "alg " + quote(string(alg.Got))}
		}
		return claims{}, nil, &Refused{Reason: TokenMalformed}
	}
	var c claims
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &c); err != nil {
		return claims{}, nil, &Refused{TokenMalformed, "the claims are not a JSON object of the right types"}
	}
	return c, signed, nil
}

// checkSignature finds the key that the token names and proves that it signed the token. Keys inside the token count
// for nothing.
func (v *Verifier) checkSignature(ctx context.Context, set *keySet, signed *jose.JSONWebSignature) (*snapshot, error) {
	kid := signed.Signatures[0].Header.KeyID
	snap, keys := set.find(kid)
	if keys == nil && kid != "" && set.metadata != "" {
		if err := set.fetch(ctx, v.trust.Refetch); err != nil && !errors.Is(err, errTooSoon) {
			v.trust.Log.WarnContext(ctx, "cannot load the keys of a token issuer", "error", err)
		}
		snap, keys = set.find(kid)
	}
	if snap == nil {
		return nil, &Refused{NoKeys, "from " + set.metadata}
	}
	if keys == nil {
		return nil, &Refused{UnknownKey, "kid " + quote(kid)}
	}
	for _, key := range keys {
		if _, err := signed.Verify(key); err == nil {
			return snap, nil
		}
	}
	return nil, &Refused{BadSignature, "kid " + quote(kid)}
}

func (v *Verifier) checkClaims(c *claims, from trusted, now time.Time) (Identity, error) {
	id := Identity{Tenant: lower(c.Tenant), Issuer: c.Issuer}
	switch {
	case c.Expiry == nil:
		return id, &Refused{TokenMalformed, "no exp"}
	case !now.Before(c.Expiry.Time().Add(v.trust.Leeway)):
		return id, &Refused{TokenExpired, "exp " + c.Expiry.Time().UTC().Format(time.RFC3339)}
	case c.NotBefore != nil && c.NotBefore.Time().After(now.Add(v.trust.Leeway)):
		return id, &Refused{NotYetValid, "nbf " + c.NotBefore.Time().UTC().Format(time.RFC3339)}
	case c.IssuedAt != nil && c.IssuedAt.Time().After(now.Add(v.trust.Leeway)):
		return id, &Refused{NotYetValid, "iat " + c.IssuedAt.Time().UTC().Format(time.RFC3339)}
	}
	id.Expires = c.Expiry.Time()
	for _, aud := range c.Audience {
		if slices.Contains(v.trust.Audiences, lower(aud)) {
			id.Audience = aud
		}
	}
	if id.Audience == "" {
		return id, &Refused{WrongAudience, "aud " + quote(fmt.Sprint([]string(c.Audience)))}
	}
	// v2 tokens name the client in azp, v1 tokens in appid. Where both are, both must be right.
	for _, party := range []string{c.Azp, c.AppID} {
		if party == "" {
			continue
		}
		if id.Party = lower(party); !slices.Contains(v.trust.Parties, id.Party) {
			return id, &Refused{WrongParty, "azp or appid " + quote(party)}
		}
	}
	if id.Party == "" {
		return id, &Refused{WrongParty, "neither azp nor appid"}
	}
	if !slices.Contains(v.trust.Tenants, id.Tenant) || from.tenant != "" && from.tenant != id.Tenant {
		return id, &Refused{WrongTenant, "tid " + quote(c.Tenant)}
	}
	return id, nil
}

package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"github.com/otpost/otpost/internal/outbox"
)

// entraApp is an application that is registered with Microsoft Entra ID, and what it wants to do.
type entraApp struct {
	tenant string
	client string
	secret string
	// certificate takes the place of secret when it is not nil.
	certificate *entraCertificate
	authority   string
	scope       string
	// names are those of the settings, for errors; empty for the usual ones.
	names entraNames
}

// entraNames are what a kind's settings for an application are called.
type entraNames struct{ tenant, client, secret, authority string }

// entraTokens gets the access tokens of an application by its own credentials (learn.microsoft.com, "OAuth 2.0 client
// credentials flow"; RFC 6749 §4.4), and keeps the newest. Many goroutines that need one at the same time ask once.
type entraTokens struct {
	vendor *vendor
	app    entraApp
	flight singleflight.Group

	mu    sync.Mutex
	token string
	// renew is when the next token is asked for, expires when this one is worth nothing.
	renew, expires time.Time
}

// tokenMargin is how long before its end a token is renewed. It is still used until the next one is there, so that a
// short outage of Entra stops nothing.
const tokenMargin = 5 * time.Minute

func newEntraTokens(kind string, app entraApp, c connection, env Environment) (*entraTokens, error) {
	if app.names == (entraNames{}) {
		app.names = entraNames{"tenant_id", "client_id", "client_secret", "authority"}
	}
	for _, s := range []struct{ name, value string }{{app.names.tenant, app.tenant}, {app.names.client, app.client}} {
		if s.value == "" {
			return nil, fmt.Errorf("provider %s: setting %s is missing", kind, s.name)
		}
	}
	if app.secret == "" && app.certificate == nil {
		return nil, fmt.Errorf("provider %s: setting %s is missing", kind, app.names.secret)
	}
	if err := checkTenant(app.tenant); err != nil {
		return nil, fmt.Errorf("provider %s: setting %s: %w", kind, app.names.tenant, err)
	}
	if uuid.Validate(app.client) != nil {
		return nil, fmt.Errorf("provider %s: setting %s: want the application (client) id, such as 5e2b0c1a-1f7c-4d0e-9a53-0c7f3e2d1b4a", kind, app.names.client)
	}
	if err := checkEndpoint(app.authority, c); err != nil {
		return nil, fmt.Errorf("provider %s: setting %s: %w", kind, app.names.authority, err)
	}
	v, err := newVendor(kind, app.authority, c, env, app.secret)
	if err != nil {
		return nil, err
	}
	return &entraTokens{vendor: v, app: app}, nil
}

// checkTenant refuses what cannot be part of a path, and the names that stand for no tenant, for which an application
// gets no token.
func checkTenant(tenant string) error {
	for i := range len(tenant) {
		c := tenant[i] | 0x20
		if (c < 'a' || c > 'z') && (tenant[i] < '0' || tenant[i] > '9') && tenant[i] != '-' && tenant[i] != '.' {
			return errors.New("want the tenant's id or one of its domains")
		}
	}
	switch strings.ToLower(tenant) {
	case "common", "organizations", "consumers", ".", "..":
		return fmt.Errorf("%q is not one tenant; want its id or one of its domains", tenant)
	}
	return nil
}

// do makes a call with a token. A 401 means that the message was not looked at: the token is thrown away and another one
// tried, once.
func (e *entraTokens) do(ctx context.Context, v *vendor, c call) (reply, *outbox.Fault) {
	for again := false; ; again = true {
		token, fault := e.get(ctx)
		if fault != nil {
			return reply{}, fault
		}
		with := c
		with.Header = maps.Clone(c.Header)
		if with.Header == nil {
			with.Header = http.Header{}
		}
		with.Header.Set("Authorization", "Bearer "+token)
		r, fault := v.do(ctx, with)
		r.Body = bytes.ReplaceAll(r.Body, []byte(token), []byte("...")) // a server that repeats it must not have it stored
		if r.Status != http.StatusUnauthorized || again {
			return r, fault
		}
		e.drop(token)
	}
}

// doJSON is do with value as JSON.
func (e *entraTokens) doJSON(ctx context.Context, v *vendor, path string, value any) (reply, *outbox.Fault) {
	body, err := json.Marshal(value)
	if err != nil {
		return reply{}, outbox.Faultf(outbox.RejectedContent, "", "the message cannot be written as JSON")
	}
	return e.do(ctx, v, call{Path: path, Header: http.Header{"Content-Type": {"application/json"}}, Body: body})
}

// get returns a token that is good for a while. Its faults never say Ambiguous: without a token nothing was sent.
func (e *entraTokens) get(ctx context.Context) (string, *outbox.Fault) {
	token, fresh := e.kept()
	if fresh {
		return token, nil
	}
	// Whoever came first asks for all, so it must not take its own deadline along.
	done := e.flight.DoChan("", func() (any, error) {
		if token, fresh := e.kept(); fresh {
			return token, nil
		}
		token, fault := e.fetch(context.WithoutCancel(ctx))
		if fault != nil {
			return nil, fault
		}
		return token, nil
	})
	if token != "" { // it is still good, and the next one is on its way
		return token, nil
	}
	select {
	case <-ctx.Done():
		return "", &outbox.Fault{Class: outbox.Transient, Detail: "no token came in time", Err: ctx.Err()}
	case r := <-done:
		if fault := (*outbox.Fault)(nil); errors.As(r.Err, &fault) {
			own := *fault // others wait for the same answer
			return "", &own
		}
		return r.Val.(string), nil
	}
}

// kept returns the token while it is good, and whether it needs no renewal yet.
func (e *entraTokens) kept() (token string, fresh bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.vendor.now()
	if e.token == "" || !now.Before(e.expires) {
		return "", false
	}
	return e.token, now.Before(e.renew)
}

// drop forgets a token that was refused, unless another one has taken its place.
func (e *entraTokens) drop(token string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.token == token {
		e.token = ""
	}
}

func (e *entraTokens) fetch(ctx context.Context) (string, *outbox.Fault) {
	path := "/" + e.app.tenant + "/oauth2/v2.0/token"
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {e.app.client}, "scope": {e.app.scope}}
	if e.app.certificate == nil {
		form.Set("client_secret", e.app.secret)
	} else {
		assertion, err := e.app.certificate.assert(e.app.client, e.vendor.base+path, e.vendor.now())
		if err != nil {
			return "", outbox.Faultf(outbox.Account, "", "the certificate's key cannot sign")
		}
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer") // RFC 7523 §2.2
		form.Set("client_assertion", assertion)
	}
	r, fault := e.vendor.postForm(ctx, path, nil, form)
	if fault != nil {
		return "", e.understand(r, fault)
	}
	var given struct {
		AccessToken string      `json:"access_token"`
		ExpiresIn   json.Number `json:"expires_in"` // seconds
	}
	if json.Unmarshal(r.Body, &given) != nil || !plainWord(given.AccessToken) {
		return "", outbox.Faultf(outbox.Transient, "", "the authority's answer holds no token")
	}
	seconds, err := given.ExpiresIn.Int64()
	if err != nil || seconds < 0 {
		seconds = 0 // used once
	}
	life := time.Duration(min(seconds, 24*60*60)) * time.Second
	e.mu.Lock()
	defer e.mu.Unlock()
	e.token, e.expires = given.AccessToken, e.vendor.now().Add(life)
	e.renew = e.expires.Add(-min(tokenMargin, life/2))
	return given.AccessToken, nil
}

// close closes the connections to the authority.
func (e *entraTokens) close() {
	if e != nil {
		e.vendor.Close()
	}
}

package extension

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Defaults of Trust, and the shortest time between a failed fetch of keys and the next.
const (
	DefaultLeeway  = time.Minute
	DefaultRefresh = time.Hour
	DefaultRefetch = time.Minute
	failedInterval = 5 * time.Second
)

// Trust says which tokens open the door.
type Trust struct {
	// Audiences are the accepted values of aud: see Audiences. At least one is needed.
	Audiences []string
	// Parties are the accepted clients (azp, or appid in v1 tokens); nil means EntraClient alone.
	Parties []string
	// Tenants are the ids of the tenants whose tokens are accepted. At least one is needed.
	Tenants []string
	// Issuers are the accepted issuers: see Issuers. At least one is needed.
	Issuers []TrustedIssuer
	// AllowLoopback accepts metadata over plain http from this machine.
	AllowLoopback bool
	// Leeway is how far the issuer's clock may be off, zero means a minute.
	Leeway time.Duration
	// Refresh is how often Run reloads the keys, zero means hourly. Refetch is the least time between two fetches of
	// one key set that unknown key ids can cause, zero means a minute; after a failed fetch it is 5 s at most.
	Refresh time.Duration
	Refetch time.Duration
	// Client fetches metadata and keys; nil means one of its own. Redirects are never followed.
	Client *http.Client
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Log is told when keys cannot be loaded; nil means nobody is.
	Log *slog.Logger
}

// TrustedIssuer is one issuer and where its keys are.
type TrustedIssuer struct {
	// Issuer is the exact value of iss.
	Issuer string
	// Metadata is the URL of its OpenID configuration.
	Metadata string
	// Tenant binds the issuer to one tenant; empty means any of Trust.Tenants.
	Tenant string
	// Keys, when set, are its keys, and Metadata is not used.
	Keys *jose.JSONWebKeySet
	// Lazy leaves the keys alone until a token names the issuer; readiness does not wait for them. It is meant for
	// development issuers that come and go.
	Lazy bool
}

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Issuers returns the forms that the issuer of an Entra tenant takes. External tenants issue under
// {tenant}.ciamlogin.com; the subdomain's own form is documented too and may be empty; login.microsoftonline.com
// stands for workforce tenants and sts.windows.net for v1 tokens (custom-extension-overview, "Protect your REST
// API"). The hosts publish different keys, so each form has metadata of its own.
func Issuers(tenantID, subdomain string) []TrustedIssuer {
	id := lower(tenantID)
	list := []TrustedIssuer{discovered("https://"+id+".ciamlogin.com/"+id+"/v2.0", id)}
	if subdomain != "" && lower(subdomain) != id {
		list = append(list, discovered("https://"+lower(subdomain)+".ciamlogin.com/"+id+"/v2.0", id))
	}
	return append(list,
		discovered("https://login.microsoftonline.com/"+id+"/v2.0", id),
		TrustedIssuer{Issuer: "https://sts.windows.net/" + id + "/", Tenant: id,
			Metadata: "https://login.microsoftonline.com/" + id + "/.well-known/openid-configuration"})
}

func discovered(issuer, tenant string) TrustedIssuer {
	return TrustedIssuer{Issuer: issuer, Metadata: issuer + "/.well-known/openid-configuration", Tenant: tenant}
}

// Audiences returns the values that aud takes for a resource application: its id in v2 tokens, and in v1 tokens its
// identifier URI, which Entra requires to be api://{host of the extension's URL}/{app id}.
func Audiences(appID string, hosts ...string) []string {
	list := []string{appID, "api://" + appID}
	for _, host := range hosts {
		list = append(list, "api://"+host+"/"+appID)
	}
	return list
}

// settle fills in the defaults and says what is wrong with the rest.
func (t *Trust) settle() error {
	if len(t.Audiences) == 0 || len(t.Tenants) == 0 || len(t.Issuers) == 0 {
		return errors.New("an audience (the application id), a tenant id and an issuer are needed")
	}
	if t.Parties == nil {
		t.Parties = []string{EntraClient}
	}
	t.Audiences, t.Parties, t.Tenants = allLower(t.Audiences), allLower(t.Parties), allLower(t.Tenants)
	if slices.Contains(t.Audiences, "") || slices.Contains(t.Parties, "") {
		return errors.New("an audience or a party is empty")
	}
	for _, tenant := range t.Tenants {
		if !guid.MatchString(tenant) {
			return fmt.Errorf("tenant %s is not a tenant id (a GUID; a domain name does not do)", quote(tenant))
		}
	}
	t.Issuers = slices.Clone(t.Issuers)
	for i := range t.Issuers {
		is := &t.Issuers[i]
		is.Tenant = lower(is.Tenant)
		if is.Issuer == "" {
			return errors.New("an issuer has no name")
		}
		if is.Tenant != "" && !slices.Contains(t.Tenants, is.Tenant) {
			return fmt.Errorf("issuer %s belongs to tenant %s, which is not accepted", is.Issuer, quote(is.Tenant))
		}
		if is.Keys == nil {
			if err := checkURL(is.Metadata, t.AllowLoopback); err != nil {
				return fmt.Errorf("issuer %s: metadata: %w", is.Issuer, err)
			}
		}
	}
	t.Leeway = orDefault(t.Leeway, DefaultLeeway)
	t.Refresh = orDefault(t.Refresh, DefaultRefresh)
	t.Refetch = orDefault(t.Refetch, DefaultRefetch)
	if t.Now == nil {
		t.Now = time.Now
	}
	if t.Log == nil {
		t.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

func allLower(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = lower(strings.TrimSpace(s))
	}
	return out
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

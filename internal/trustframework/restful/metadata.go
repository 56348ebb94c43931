package restful

import (
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
	"github.com/otpost/otpost/internal/trustframework"
)

// known are the documented keys of metadata (restful-technical-profile.md, "Metadata" and "Error handling"). ClaimsFormat
// does nothing in B2C either.
var known = append([]string{
	"ServiceUrl", "AuthenticationType", "AllowInsecureAuthInProduction", "SendClaimsIn", "ClaimsFormat",
	"ClaimUsedForRequestPayload", "DebugMode", "IncludeClaimResolvingInClaimsHandling", "ResolveJsonPathsInJsonTokens",
	"UseClaimAsBearerToken",
}, messageKeys...)

// foreign are keys that stand in published RESTful profiles and that are not documented for them: two are of OAuth
// profiles, and nothing is known of the third.
var foreign = []string{"BearerTokenTransmissionMethod", "ClaimResolverUrlFormatting", "HttpBinding"}

// names finds keys that nobody knows.
func (r *reader) names() {
	for _, item := range r.profile.Metadata {
		is := func(name string) bool { return strings.EqualFold(name, strings.TrimSpace(item.Key)) }
		switch {
		case slices.ContainsFunc(known, is):
		case slices.ContainsFunc(foreign, is):
			r.odd(item.At, "%s is not documented for RESTful profiles; it does nothing here", item.Key)
		default:
			r.odd(item.At, "there is no metadata %s of RESTful profiles; it does nothing%s", item.Key, suggest.For(item.Key, known))
		}
	}
}

// open finds services that anybody may call. B2C does not take AuthenticationType None in production unless
// AllowInsecureAuthInProduction is true; production is what DeploymentMode is unless written otherwise.
func (r *reader) open() {
	item, there := r.item("AllowInsecureAuthInProduction")
	allowed := r.flag("AllowInsecureAuthInProduction")
	production := r.policy == nil || r.policy.DeploymentMode == "" || strings.EqualFold(r.policy.DeploymentMode, "Production")
	switch {
	case r.settings.auth != none:
	case allowed:
		r.odd(item.At, "the service has no way to tell who calls it: AuthenticationType is None, and AllowInsecureAuthInProduction lets B2C take that; set Basic, Bearer, ApiKeyHeader or ClientCertificate")
	case production:
		at := r.profile.At
		if there {
			at = item.At
		}
		r.odd(at, "the service has no way to tell who calls it: AuthenticationType is None, which B2C does not take in production; set Basic, Bearer, ApiKeyHeader or ClientCertificate")
	}
}

// messages reads the profile's own texts.
func (r *reader) messages() {
	r.settings.texts = map[string]string{}
	for _, key := range messageKeys {
		if item, there := r.item(key); there {
			r.settings.texts[key] = item.Value
		}
	}
}

// keys finds policy keys that are missing.
func (r *reader) keys() {
	switch r.settings.auth {
	case basic:
		r.key("BasicAuthenticationUsername")
		r.key("BasicAuthenticationPassword")
	case bearer:
		if r.settings.token == "" {
			r.key("BearerAuthenticationToken")
		}
	case certificate:
		r.key("ClientCertificate")
	case apiKey:
		r.header()
	}
}

func (r *reader) key(id string) {
	if k, there := keyOf(r.profile, id); there {
		r.stored(k)
	} else if id == "BearerAuthenticationToken" {
		r.broken(r.profile.At, "AuthenticationType Bearer wants the key BearerAuthenticationToken in CryptographicKeys, or UseClaimAsBearerToken")
	} else {
		r.broken(r.profile.At, "AuthenticationType %s wants the key %s in CryptographicKeys", r.settings.auth, id)
	}
}

// header holds an ApiKeyHeader's key to what a header may be called.
func (r *reader) header() {
	if len(r.profile.Keys) == 0 {
		r.broken(r.profile.At, "AuthenticationType ApiKeyHeader wants a key in CryptographicKeys, whose Id is the name of the header")
		return
	}
	first := r.profile.Keys[0]
	if !headerName(first.ID) {
		r.broken(first.At, "the key's Id cannot be the name of a header; write the one that the service wants")
	}
	r.stored(first)
	for _, more := range r.profile.Keys[1:] {
		r.odd(more.At, "ApiKeyHeader sends one header, that of the first key; the key %s is not sent", more.ID)
	}
}

func (r *reader) stored(k trustframework.Key) {
	if r.client.options.Keys == nil {
		return
	}
	if text, there := r.client.options.Keys(k.Storage); !there || strings.TrimSpace(text) == "" {
		r.broken(k.At, "the policy key %s is not known here; set its value", k.Storage)
	}
}

func keyOf(t *trustframework.TechnicalProfile, id string) (trustframework.Key, bool) {
	for _, k := range t.Keys {
		if strings.EqualFold(k.ID, id) {
			return k, true
		}
	}
	return trustframework.Key{}, false
}

package execute

import (
	"net/netip"
	"regexp"
	"strings"

	"golang.org/x/text/language"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// resolver is a claim resolver: {Kind:Name} (claim-resolver-overview.md).
var resolver = regexp.MustCompile(`\{([A-Za-z0-9-]+):([^{}]*)\}`)

// resolve puts in what claim resolvers stand for. One that has no value is empty; what is none stays.
func (x *run) resolve(text string, bag *claim.Bag) string {
	if !strings.Contains(text, "{") {
		return text
	}
	return resolver.ReplaceAllStringFunc(text, func(found string) string {
		parts := resolver.FindStringSubmatch(found)
		if v, ok := x.resolved(trustframework.Fold(parts[1]), strings.TrimSpace(parts[2]), bag); ok {
			return v
		}
		return found
	})
}

func (x *run) resolved(kind, name string, bag *claim.Bag) (string, bool) {
	scene := &x.q.Scene
	switch kind {
	case "claim":
		return bag.Text(name), true
	case "oauth-kv":
		return scene.Query[name], true
	case "oidc":
		return scene.OIDC[trustframework.Fold(name)], true
	}
	v, ok := "", false
	switch kind {
	case "culture":
		v, ok = x.culture(trustframework.Fold(name))
	case "policy":
		v, ok = x.policyValue(trustframework.Fold(name))
	case "context":
		v, ok = x.contextValue(trustframework.Fold(name))
	}
	return v, ok || empty(kind, name)
}

// empty says that a resolver is B2C's and stands for nothing here: no journey began with SAML or kept somebody signed in,
// none has a token of another provider, and otpost has neither Windows' language numbers nor B2C's builds.
func empty(kind, name string) bool {
	switch kind {
	case "saml", "oauth2":
		return true
	case "culture":
		return trustframework.Fold(name) == "lcid"
	case "context":
		return trustframework.Fold(name) == "buildnumber" || trustframework.Fold(name) == "kmsi"
	}
	return false
}

// Resolvers are the claim resolvers in a text.
func Resolvers(text string) []string { return resolver.FindAllString(text, -1) }

// Unresolved are the claim resolvers in a text that are empty in every journey.
func Unresolved(text string) []string {
	var found []string
	for _, parts := range resolver.FindAllStringSubmatch(text, -1) {
		if empty(trustframework.Fold(parts[1]), strings.TrimSpace(parts[2])) {
			found = append(found, parts[0])
		}
	}
	return found
}

func (x *run) culture(name string) (string, bool) {
	tag := language.Make(x.texts.language())
	base, _ := tag.Base()
	region, _ := tag.Region()
	switch name {
	case "languagename":
		return base.String(), true
	case "regionname":
		return region.String(), true
	case "rfc5646":
		return base.String() + "-" + region.String(), true
	}
	return "", false
}

func (x *run) policyValue(name string) (string, bool) {
	p := x.q.Policy
	switch name {
	case "policyid":
		return p.ID, true
	case "relyingpartytenantid", "trustframeworktenantid":
		return p.TenantID, true
	case "tenantobjectid":
		return p.TenantObjectID, true
	}
	return "", false
}

func (x *run) contextValue(name string) (string, bool) {
	scene := &x.q.Scene
	switch name {
	case "correlationid":
		return scene.CorrelationID, true
	case "datetimeinutc":
		return x.r.Now().UTC().Format("1/2/2006 3:04:05 PM"), true
	case "deploymentmode":
		return x.q.Policy.DeploymentMode, true
	case "hostname":
		return scene.Host, true
	case "ipaddress":
		if scene.IP == (netip.Addr{}) {
			return "", true
		}
		return scene.IP.String(), true
	}
	return "", false
}

// expression puts in what a transformation's parameter may name (string-transformations.md, "String claim
// transformations expressions"); {AuthenticatorIssuer} stands in the documentation's TOTP policy alone, and where B2C takes
// the name from is UNCONFIRMED.
func (x *run) expression(text string, t *trustframework.TechnicalProfile) string {
	if !strings.Contains(text, "{") {
		return text
	}
	issuer := x.r.Issuer
	if issuer == "" {
		issuer = x.q.Policy.TenantID
	}
	return strings.NewReplacer("{TechnicalProfileId}", t.ID, "{RelyingPartyTenantId}", x.q.Policy.TenantID,
		"{TrustFrameworkTenantId}", x.q.Policy.TenantID, "{AuthenticatorIssuer}", issuer).Replace(text)
}

package execute_test

import (
	"net/netip"
	"testing"

	"github.com/otpost/otpost/internal/trustframework/execute"
)

// The resolvers of claim-resolver-overview.md.
func TestClaimResolvers(t *testing.T) {
	for resolver, want := range map[string]string{
		"{Culture:LanguageName}":            "pt",
		"{Culture:RegionName}":              "BR",
		"{Culture:RFC5646}":                 "pt-BR",
		"{Culture:LCID}":                    "",
		"{Policy:PolicyId}":                 "B2C_1A_One",
		"{Policy:RelyingPartyTenantId}":     "fabrikam.example",
		"{Policy:TrustFrameworkTenantId}":   "fabrikam.example",
		"{Policy:TenantObjectId}":           "0f8fad5b-d9cb-469f-a165-70867728950e",
		"{Context:CorrelationId}":           "c-1",
		"{Context:DateTimeInUtc}":           "1/31/2026 3:04:05 PM",
		"{Context:DeploymentMode}":          "Production",
		"{Context:HostName}":                "login.fabrikam.example",
		"{Context:IPAddress}":               "192.0.2.7",
		"{CONTEXT:KMSI}":                    "",
		"{Context:BuildNumber}":             "",
		"{Claim:email}":                     "lea@fabrikam.example",
		"{claim: EMAIL }":                   "lea@fabrikam.example",
		"{Claim:newUser}":                   "True",
		"{Claim:nothing}":                   "",
		"{OIDC:LoginHint}":                  "hint",
		"{OIDC:scope}":                      "openid",
		"{OIDC:Nonce}":                      "",
		"{OAUTH-KV:campaignId}":             "hawaii",
		"{OAUTH-KV:campaignid}":             "",
		"{SAML:Issuer}":                     "",
		"{oauth2:access_token}":             "",
		"{service:te}":                      "{service:te}",
		"{Nothing:else}":                    "{Nothing:else}",
		"{RelyingPartyTenantId}":            "{RelyingPartyTenantId}",
		"{0}":                               "{0}",
		"a {OIDC:LoginHint} b {Claim:code}": "a hint b ",
	} {
		t.Run(resolver, func(t *testing.T) {
			w := worldOf(t, words, profile("P", metadata("IncludeClaimResolvingInClaimsHandling", "true")+inputs(`other DefaultValue="`+resolver+`"`)))
			w.scene = execute.Scene{Locale: "pt-BR", IP: netip.MustParseAddr("192.0.2.7"), Host: "login.fabrikam.example", CorrelationID: "c-1",
				OIDC: map[string]string{"loginhint": "hint", "scope": "openid"}, Query: map[string]string{"campaignId": "hawaii"}}
			w.must("P", "email=lea@fabrikam.example", "newUser=true")
			if want != "" {
				want = " other=" + want
			}
			equal(t, "call", w.calls(), "P"+want)
		})
	}
}

// listmonk CVE-2025-49136 (GO-2025-3745): what users wrote was run as a template. What a claim, a query or a hint holds is
// text, also where it looks like a claim resolver or a format.
func TestAdvisory_CVE_2025_49136_AClaimIsNoClaimResolver(t *testing.T) {
	w := worldOf(t, words, profile("P", metadata("IncludeClaimResolvingInClaimsHandling", "true")+
		inputs(`other DefaultValue="{Claim:email} {OIDC:LoginHint} {OAUTH-KV:q}"`)))
	w.scene = execute.Scene{OIDC: map[string]string{"loginhint": "{Claim:code}"}, Query: map[string]string{"q": "{Context:IPAddress}{{.}}{0}"}}
	w.must("P", "email={OIDC:LoginHint}", "code=667447")
	equal(t, "call", w.calls(), "P other={OIDC:LoginHint} {Claim:code} {Context:IPAddress}{{.}}{0}")
}

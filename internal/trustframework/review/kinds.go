package review

import (
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// The handlers that the checks here speak of.
const (
	handlerOTP           = "Web.TPEngine.Providers.OneTimePasswordProtocolProvider"
	handlerMFA           = "Web.TPEngine.Providers.AzureMfaProtocolProvider"
	handlerSSPR          = "Web.TPEngine.Providers.AadSsprProtocolProvider"
	handlerDirectory     = "Web.TPEngine.Providers.AzureActiveDirectoryProvider"
	handlerCaptcha       = "Web.TPEngine.Providers.CaptchaProvider"
	kindTokens, kindNone = "token issuer", "no protocol"
	// What is no technical profile, and not run either.
	kindJourney, kindSubJourney, kindRelyingParty = "user journey", "sub-journey", "relying party"
)

// kindOf is what a technical profile is by: the .NET type of its handler, else "token issuer" for one that makes tokens,
// else its protocol's name, else "no protocol".
func kindOf(t *trustframework.TechnicalProfile) string {
	switch {
	case t.Protocol.HandlerType() != "":
		return t.Protocol.HandlerType()
	case strings.EqualFold(t.OutputFormat, "JWT"), strings.HasPrefix(strings.ToUpper(t.OutputFormat), "SAML"):
		return kindTokens
	case t.Protocol.Name != "":
		return t.Protocol.Name
	}
	return kindNone
}

// own says that the Runner itself runs profiles of a kind.
func own(kind string) bool { return kind == execute.SelfAsserted || kind == execute.Transformation }

// short is a kind as people call it: the .NET type without its name spaces.
func short(kind string) string { return kind[strings.LastIndexByte(kind, '.')+1:] }

// AboutOwn says what the profiles are that the Runner itself runs.
func AboutOwn(t *trustframework.TechnicalProfile) execute.About {
	if kindOf(t) == execute.Transformation {
		return execute.About{
			Kind:   "claims transformations",
			B2C:    "B2C runs its claims transformations.",
			Otpost: "otpost runs those whose method it has; otpost policy check names the others.",
			Entra:  "Entra External ID has none; a custom authentication extension for token issuance can compute claims.",
		}
	}
	return execute.About{
		Kind:   "self-asserted page",
		B2C:    "B2C shows a page, and runs its validation technical profiles when it is sent.",
		Otpost: "otpost checks the claims that it is given and runs the validation technical profiles; it shows the page in a layout of its own, to try it.",
		Entra:  "Entra External ID collects attributes on pages of its user flows. A custom authentication extension for attribute collection can check them.",
	}
}

// foreign are the kinds that otpost does not run: what they are called, what B2C does with them, and where that goes in
// Entra External ID. The last is our reading of Microsoft's documentation of External ID, and no parity is meant.
var foreign = map[string]execute.About{
	handlerDirectory: {
		Kind:  "directory",
		B2C:   "B2C reads, writes or deletes an account in the tenant's directory.",
		Entra: "Entra External ID keeps accounts itself: user flows make and read them; Microsoft Graph does the rest.",
	},
	"Web.TPEngine.Providers.PhoneFactorProtocolProvider": {
		Kind:  "phone factor page",
		B2C:   "B2C shows a page of its own that enrols a phone and verifies it by text or call.",
		Entra: "Entra External ID has text messages as a second factor, sent by Microsoft; a provider of one's own cannot be set.",
	},
	"Web.TPEngine.Providers.UserJourneyContextProvider": {
		Kind:  "journey context",
		B2C:   "B2C reads what a journey keeps of its session or token.",
		Entra: "Entra External ID has nothing to set.",
	},
	"Web.TPEngine.Providers.ConditionalAccessProtocolProvider": {
		Kind:  "conditional access",
		B2C:   "B2C evaluates the tenant's Conditional Access policies, or reports what was done about a risk.",
		Entra: "Entra External ID evaluates Conditional Access policies at each sign-in by itself.",
	},
	"Web.TPEngine.Providers.AzureApplicationInsightsProvider": {
		Kind:  "event to Application Insights",
		B2C:   "B2C sends an event with claims to Application Insights.",
		Entra: "Entra External ID has sign-in and audit logs, which can be streamed to Azure Monitor.",
	},
	"Web.TPEngine.Providers.Insights.AzureApplicationInsightsProvider": {
		Kind:  "event to Application Insights",
		B2C:   "B2C sends an event with claims to Application Insights.",
		Entra: "Entra External ID has sign-in and audit logs, which can be streamed to Azure Monitor.",
	},
	handlerCaptcha: {
		Kind:  "CAPTCHA",
		B2C:   "B2C shows a CAPTCHA and checks what was typed.",
		Entra: "What Entra External ID has for it is not known here.",
	},
	"OpenIdConnect": {
		Kind:  "sign-in with an OpenID Connect provider",
		B2C:   "B2C sends the person to another identity provider, or asks it for a token with a password.",
		Entra: "Entra External ID takes OpenID Connect identity providers in its user flows.",
	},
	"OAuth2": {
		Kind:  "sign-in with an OAuth 2.0 provider",
		B2C:   "B2C sends the person to another identity provider.",
		Entra: "Entra External ID has Google, Facebook and Apple built in, and takes OpenID Connect providers.",
	},
	"OAuth1": {
		Kind:  "sign-in with an OAuth 1.0 provider",
		B2C:   "B2C sends the person to another identity provider.",
		Entra: "Entra External ID has nothing for OAuth 1.0.",
	},
	"SAML2": {
		Kind:  "sign-in with a SAML provider",
		B2C:   "B2C sends the person to another identity provider.",
		Entra: "Entra External ID takes SAML and WS-Federation identity providers.",
	},
	"WsFed": {
		Kind:  "sign-in with a WS-Federation provider",
		B2C:   "B2C sends the person to another identity provider.",
		Entra: "Entra External ID takes SAML and WS-Federation identity providers.",
	},
	"SSO": {
		Kind:  "session of single sign-on",
		B2C:   "B2C says which claims a session keeps, and when a page is skipped.",
		Entra: "Entra External ID keeps sessions by itself.",
	},
	kindJourney: {
		Kind:  "user journey",
		B2C:   "B2C leads a person through its steps, of pages, sign-in with other providers and technical profiles, to a token.",
		Entra: "Entra External ID has user flows, whose order of pages is fixed; custom authentication extensions add to them.",
	},
	kindSubJourney: {
		Kind:  "sub-journey",
		B2C:   "B2C runs its steps where a user journey calls it.",
		Entra: "Entra External ID has user flows, whose order of pages is fixed.",
	},
	kindRelyingParty: {
		Kind:  "relying party",
		B2C:   "B2C runs its user journey for an application that names the policy, and puts its output claims into the token.",
		Entra: "Entra External ID assigns a user flow to an application, and maps claims there.",
	},
	kindTokens: {
		Kind:  "token issuer",
		B2C:   "B2C signs the token that the application gets.",
		Entra: "Entra External ID signs its tokens itself; claims are mapped at the application, or by a custom authentication extension.",
	},
	"None": {
		Kind:  "no protocol",
		B2C:   "B2C reads claims out of a token that the application sends (id_token_hint), or holds what others include.",
		Entra: "Entra External ID is not known to take an id_token_hint.",
	},
	kindNone: {
		Kind:  "no protocol",
		B2C:   "B2C is a part that others include.",
		Entra: "Entra External ID has nothing of the kind.",
	},
}

// foreignKey is what a kind goes by in foreign.
func foreignKey(kind string) string {
	if strings.HasPrefix(kind, "Web.TPEngine.SSO.") {
		return "SSO"
	}
	return kind
}

// schemaAlone are protocols that TrustFrameworkPolicy_0.3.0.0.xsd has, and no document tells of.
var schemaAlone = []string{"WsTrust", "UProve11"}

// knownForeign says that a kind is one of those that otpost does not run.
func knownForeign(kind string) bool {
	_, known := foreign[foreignKey(kind)]
	return known
}

// aboutForeign says what a kind is that otpost does not run.
func aboutForeign(kind string) execute.About {
	key := foreignKey(kind)
	about, known := foreign[key]
	if !known {
		about = execute.About{Kind: "unknown", B2C: "What B2C does with it is not known here."}
	}
	about.Otpost = "otpost does not run it: a call that comes to it is refused and names it."
	switch key {
	case "SSO":
		about.Otpost = "otpost does not read it: each journey is new."
	case kindJourney, kindSubJourney:
		about.Otpost = "otpost does not run it: what calls otpost keeps the order of its steps."
	case kindRelyingParty:
		about.Otpost = "otpost does not run it: it answers with the output claims of what is called, and makes no token."
	}
	return about
}

package trustframework

import "strings"

// TechnicalProfile is a technical profile with all that it inherits and includes.
type TechnicalProfile struct {
	// At is where the file that was read last declares it; its parts may stand elsewhere.
	At          Origin
	ID          string
	DisplayName string
	Description string
	Protocol    Protocol
	// Includes is the profile that this one includes, already taken in.
	Includes     Reference
	InputFormat  string
	OutputFormat string
	Metadata     Metadata
	Keys         []Key

	// InputTransformations run before all else, OutputTransformations after all else, in this order.
	InputTransformations  []Reference
	InputClaims           []ClaimMapping
	DisplayClaims         []DisplayClaim
	PersistedClaims       []ClaimMapping
	OutputClaims          []ClaimMapping
	OutputTransformations []Reference
	// Validations run in this order (validation-technical-profile.md).
	Validations []Validation

	// Session is the profile for session management (UseTechnicalProfileForSessionManagement).
	Session Reference
	// Subject is the claim that is a token's subject (SubjectNamingInfo).
	Subject Reference
	// IncludeInSSO is true unless the profile says otherwise.
	IncludeInSSO bool
	// Enabled is EnabledForUserJourneys, such as Always, Never or OnClaimsExistence; "" if the profile does not say.
	Enabled string
}

// Protocol is how a technical profile talks, and with what.
type Protocol struct {
	At Origin
	// Name is such as Proprietary, OAuth2 or None.
	Name string
	// Handler is the .NET type of a proprietary protocol, with its assembly.
	Handler string
}

// HandlerType is the handler's type without its assembly, such as
// Web.TPEngine.Providers.OneTimePasswordProtocolProvider. The assembly's version says nothing, and copies of the
// documentation have it mangled.
func (p Protocol) HandlerType() string {
	name, _, _ := strings.Cut(p.Handler, ",")
	return strings.TrimSpace(name)
}

// Key is one entry of CryptographicKeys: the name that the profile uses, and the name of the policy key that is meant.
// The key itself is never in a policy.
type Key struct {
	At          Origin
	ID, Storage string
}

// ClaimMapping is an InputClaim, OutputClaim or PersistedClaim.
type ClaimMapping struct {
	At    Origin
	Claim string
	// Partner is the name at the other side as it is written; see PartnerName.
	Partner string
	// Default is the DefaultValue, if HasDefault.
	Default          string
	HasDefault       bool
	AlwaysUseDefault bool
	Required         bool
	// Overwrite is OverwriteIfExists of a persisted claim; true unless written otherwise.
	Overwrite bool
}

// PartnerName is the name at the other side: that of the claim where none is written.
func (m ClaimMapping) PartnerName() string {
	if m.Partner == "" {
		return m.Claim
	}
	return m.Partner
}

// DisplayClaim is one line of a page: a claim, or a display control.
type DisplayClaim struct {
	At             Origin
	Claim, Control string
	// Kind is the ControlClaimType within a display control, such as VerificationCode, Phone, CountryCode or
	// QrCodeContent.
	Kind     string
	Required bool
}

// Validation is one technical profile that validates a page or serves a display control's action.
type Validation struct {
	At               Origin
	TechnicalProfile string
	// ContinueOnError is false and ContinueOnSuccess true unless written otherwise (TrustFrameworkPolicy_0.3.0.0.xsd).
	ContinueOnError   bool
	ContinueOnSuccess bool
	Preconditions     []Precondition
}

// Precondition skips what it stands at when it is satisfied (userjourneys.md).
type Precondition struct {
	At Origin
	// Type is ClaimsExist or ClaimEquals.
	Type string
	// ExecuteIf is ExecuteActionsIf.
	ExecuteIf bool
	// Values are a claim, and for ClaimEquals the literal that it is compared with.
	Values []string
	// Actions are SkipThisOrchestrationStep or SkipThisValidationTechnicalProfile.
	Actions []string
}

// DisplayControl is a part of a page that talks to the server by itself.
type DisplayControl struct {
	At Origin
	ID string
	// Type is VerificationControl, QrCodeControl, AuthenticatorInfoControl or AuthenticatorAppIconControl.
	Type          string
	InputClaims   []ClaimMapping
	DisplayClaims []DisplayClaim
	OutputClaims  []ClaimMapping
	Actions       []Action
}

// Action finds an action without regard to case.
func (d *DisplayControl) Action(id string) (Action, bool) {
	for _, a := range d.Actions {
		if Fold(a.ID) == Fold(id) {
			return a, true
		}
	}
	return Action{}, false
}

// Action is what a button of a display control does: SendCode or VerifyCode.
type Action struct {
	At          Origin
	ID          string
	Validations []Validation
}

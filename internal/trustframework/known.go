package trustframework

import "strings"

// known are the attributes (@) and children that TrustFrameworkPolicy_0.3.0.0.xsd gives the elements that are read
// here. Elements without a row are not looked into: none of what they hold is used.
var known = table(`
TrustFrameworkPolicy: @PolicySchemaVersion @TenantId @TenantObjectId @PolicyId @PublicPolicyUri @DeploymentMode @UserJourneyRecorderEndpoint BasePolicy DocumentReferences PolicyConstraints BuildingBlocks ClaimsProviders UserJourneys SubJourneys RelyingParty
BasePolicy: TenantId PolicyId
BuildingBlocks: ClaimsSchema Predicates InputValidations PredicateValidations ClaimsTransformations ClientDefinitions ContentDefinitions Localization DisplayControls
ClaimsSchema: ClaimType
ClaimType: @Id @StatementType DisplayName DataType DefaultPartnerClaimTypes Mask AdminHelpText UserHelpText UserInputType Restriction InputValidationReference PredicateValidationReference
DefaultPartnerClaimTypes: Protocol
Restriction: @MergeBehavior Enumeration Pattern
Enumeration: @Text @Value @SelectByDefault
Pattern: @RegularExpression @HelpText
Predicates: Predicate
Predicate: @Id @Method @HelpText UserHelpText Parameters
Parameters: Parameter
PredicateValidations: PredicateValidation
PredicateValidation: @Id PredicateGroups
PredicateGroups: PredicateGroup
PredicateGroup: @Id UserHelpText PredicateReferences
PredicateReferences: @Id @HelpText @MatchAtLeast @Reject PredicateReference
ClaimsTransformations: ClaimsTransformation
ClaimsTransformation: @Id @TransformationMethod InputClaims InputParameters OutputClaims
InputParameters: InputParameter
InputParameter: @Id @DataType @Value
ContentDefinitions: ContentDefinition
ContentDefinition: @Id LoadUri RecoveryUri DataUri Metadata LocalizedResourcesReferences
LocalizedResourcesReferences: @MergeBehavior LocalizedResourcesReference
LocalizedResourcesReference: @Language @Url @LocalizedResourcesReferenceId
Localization: @Enabled SupportedLanguages LocalizedResources
SupportedLanguages: @DefaultLanguage @PolicyLanguage @MergeBehavior SupportedLanguage
LocalizedResources: @Id @Culture LocalizedCollections LocalizedStrings
LocalizedStrings: LocalizedString
LocalizedString: @ElementType @ElementId @StringId
LocalizedCollections: LocalizedCollection
LocalizedCollection: @ElementType @ElementId @TargetCollection Item
DisplayControls: DisplayControl
DisplayControl: @Id @UserInterfaceControlType InputClaims DisplayClaims OutputClaims Actions
Actions: Action
Action: @Id ValidationClaimsExchange
ValidationClaimsExchange: ValidationClaimsExchangeTechnicalProfile
ValidationClaimsExchangeTechnicalProfile: @TechnicalProfileReferenceId @ContinueOnSuccess @ContinueOnError Preconditions
ClaimsProviders: ClaimsProvider
ClaimsProvider: Domains Domain DisplayName TechnicalProfiles
TechnicalProfiles: TechnicalProfile
TechnicalProfile: @Id Domains Domain DisplayName Description Protocol InputTokenFormat OutputTokenFormat AssuranceLevelOfOutputClaims RequiredAssuranceLevelsOfInputClaims SubjectAuthenticationRequirements Metadata CryptographicKeys Suppressions PreferredBinding IncludeInSso InputTokenSources InputClaimsTransformations InputClaims DisplayClaims PersistedClaims OutputClaims OutputClaimsTransformations ValidationTechnicalProfiles SubjectNamingInfo Extensions IncludeClaimsFromTechnicalProfile IncludeTechnicalProfile UseTechnicalProfileForSessionManagement ErrorHandlers EnabledForUserJourneys
Metadata: Item
CryptographicKeys: Key
Key: @Id @StorageReferenceId
InputClaimsTransformations: InputClaimsTransformation
InputClaimsTransformation: @ReferenceId
OutputClaimsTransformations: OutputClaimsTransformation
OutputClaimsTransformation: @ReferenceId
InputClaims: InputClaim
InputClaim: @ClaimTypeReferenceId @PartnerClaimType @TransformationClaimType @Required @DefaultValue @AlwaysUseDefaultValue From
OutputClaims: OutputClaim
OutputClaim: @ClaimTypeReferenceId @PartnerClaimType @TransformationClaimType @Required @DefaultValue @AlwaysUseDefaultValue From
PersistedClaims: PersistedClaim
PersistedClaim: @ClaimTypeReferenceId @PartnerClaimType @Required @DefaultValue @AlwaysUseDefaultValue @OverwriteIfExists From
DisplayClaims: DisplayClaim
DisplayClaim: @ClaimTypeReferenceId @DisplayControlReferenceId @ControlClaimType @Required
ValidationTechnicalProfiles: ValidationTechnicalProfile
ValidationTechnicalProfile: @ReferenceId @ContinueOnSuccess @ContinueOnError Preconditions
Preconditions: Precondition
Precondition: @Type @ExecuteActionsIf Value Action
IncludeTechnicalProfile: @ReferenceId
UseTechnicalProfileForSessionManagement: @ReferenceId
UserJourneys: UserJourney
SubJourneys: SubJourney
OrchestrationSteps: OrchestrationStep
`)

// table reads lines of "Parent: word word".
func table(lines string) map[string]map[string]bool {
	made := map[string]map[string]bool{}
	for line := range strings.Lines(lines) {
		parent, words, found := strings.Cut(line, ":")
		if !found {
			continue
		}
		made[parent] = map[string]bool{}
		for _, word := range strings.Fields(words) {
			made[parent][word] = true
		}
	}
	return made
}

// checkKnown reports what stands where the schema has no place for it. It is not read, and B2C refuses the upload.
func checkKnown(e *element, problems *problems) {
	row, looked := known[e.name]
	if !looked {
		return
	}
	for _, a := range e.attributes {
		if !row["@"+a.name] {
			problems.add(e.at, Odd, "%s has the attribute %s, which is not in the schema and is not read", e.label(), a.name)
		}
	}
	for _, c := range e.children {
		if !row[c.name] {
			problems.add(c.at, Broken, "%s stands in %s, where the schema has no place for it; it is not read", c.label(), e.name)
			continue
		}
		checkKnown(c, problems)
	}
}

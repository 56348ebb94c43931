package trustframework

// rule says how the children of an element are merged with those of the same element in a base policy, or of an included
// technical profile.
//
// Documented (trustframeworkpolicy.md): an element overrides the one of the same type and Id in the base. What published
// policies need to work goes further: lists within an element are merged entry by entry. Where neither says anything,
// the rule is marked UNCONFIRMED.
type rule struct {
	// by are the attributes that tell entries apart, beside their name; "#" is the text.
	by []string
	// prefer is an attribute that chooses among entries that are otherwise alike.
	prefer string
	// within: an entry is merged with the one it meets, rather than put in its place.
	within bool
	// unique: within one file there should be one entry of each kind; more are merged, and reported.
	unique bool
	// behaves: MergeBehavior says where the entries go: Append, Prepend or ReplaceAll (localization.md, claimsschema.md).
	// What holds without the attribute is UNCONFIRMED; here it is otherwise, or else Append, as for other lists.
	behaves   bool
	otherwise string
}

var (
	record    = rule{within: true, unique: true}
	byID      = rule{by: []string{"Id"}, within: true, unique: true}
	byClaim   = rule{by: []string{"ClaimTypeReferenceId"}, prefer: "PartnerClaimType"}
	byProfile = rule{by: []string{"TechnicalProfileReferenceId"}}
	byTarget  = rule{by: []string{"ReferenceId"}}
)

// rules are by element name, or by the name of the parent and the element where the name alone does not say it. An
// element without a rule replaces the one in the base with all that is in it.
var rules = map[string]rule{
	"TrustFrameworkPolicy": record,
	"BuildingBlocks":       record,

	"ClaimsSchema":             byID,
	"ClaimType":                record,
	"DefaultPartnerClaimTypes": {by: []string{"Name"}},
	"Restriction":              {by: []string{"Value", "Text"}, behaves: true},

	"Predicates":           byID,
	"Predicate":            record,
	"PredicateValidations": byID,
	"PredicateValidation":  record,

	// A transformation's own lists are replaced: one claim may stand in them often. UNCONFIRMED for a transformation
	// that is declared again in part.
	"ClaimsTransformations": byID,
	"ClaimsTransformation":  record,

	"ContentDefinitions": byID,
	"ContentDefinition":  record,
	// A page may have several resources in one language: an extension that adds a text keeps the others of its base. Texts
	// are looked for in the order of the references, so that those of the extension count first unless it says otherwise.
	"LocalizedResourcesReferences": {by: []string{"Language", "LocalizedResourcesReferenceId"}, behaves: true, otherwise: "prepend"},

	"Localization":         {by: []string{"Id", "Culture"}, within: true, unique: true},
	"SupportedLanguages":   {by: []string{"#"}, behaves: true},
	"LocalizedResources":   record,
	"LocalizedStrings":     {by: []string{"ElementType", "ElementId", "StringId"}},
	"LocalizedCollections": {by: []string{"ElementType", "ElementId", "TargetCollection"}},

	"DisplayControls":            byID,
	"DisplayControl":             record,
	"DisplayControl/InputClaims": byClaim, "DisplayControl/OutputClaims": byClaim,
	"Actions":                  byID,
	"Action":                   record,
	"ValidationClaimsExchange": byProfile,

	// Technical profiles are found by Id whatever provider they stand under; see flatten.
	"ClaimsProviders":              byID,
	"TechnicalProfile":             record,
	"Metadata":                     {by: []string{"Key"}, unique: true},
	"CryptographicKeys":            {by: []string{"Id"}, unique: true},
	"TechnicalProfile/InputClaims": byClaim, "TechnicalProfile/OutputClaims": byClaim,
	// One claim is often written to several attributes of the directory, so the attribute belongs to the key.
	"PersistedClaims": {by: []string{"ClaimTypeReferenceId", "PartnerClaimType"}},
	"DisplayClaims":   {by: []string{"ClaimTypeReferenceId", "DisplayControlReferenceId"}},
	// References that are new are appended; one that is declared again is replaced where it stands: UNCONFIRMED.
	"InputClaimsTransformations":  byTarget,
	"OutputClaimsTransformations": byTarget,
	"ValidationTechnicalProfiles": byTarget,

	// Steps are merged by Order, and take the children that they do not declare from the base. An Order may come twice
	// in one file.
	"UserJourneys":       byID,
	"UserJourney":        record,
	"SubJourneys":        byID,
	"SubJourney":         record,
	"OrchestrationSteps": {by: []string{"Order"}, within: true},
	"OrchestrationStep":  record,
	"ClaimsExchanges":    {by: []string{"Id"}},

	"RelyingParty": record,
}

func ruleOf(parent, name string) (rule, bool) {
	if r, known := rules[parent+"/"+name]; known {
		return r, true
	}
	r, known := rules[name]
	return r, known
}

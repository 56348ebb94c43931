package trustframework

// ClaimType declares a claim.
type ClaimType struct {
	At          Origin
	ID          string
	DisplayName string
	// DataType is such as string, boolean, int, long, dateTime, date, stringCollection, phoneNumber or userIdentity.
	DataType  string
	Partners  []PartnerName
	Mask      Mask
	AdminHelp string
	UserHelp  string
	// UserInput is such as TextBox, Readonly, Password, DropdownSingleSelect or EmailBox, "" if the claim is not shown.
	UserInput string
	// Choices are the values that may be chosen. A value may be there twice.
	Choices []Choice
	// Pattern is what a value must match; Expression is "" if there is none.
	Pattern Pattern
	// PredicateValidation is the rule set that a value is held to, without ID if there is none.
	PredicateValidation Reference
}

// PartnerName is the name that a claim has in a protocol (DefaultPartnerClaimTypes).
type PartnerName struct {
	At             Origin
	Protocol, Name string
}

// Mask is how much of a claim is shown: Type is Simple with Text as its prefix, or Regex with Expression and Text.
type Mask struct {
	At               Origin
	Type, Expression string
	Text             string
}

// Given reports whether the claim type has a mask at all, be it one that cannot be used.
func (m Mask) Given() bool { return m != (Mask{}) }

// Choice is one entry of an enumeration.
type Choice struct {
	At          Origin
	Text, Value string
	// Selected is SelectByDefault.
	Selected bool
}

// Pattern is a regular expression in .NET's dialect, and what is said to somebody who does not meet it.
type Pattern struct {
	At         Origin
	Expression string
	HelpText   string
}

// Predicate is one test of a value.
type Predicate struct {
	At Origin
	ID string
	// Method is such as MatchesRegex, IncludesCharacters, IsLengthRange or IsDateRange.
	Method string
	// HelpText is of the attribute, UserHelpText of the element.
	HelpText     string
	UserHelpText string
	Parameters   []Parameter
}

// Parameter is an argument of a predicate or a claims transformation.
type Parameter struct {
	At Origin
	ID string
	// DataType is empty for predicates.
	DataType string
	Value    string
}

// PredicateValidation is a set of groups of predicates, all of which must be met.
type PredicateValidation struct {
	At     Origin
	ID     string
	Groups []PredicateGroup
}

// PredicateGroup is met when enough of its predicates are.
type PredicateGroup struct {
	At           Origin
	ID           string
	UserHelpText string
	// AtLeast is MatchAtLeast; 0 means all.
	AtLeast    int
	Predicates []Reference
}

// ClaimsTransformation computes claims from claims.
type ClaimsTransformation struct {
	At Origin
	ID string
	// Method is the TransformationMethod as it is written; methods are told apart without case.
	Method     string
	Inputs     []TransformationClaim
	Parameters []Parameter
	Outputs    []TransformationClaim
}

// TransformationClaim ties a claim to the name that the method has for it.
type TransformationClaim struct {
	At          Origin
	Claim, Name string
}

// ContentDefinition is a page.
type ContentDefinition struct {
	At          Origin
	ID          string
	LoadURI     string
	RecoveryURI string
	DataURI     string
	Metadata    Metadata
	Resources   []LocalizedReference
}

// LocalizedReference names the texts of a page in one language.
type LocalizedReference struct {
	At       Origin
	Language string
	// Resources is the Id of LocalizedResources.
	Resources string
}

// Localization is what pages say, by language.
type Localization struct {
	At      Origin
	Enabled bool
	// Default is the language of those for whom none of Languages is right.
	Default   string
	Languages []string
	Resources []*LocalizedResources
	byID      map[string]*LocalizedResources
}

// Find finds texts by the Id of their resources.
func (l Localization) Find(id string) (*LocalizedResources, bool) { return find(l.byID, id) }

// LocalizedResources are texts in one language.
type LocalizedResources struct {
	At          Origin
	ID          string
	Language    string
	Strings     []LocalizedString
	Collections []LocalizedCollection
}

// String finds a text. Names are compared without case.
func (r *LocalizedResources) String(elementType, element, id string) (LocalizedString, bool) {
	for _, s := range r.Strings {
		if Fold(s.ID) == Fold(id) && Fold(s.ElementType) == Fold(elementType) && Fold(s.Element) == Fold(element) {
			return s, true
		}
	}
	return LocalizedString{}, false
}

// LocalizedString is one text.
type LocalizedString struct {
	At Origin
	// ElementType is such as ErrorMessage, DisplayControl, ClaimType or UxElement; Element is the id of what it is for,
	// often empty.
	ElementType, Element, ID string
	Text                     string
}

// LocalizedCollection is a claim's enumeration in one language.
type LocalizedCollection struct {
	At                           Origin
	ElementType, Element, Target string
	Choices                      []Choice
}

package trustframework

import "path"

// Policy is one file with all that it inherits.
type Policy struct {
	At Origin
	// ID is the PolicyId as it is written.
	ID       string
	TenantID string
	// TenantObjectID is the tenant's object id, "" if the file does not say; it is not inherited.
	TenantObjectID string
	// Base is the policy that this one builds on, nil if none.
	Base *Policy
	// DeploymentMode is Production, Development or Debugging, "" if the file does not say; it is not inherited.
	DeploymentMode string

	// What follows is in the order in which it was first declared, that of the base before that of the extension.

	Claims               []*ClaimType
	Predicates           []*Predicate
	PredicateValidations []*PredicateValidation
	Transformations      []*ClaimsTransformation
	ContentDefinitions   []*ContentDefinition
	Localization         Localization
	DisplayControls      []*DisplayControl
	TechnicalProfiles    []*TechnicalProfile
	Journeys             []*Journey
	SubJourneys          []*Journey
	// RelyingParty is nil in a policy that is only built on.
	RelyingParty *RelyingParty

	claims          map[string]*ClaimType
	predicates      map[string]*Predicate
	validations     map[string]*PredicateValidation
	transformations map[string]*ClaimsTransformation
	definitions     map[string]*ContentDefinition
	controls        map[string]*DisplayControl
	profiles        map[string]*TechnicalProfile
	journeys        map[string]*Journey
	subJourneys     map[string]*Journey
}

// Name is FOLDER/ID, where the folder is that of its file, and ID alone for a file of the outermost folder. Set.Policy finds
// a policy by it.
func (p *Policy) Name() string { return path.Join(path.Dir(p.At.File), p.ID) }

// All that has an id is found without case: B2C's own packs rely on it (surName for surname, otp for Otp).

// Claim finds a claim type.
func (p *Policy) Claim(id string) (*ClaimType, bool) { return find(p.claims, id) }

// Predicate finds a predicate.
func (p *Policy) Predicate(id string) (*Predicate, bool) { return find(p.predicates, id) }

// PredicateValidation finds a predicate validation.
func (p *Policy) PredicateValidation(id string) (*PredicateValidation, bool) {
	return find(p.validations, id)
}

// Transformation finds a claims transformation.
func (p *Policy) Transformation(id string) (*ClaimsTransformation, bool) {
	return find(p.transformations, id)
}

// ContentDefinition finds a content definition.
func (p *Policy) ContentDefinition(id string) (*ContentDefinition, bool) {
	return find(p.definitions, id)
}

// DisplayControl finds a display control.
func (p *Policy) DisplayControl(id string) (*DisplayControl, bool) { return find(p.controls, id) }

// TechnicalProfile finds a technical profile. Those of relying parties are not among them.
func (p *Policy) TechnicalProfile(id string) (*TechnicalProfile, bool) { return find(p.profiles, id) }

// Journey finds a user journey.
func (p *Policy) Journey(id string) (*Journey, bool) { return find(p.journeys, id) }

// SubJourney finds a sub-journey.
func (p *Policy) SubJourney(id string) (*Journey, bool) { return find(p.subJourneys, id) }

func find[T any](in map[string]*T, id string) (*T, bool) {
	found, there := in[Fold(id)]
	return found, there
}

// Reference names another element.
type Reference struct {
	At Origin
	ID string
}

// Item is one entry of Metadata.
type Item struct {
	At         Origin
	Key, Value string
}

// Metadata are the settings of a technical profile or content definition.
type Metadata []Item

// Get finds a setting without regard to case.
func (m Metadata) Get(key string) (Item, bool) {
	for _, item := range m {
		if Fold(item.Key) == Fold(key) {
			return item, true
		}
	}
	return Item{}, false
}

// Journey is a UserJourney or SubJourney.
type Journey struct {
	At Origin
	ID string
	// Type is Call or Transfer, of a SubJourney alone.
	Type string
	// Steps are by Order.
	Steps []Step
}

// Step is an OrchestrationStep.
type Step struct {
	At    Origin
	Order int
	// Type is such as ClaimsExchange, CombinedSignInAndSignUp, InvokeSubJourney or SendClaims.
	Type              string
	ContentDefinition string
	// Issuer is the technical profile that a SendClaims step makes its token with.
	Issuer        string
	Preconditions []Precondition
	Exchanges     []Exchange
	Selections    []Selection
	// SubJourneys are those that an InvokeSubJourney step may call.
	SubJourneys []Reference
}

// Exchange is a ClaimsExchange: a technical profile that a step calls.
type Exchange struct {
	At               Origin
	ID               string
	TechnicalProfile string
}

// Selection is a ClaimsProviderSelection: what a page offers to sign in with.
type Selection struct {
	At Origin
	// Target and Validation are ids of exchanges in this journey.
	Target, Validation string
}

// RelyingParty is what an application is answered with.
type RelyingParty struct {
	At      Origin
	Journey Reference
	// Profile says which claims the application gets; nil if it is missing.
	Profile *TechnicalProfile
}

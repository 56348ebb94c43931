package trustframework

import (
	"cmp"
	"slices"
)

func (r *reader) journey(e *element) *Journey {
	j := &Journey{At: e.at, ID: e.get("Id"), Type: e.get("Type")}
	seen := map[int]bool{}
	for _, s := range e.child("OrchestrationSteps").each("OrchestrationStep") {
		step := r.step(s)
		if seen[step.Order] { // both stay: UNCONFIRMED
			r.problems.add(s.at, Odd, "two steps of the journey have the Order %d; what B2C makes of that is not documented", step.Order)
		}
		seen[step.Order] = true
		j.Steps = append(j.Steps, step)
	}
	slices.SortStableFunc(j.Steps, func(a, b Step) int { return cmp.Compare(a.Order, b.Order) })
	return j
}

func (r *reader) step(e *element) Step {
	s := Step{
		At:                e.at,
		Order:             r.number(e, "Order"),
		Type:              e.get("Type"),
		ContentDefinition: e.get("ContentDefinitionReferenceId"),
		Issuer:            e.get("CpimIssuerTechnicalProfileReferenceId"),
		Preconditions:     r.preconditions(e),
		SubJourneys:       r.references(e.child("JourneyList"), "Candidate", "SubJourneyReferenceId"),
	}
	for _, x := range e.child("ClaimsExchanges").each("ClaimsExchange") {
		if profile := r.need(x, "TechnicalProfileReferenceId"); profile != "" {
			s.Exchanges = append(s.Exchanges, Exchange{At: x.at, ID: x.get("Id"), TechnicalProfile: profile})
		}
	}
	for _, x := range e.child("ClaimsProviderSelections").each("ClaimsProviderSelection") {
		s.Selections = append(s.Selections,
			Selection{At: x.at, Target: x.get("TargetClaimsExchangeId"), Validation: x.get("ValidationClaimsExchangeId")})
	}
	return s
}

func (r *reader) relyingParty(e *element) *RelyingParty {
	p := &RelyingParty{At: e.at, Journey: r.reference(e.child("DefaultUserJourney"), "ReferenceId")}
	if profile := e.child("TechnicalProfile"); profile != nil {
		p.Profile = r.profile(profile)
	}
	return p
}

package trustframework

func (r *reader) profile(e *element) *TechnicalProfile {
	p := &TechnicalProfile{
		At:                    e.at,
		ID:                    e.get("Id"),
		DisplayName:           e.textOf("DisplayName"),
		Description:           e.textOf("Description"),
		Includes:              r.reference(e.child("IncludeTechnicalProfile"), "ReferenceId"),
		InputFormat:           e.textOf("InputTokenFormat"),
		OutputFormat:          e.textOf("OutputTokenFormat"),
		Metadata:              r.metadata(e.child("Metadata")),
		InputTransformations:  r.references(e.child("InputClaimsTransformations"), "InputClaimsTransformation", "ReferenceId"),
		InputClaims:           r.mappings(e.child("InputClaims"), "InputClaim"),
		DisplayClaims:         r.displayClaims(e.child("DisplayClaims")),
		PersistedClaims:       r.mappings(e.child("PersistedClaims"), "PersistedClaim"),
		OutputClaims:          r.mappings(e.child("OutputClaims"), "OutputClaim"),
		OutputTransformations: r.references(e.child("OutputClaimsTransformations"), "OutputClaimsTransformation", "ReferenceId"),
		Validations:           r.validations(e.child("ValidationTechnicalProfiles"), "ValidationTechnicalProfile", "ReferenceId"),
		Session:               r.reference(e.child("UseTechnicalProfileForSessionManagement"), "ReferenceId"),
		Subject:               r.reference(e.child("SubjectNamingInfo"), "ClaimType"),
		IncludeInSSO:          Fold(e.textOf("IncludeInSso")) != "false",
		Enabled:               e.textOf("EnabledForUserJourneys"),
	}
	if protocol := e.child("Protocol"); protocol != nil {
		p.Protocol = Protocol{At: protocol.at, Name: protocol.get("Name"), Handler: protocol.get("Handler")}
	}
	for _, key := range e.child("CryptographicKeys").each("Key") {
		if id := r.need(key, "Id"); id != "" {
			p.Keys = append(p.Keys, Key{At: key.at, ID: id, Storage: key.get("StorageReferenceId")})
		}
	}
	return p
}

func (r *reader) mappings(list *element, name string) []ClaimMapping {
	var all []ClaimMapping
	for _, e := range list.each(name) {
		claim := r.need(e, "ClaimTypeReferenceId")
		if claim == "" {
			continue
		}
		m := ClaimMapping{
			At:               e.at,
			Claim:            claim,
			Partner:          e.get("PartnerClaimType"),
			AlwaysUseDefault: r.flag(e, "AlwaysUseDefaultValue", false),
			Required:         r.flag(e, "Required", false),
			Overwrite:        r.flag(e, "OverwriteIfExists", true),
		}
		m.Default, m.HasDefault = e.lookup("DefaultValue")
		all = append(all, m)
	}
	return all
}

func (r *reader) displayClaims(list *element) []DisplayClaim {
	var all []DisplayClaim
	for _, e := range list.each("DisplayClaim") {
		d := DisplayClaim{
			At:       e.at,
			Claim:    e.get("ClaimTypeReferenceId"),
			Control:  e.get("DisplayControlReferenceId"),
			Kind:     e.get("ControlClaimType"),
			Required: r.flag(e, "Required", false),
		}
		if (d.Claim == "") == (d.Control == "") {
			r.problems.add(e.at, Broken, "DisplayClaim needs either a ClaimTypeReferenceId or a DisplayControlReferenceId; it is left out")
			continue
		}
		all = append(all, d)
	}
	return all
}

func (r *reader) validations(list *element, name, attribute string) []Validation {
	var all []Validation
	for _, e := range list.each(name) {
		id := r.need(e, attribute)
		if id == "" {
			continue
		}
		all = append(all, Validation{
			At:                e.at,
			TechnicalProfile:  id,
			ContinueOnError:   r.flag(e, "ContinueOnError", false),
			ContinueOnSuccess: r.flag(e, "ContinueOnSuccess", true),
			Preconditions:     r.preconditions(e),
		})
	}
	return all
}

// preconditions reads those of an element, and reports those that could not be followed as they are written: they decide
// what runs. Only two types and two actions are documented (userjourneys.md).
func (r *reader) preconditions(of *element) []Precondition {
	var all []Precondition
	for _, e := range of.child("Preconditions").each("Precondition") {
		p := Precondition{At: e.at, Type: e.get("Type"), ExecuteIf: r.flag(e, "ExecuteActionsIf", true)}
		for _, value := range e.each("Value") {
			p.Values = append(p.Values, value.text)
		}
		for _, action := range e.each("Action") {
			p.Actions = append(p.Actions, action.text)
		}
		r.checkPrecondition(e, p)
		all = append(all, p)
	}
	return all
}

func (r *reader) checkPrecondition(e *element, p Precondition) {
	if _, there := e.lookup("ExecuteActionsIf"); !there {
		r.problems.add(e.at, Broken, "the precondition has no ExecuteActionsIf; read as true")
	}
	if !(p.Type == "ClaimsExist" && len(p.Values) == 1 || p.Type == "ClaimEquals" && len(p.Values) == 2) {
		r.problems.add(e.at, Broken, "the precondition is neither ClaimsExist with a claim nor ClaimEquals with a claim and a value")
	}
	for _, action := range p.Actions {
		if action != "SkipThisOrchestrationStep" && action != "SkipThisValidationTechnicalProfile" {
			r.problems.add(e.at, Broken, "the precondition's action is neither SkipThisOrchestrationStep nor SkipThisValidationTechnicalProfile")
		}
	}
	if len(p.Actions) == 0 {
		r.problems.add(e.at, Broken, "the precondition has no Action")
	}
}

func (r *reader) displayControl(e *element) *DisplayControl {
	d := &DisplayControl{
		At:            e.at,
		ID:            e.get("Id"),
		Type:          e.get("UserInterfaceControlType"),
		InputClaims:   r.mappings(e.child("InputClaims"), "InputClaim"),
		DisplayClaims: r.displayClaims(e.child("DisplayClaims")),
		OutputClaims:  r.mappings(e.child("OutputClaims"), "OutputClaim"),
	}
	for _, a := range e.child("Actions").each("Action") {
		actionID := r.need(a, "Id")
		if actionID == "" {
			continue
		}
		d.Actions = append(d.Actions, Action{
			At: a.at,
			ID: actionID,
			Validations: r.validations(a.child("ValidationClaimsExchange"),
				"ValidationClaimsExchangeTechnicalProfile", "TechnicalProfileReferenceId"),
		})
	}
	return d
}

package trustframework

import (
	"strconv"
	"strings"
)

func (r *reader) claim(e *element) *ClaimType {
	c := &ClaimType{
		At:                  e.at,
		ID:                  e.get("Id"),
		DisplayName:         e.textOf("DisplayName"),
		DataType:            e.textOf("DataType"),
		AdminHelp:           e.textOf("AdminHelpText"),
		UserHelp:            e.textOf("UserHelpText"),
		UserInput:           r.userInput(e),
		PredicateValidation: r.reference(e.child("PredicateValidationReference"), "Id"),
	}
	for _, p := range e.child("DefaultPartnerClaimTypes").each("Protocol") {
		c.Partners = append(c.Partners, PartnerName{At: p.at, Protocol: p.get("Name"), Name: p.get("PartnerClaimType")})
	}
	if m := e.child("Mask"); m != nil {
		c.Mask = Mask{At: m.at, Type: m.get("Type"), Expression: m.get("Regex"), Text: m.text}
	}
	restriction := e.child("Restriction")
	c.Choices = r.choices(restriction.each("Enumeration"))
	if p := restriction.child("Pattern"); p != nil {
		c.Pattern = Pattern{At: p.at, Expression: p.get("RegularExpression"), HelpText: p.get("HelpText")}
	}
	return c
}

// userInputs are the UserInputTypes of TrustFrameworkPolicy_0.3.0.0.xsd.
var userInputs = []string{"TextBox", "EmailBox", "DateTimeDropdown", "RadioSingleSelect", "DropdownSingleSelect", "CheckboxMultiSelect",
	"Password", "Readonly", "Button", "Paragraph"}

// userInput reads how a claim is typed in, in the schema's letters: it decides what is kept of a password, and what of a claim
// that is only shown.
func (r *reader) userInput(e *element) string {
	written := e.textOf("UserInputType")
	for _, known := range userInputs {
		if Fold(known) == Fold(written) {
			return known
		}
	}
	if written != "" {
		r.problems.add(e.child("UserInputType").at, Broken, "the UserInputType of %s is none of %s; read as TextBox", e.label(), strings.Join(userInputs, ", "))
		return userInputs[0]
	}
	return ""
}

func (r *reader) choices(list []*element) []Choice {
	var all []Choice
	for _, e := range list {
		all = append(all, Choice{At: e.at, Text: e.get("Text"), Value: e.get("Value"), Selected: r.flag(e, "SelectByDefault", false)})
	}
	return all
}

func (r *reader) predicate(e *element) *Predicate {
	p := &Predicate{At: e.at, ID: e.get("Id"), Method: e.get("Method"), HelpText: e.get("HelpText"), UserHelpText: e.textOf("UserHelpText")}
	for _, a := range e.child("Parameters").each("Parameter") {
		if name := r.need(a, "Id"); name != "" {
			p.Parameters = append(p.Parameters, Parameter{At: a.at, ID: name, Value: a.text})
		}
	}
	return p
}

func (r *reader) predicateValidation(e *element) *PredicateValidation {
	v := &PredicateValidation{At: e.at, ID: e.get("Id")}
	for _, groups := range e.each("PredicateGroups") {
		for _, g := range groups.each("PredicateGroup") {
			list := g.child("PredicateReferences")
			group := PredicateGroup{
				At:           g.at,
				ID:           g.get("Id"),
				UserHelpText: g.textOf("UserHelpText"),
				Predicates:   r.references(list, "PredicateReference", "Id"),
			}
			if list != nil {
				group.AtLeast = r.number(list, "MatchAtLeast")
			}
			v.Groups = append(v.Groups, group)
		}
	}
	return v
}

func (r *reader) transformation(e *element) *ClaimsTransformation {
	t := &ClaimsTransformation{
		At:      e.at,
		ID:      e.get("Id"),
		Method:  e.get("TransformationMethod"),
		Inputs:  r.transformationClaims(e.child("InputClaims"), "InputClaim"),
		Outputs: r.transformationClaims(e.child("OutputClaims"), "OutputClaim"),
	}
	if t.Method == "" {
		r.problems.add(e.at, Broken, "%s has no TransformationMethod", e.label())
	}
	for _, a := range e.child("InputParameters").each("InputParameter") {
		name := r.need(a, "Id")
		if name == "" {
			continue
		}
		p := Parameter{At: a.at, ID: name, DataType: a.get("DataType"), Value: a.get("Value")}
		r.checkParameter(a, p)
		t.Parameters = append(t.Parameters, p)
	}
	return t
}

// checkParameter holds a value to its DataType, which decides among others how it is written into JSON
// (json-transformations.md).
func (r *reader) checkParameter(e *element, p Parameter) {
	var err error
	switch Fold(p.DataType) {
	case "int":
		_, err = strconv.ParseInt(p.Value, 10, 32)
	case "long":
		_, err = strconv.ParseInt(p.Value, 10, 64)
	case "boolean":
		_, err = strconv.ParseBool(Fold(p.Value))
	}
	if err != nil {
		r.problems.add(e.at, Broken, "the value of %s is no %s", e.label(), p.DataType)
	}
}

func (r *reader) transformationClaims(list *element, name string) []TransformationClaim {
	var all []TransformationClaim
	for _, e := range list.each(name) {
		if claim := r.need(e, "ClaimTypeReferenceId"); claim != "" {
			all = append(all, TransformationClaim{At: e.at, Claim: claim, Name: e.get("TransformationClaimType")})
		}
	}
	return all
}

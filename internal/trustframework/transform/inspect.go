package transform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// finding is one thing that is wrong with a transformation. The text goes on from its id.
type finding struct {
	at     trustframework.Origin
	weight trustframework.Weight
	text   string
}

// inspection holds a transformation to the row of its method.
type inspection struct {
	policy         *trustframework.Policy
	transformation *trustframework.ClaimsTransformation
	method         *method
	findings       []finding
}

func (c *inspection) broken(at trustframework.Origin, format string, args ...any) {
	c.findings = append(c.findings, finding{at, trustframework.Broken, fmt.Sprintf(format, args...)})
}

func (c *inspection) odd(at trustframework.Origin, format string, args ...any) {
	c.findings = append(c.findings, finding{at, trustframework.Odd, fmt.Sprintf(format, args...)})
}

// inspect finds the method of a transformation and what is wrong with the rest. The method is nil if there is none such,
// and then one finding is Broken.
func inspect(p *trustframework.Policy, t *trustframework.ClaimsTransformation) (*method, []finding) {
	c := &inspection{policy: p, transformation: t, method: methods[trustframework.Fold(t.Method)]}
	if c.method == nil {
		c.broken(t.At, "the method %s is not one that can be run%s", t.Method, suggest.For(t.Method, Methods()))
		return nil, c.findings
	}
	c.claims("InputClaim", t.Inputs, c.method.inputs, c.method.free.inputs)
	c.claims("OutputClaim", t.Outputs, c.method.outputs, c.method.free.outputs)
	c.parameters()
	if c.method.check != nil {
		c.method.check(c)
	}
	return c.method, c.findings
}

// claims holds input or output claims to the slots of the method.
func (c *inspection) claims(element string, given []trustframework.TransformationClaim, slots []slot, free func(string) bool) {
	for i, g := range given {
		declared, there := c.policy.Claim(g.Claim)
		if !there {
			c.broken(g.At, "the claim type %s is not in the policy; declare it in ClaimsSchema%s", g.Claim, nearClaim(c.policy, g.Claim))
			continue
		}
		k := slices.IndexFunc(slots, func(s slot) bool { return s.is(nameOf(g)) })
		switch {
		case k >= 0:
			c.kinds(element, g, declared, slots[k])
			if element == "InputClaim" && slices.ContainsFunc(given[:i], func(o trustframework.TransformationClaim) bool { return slots[k].is(nameOf(o)) }) {
				c.odd(g.At, "there is an InputClaim %s before this one, which is not looked at", slots[k].name)
			}
		case free == nil || !free(nameOf(g)):
			c.odd(g.At, "the method %s has no %s %s, so that it is not looked at%s", c.method.name, element, nameOf(g), near(nameOf(g), slotNames(slots)))
		}
	}
	for _, s := range slots {
		if !s.optional && !slices.ContainsFunc(given, func(g trustframework.TransformationClaim) bool { return s.is(nameOf(g)) }) {
			c.broken(c.transformation.At, "the method %s needs an %s with TransformationClaimType %s", c.method.name, element, s.name)
		}
	}
}

// kinds holds the type of a claim to that of its slot. What text says may be of any type, and all but a list can be text.
func (c *inspection) kinds(element string, g trustframework.TransformationClaim, declared *trustframework.ClaimType, s slot) {
	from, to := s.kind, claim.TypeOf(declared.DataType)
	if s.kind == "" || from == to {
		return
	}
	if element == "InputClaim" {
		from, to = to, from
	}
	if !converts(from, to) {
		c.broken(g.At, "the %s %s of the method %s is a %s, and the claim type %s is a %s", element, s.name, c.method.name, s.kind, declared.ID, claim.TypeOf(declared.DataType))
	}
}

func converts(from, to claim.Type) bool {
	if from == claim.StringCollection {
		return false
	}
	alike := func(a, b claim.Type) bool { return (from == a || from == b) && (to == a || to == b) }
	return from == claim.String || to == claim.String || alike(claim.Int, claim.Long) || alike(claim.DateTime, claim.Date)
}

// parameters holds the input parameters to those of the method.
func (c *inspection) parameters() {
	given := c.transformation.Parameters
	for _, g := range given {
		k := slices.IndexFunc(c.method.parameters, func(p parameter) bool { return strings.EqualFold(p.name, g.ID) })
		switch {
		case k >= 0:
			if err := c.method.parameters[k].hold(g.Value); err != nil {
				c.broken(g.At, "the parameter %s %v", g.ID, err)
			}
		case c.method.free.parameters == nil || !c.method.free.parameters(g.ID):
			c.odd(g.At, "the method %s has no parameter %s, so that it is not looked at%s", c.method.name, g.ID, near(g.ID, parameterNames(c.method.parameters)))
		}
	}
	for _, p := range c.method.parameters {
		if !p.optional && !slices.ContainsFunc(given, func(g trustframework.Parameter) bool { return strings.EqualFold(p.name, g.ID) }) {
			c.broken(c.transformation.At, "the method %s needs an InputParameter %s", c.method.name, p.name)
		}
	}
}

// hold says what is wrong with a parameter's value.
func (p parameter) hold(value string) error {
	parsed, err := claim.Parse(p.kind, value)
	if err != nil {
		return err
	}
	if n, ok := parsed.Int(); p.limited && ok && n < p.least {
		return fmt.Errorf("must be %d at least", p.least)
	}
	if len(p.oneOf) > 0 && !slices.ContainsFunc(p.oneOf, func(o string) bool { return strings.EqualFold(o, strings.TrimSpace(value)) }) {
		return fmt.Errorf("must be one of: %s", strings.Join(p.oneOf, ", "))
	}
	if p.check != nil {
		return p.check(value)
	}
	return nil
}

// nameOf is the name that the method has for a claim. Where there is none the claim's own counts: SetClaimsIfRegexMatch
// and GetClaimsFromJsonArray are documented so.
func nameOf(g trustframework.TransformationClaim) string {
	if g.Name != "" {
		return g.Name
	}
	return g.Claim
}

func slotNames(slots []slot) []string {
	var all []string
	for _, s := range slots {
		all = append(all, s.name)
	}
	return all
}

func parameterNames(parameters []parameter) []string {
	var all []string
	for _, p := range parameters {
		all = append(all, p.name)
	}
	return all
}

// near ends an error about an unknown name, if there are any others.
func near(name string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	return suggest.For(name, known)
}

// nearClaim ends an error about an unknown claim type, if there is one with nearly its name.
func nearClaim(p *trustframework.Policy, name string) string {
	var all []string
	for _, t := range p.Claims {
		all = append(all, t.ID)
	}
	return suggest.Few(name, all, 0)
}

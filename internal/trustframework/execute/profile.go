package execute

import (
	"errors"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// The handlers that are the Runner's own.
const (
	// SelfAsserted is a page, and what validates it (self-asserted-technical-profile.md).
	SelfAsserted = "Web.TPEngine.Providers.SelfAssertedAttributeProvider"
	// Transformation runs claims transformations and nothing else (claims-transformation-technical-profile.md).
	Transformation = "Web.TPEngine.Providers.ClaimsTransformationProtocolProvider"
)

// phoneFactor is a page of B2C's own that calls a phone or sends it a text message (phone-factor-technical-profile.md).
const phoneFactor = "Web.TPEngine.Providers.PhoneFactorProtocolProvider"

func selfAsserted(t *trustframework.TechnicalProfile) bool {
	return t.Protocol.HandlerType() == SelfAsserted
}

// profile runs a technical profile on the claims that its caller sees (technicalprofiles.md, "Technical profile flow"):
// input transformations, input claims, the profile itself, output claims, output transformations. After an error the
// claims are as they were.
func (x *run) profile(t *trustframework.TechnicalProfile, bag *claim.Bag) (err error) {
	s := x.begin("technical profile", t.ID, t.At)
	defer func() { s.end(err) }()
	handler, err := x.handler(t)
	if err != nil {
		return err
	}
	for _, p := range CheckValidations(t) {
		return &trustframework.Misuse{At: p.At, Element: "technical profile " + t.ID, Reason: p.Reason}
	}
	work := bag.Clone()
	if err := x.transformations(t, t.InputTransformations, work); err != nil {
		return err
	}
	c := &Call{Policy: x.q.Policy, Profile: t, Session: x.q.Session, Scene: x.q.Scene, secrets: &x.secrets}
	if c.Inputs, err = x.inputs(t, work); err != nil {
		return err
	}
	for _, in := range c.Inputs {
		s.in(in.Partner, in.Value)
	}
	if handler != nil {
		if err := handler.Run(x.ctx, c); err != nil {
			return owned(err, t)
		}
	}
	if err := x.finish(t, c, work, s); err != nil {
		return err
	}
	// A transformation may have taken a claim's value (NullClaim): that is the profile's doing too.
	bag.Retain(work)
	bag.Merge(work)
	return nil
}

// finish sets the output claims and runs the transformations after them, which may be what makes them.
func (x *run) finish(t *trustframework.TechnicalProfile, c *Call, bag *claim.Bag, s *step) error {
	if err := x.answer(t, c, bag); err != nil {
		return err
	}
	if err := x.transformations(t, t.OutputTransformations, bag); err != nil {
		return err
	}
	for _, m := range t.OutputClaims {
		if v, ok := bag.Get(m.Claim); ok {
			s.out(m.Claim, v)
		}
	}
	return nil
}

// owned says which profile refused.
func owned(err error, t *trustframework.TechnicalProfile) error {
	var failure *trustframework.Failure
	if errors.As(err, &failure) && failure.Profile == "" {
		failure.Profile = t.ID
	}
	return err
}

// handler finds what runs a profile; nil is one that only transforms claims.
func (x *run) handler(t *trustframework.TechnicalProfile) (Handler, error) {
	kind := t.Protocol.HandlerType()
	if h, ok := x.r.Handlers[kind]; ok {
		return h, nil
	}
	reason := "its handler " + kind + " is none that otpost runs"
	switch {
	case kind == Transformation:
		return nil, nil
	case kind == SelfAsserted:
		reason = "is a page, and a page cannot validate another; refer to the profiles that it validates with"
	case kind == phoneFactor:
		reason = "is B2C's own page that calls a phone or sends it a text message, which otpost does not have; " +
			"verify the number in a display control, with profiles of the handler AzureMfaProtocolProvider"
	case kind == "" && t.Protocol.Name == "":
		reason = "has no Protocol, and includes no profile that has one"
	case kind == "":
		reason = "its protocol " + t.Protocol.Name + " is none that otpost runs"
	}
	return nil, &trustframework.Misuse{At: t.At, Element: "technical profile " + t.ID, Reason: reason}
}

// inputs are the input claims that have a value. A DefaultValue counts where the claim has none, and always with
// AlwaysUseDefaultValue.
func (x *run) inputs(t *trustframework.TechnicalProfile, bag *claim.Bag) ([]Input, error) {
	var in []Input
	for _, m := range t.InputClaims {
		v, ok, err := x.value(t, m, bag)
		if err != nil {
			return nil, err
		}
		switch {
		case ok:
			in = append(in, Input{Partner: m.PartnerName(), Claim: m.Claim, Value: v})
		case m.Required:
			return nil, &trustframework.Misuse{At: m.At, Element: "technical profile " + t.ID,
				Reason: "its input claim " + m.Claim + " is required, and has no value"}
		}
	}
	return in, nil
}

// value is what a mapping stands for: the claim's value, or the default one.
func (x *run) value(t *trustframework.TechnicalProfile, m trustframework.ClaimMapping, bag *claim.Bag) (v claim.Value, ok bool, err error) {
	if m.HasDefault && (m.AlwaysUseDefault || !bag.Has(m.Claim)) {
		text := m.Default
		if Resolves(t) {
			text = x.resolve(text, bag)
		}
		if text == "" {
			return v, false, nil
		}
		v, err = x.typed(m, claim.Text(text))
		return v, err == nil, err
	}
	v, ok = bag.Get(m.Claim)
	return v, ok && !v.Empty(), nil
}

// Resolves says whether a profile's default values may hold claim resolvers (claim-resolver-overview.md: the profile must
// say so). Of those on the engines the overview says nothing; that they follow the same rule is UNCONFIRMED.
func Resolves(t *trustframework.TechnicalProfile) bool {
	item, ok := t.Metadata.Get("IncludeClaimResolvingInClaimsHandling")
	return ok && strings.EqualFold(strings.TrimSpace(item.Value), "true")
}

// typed is a value in the type that the policy declares for the claim.
func (x *run) typed(m trustframework.ClaimMapping, v claim.Value) (claim.Value, error) {
	declared, ok := x.q.Policy.Claim(m.Claim)
	if !ok {
		return v, &trustframework.Misuse{At: m.At, Element: "claim " + m.Claim, Reason: "is not declared in ClaimsSchema"}
	}
	v, err := v.As(claim.TypeOf(declared.DataType))
	if err != nil {
		return v, &trustframework.Misuse{At: m.At, Element: "claim " + m.Claim, Reason: "its value " + err.Error()}
	}
	return v, nil
}

// answer sets the output claims. What the profile answered counts before what the claim was, and that before its
// DefaultValue, unless AlwaysUseDefaultValue says otherwise.
func (x *run) answer(t *trustframework.TechnicalProfile, c *Call, bag *claim.Bag) error {
	for _, m := range t.OutputClaims {
		v, ok, err := x.answered(m, c)
		if err != nil {
			return err
		}
		if !ok || m.AlwaysUseDefault && m.HasDefault {
			if v, ok, err = x.value(t, m, bag); err != nil {
				return err
			}
		}
		if ok {
			bag.Set(m.Claim, v)
		}
	}
	return nil
}

// answered is what the profile put out under a partner name.
func (x *run) answered(m trustframework.ClaimMapping, c *Call) (v claim.Value, ok bool, err error) {
	out, ok := c.outputs[trustframework.Fold(m.PartnerName())]
	if !ok || out == nil {
		return v, false, nil
	}
	if v, ok = out.(claim.Value); !ok {
		declared, _ := x.q.Policy.Claim(m.Claim)
		kind := claim.String
		if declared != nil {
			kind = claim.TypeOf(declared.DataType)
		}
		if v, err = claim.FromJSON(kind, out); err != nil {
			return v, false, &trustframework.Misuse{At: m.At, Element: "claim " + m.Claim, Reason: "what the service answered " + err.Error()}
		}
	}
	v, err = x.typed(m, v)
	return v, err == nil, err
}

// Package execute runs technical profiles and display controls of B2C policies: claims in, claims out, or the refusal that
// the policy has a text for. What a profile does is its handler's; what stands around it is done here.
package execute

import (
	"context"
	"strings"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
)

// Handler does what technical profiles of one kind are for. It knows no claim names, only partner names, and no message
// of a policy, only keys.
type Handler interface {
	// Run answers a call by setting its outputs. It returns a *trustframework.Failure for what the person is told, a
	// *trustframework.Misuse for a policy that cannot be run as it is written, and any other error for what went wrong here.
	Run(ctx context.Context, c *Call) error
	// Check says what of a profile will not work, before it is run. Odd is what works otherwise than written. A reason that
	// does not begin with "technical profile" and the id goes on from it, but for that of a place which calls the profile.
	Check(p *trustframework.Policy, t *trustframework.TechnicalProfile) []trustframework.Problem
	// About says what a profile is, for a list of what a policy holds.
	About(t *trustframework.TechnicalProfile) About
}

// About says what a technical profile does, and where otherwise than in B2C.
type About struct {
	// Kind is what people call it, such as "one-time password, GenerateCode".
	Kind string
	// B2C, Otpost and Entra are one sentence each: what B2C does, what otpost does, and what Entra External ID has for it.
	B2C, Otpost, Entra string
	// Differs are the points in which otpost is not B2C.
	Differs []string
}

// Call is one run of a technical profile.
type Call struct {
	Policy  *trustframework.Policy
	Profile *trustframework.TechnicalProfile
	// Inputs are the input claims that have a value, in the order of the policy.
	Inputs []Input
	// Session is the journey that the call belongs to. A handler may change what is its own in it.
	Session *Session
	// Scene is what is known of the caller and the person.
	Scene   Scene
	outputs map[string]any
	secrets *secrets
}

// Scope is what the call's codes belong to in the engine: the session, or the application where the session has no id. A code
// is handed over to who asked for it, so that of another application must not take its place.
func (c *Call) Scope() string {
	if c.Session.ID == "" {
		return c.Session.Scope() + "of " + c.Scene.Application
	}
	return c.Session.Scope()
}

// Input is one input claim as the other side gets it.
type Input struct {
	// Partner is the other side's name for it, Claim the policy's.
	Partner, Claim string
	Value          claim.Value
}

// Input finds an input by its partner name, without case. One that is empty counts as not given.
func (c *Call) Input(partner string) (claim.Value, bool) {
	for _, in := range c.Inputs {
		if strings.EqualFold(in.Partner, partner) && !in.Value.Empty() {
			return in.Value, true
		}
	}
	return claim.Value{}, false
}

// Need is an input that must be there. Its error has B2C's words for one that is not (Application Insights,
// azure-ad-b2c/samples#646).
func (c *Call) Need(partner string) (claim.Value, error) {
	v, ok := c.Input(partner)
	if ok {
		return v, nil
	}
	do := "map an input claim to it with PartnerClaimType"
	for _, m := range c.Profile.InputClaims {
		if strings.EqualFold(m.PartnerName(), partner) {
			do = "the claim " + m.Claim + ", which is mapped to it, has no value"
			break
		}
	}
	return v, c.Misuse("a partner claim with id '" + partner + "' is not found, and is required; " + do)
}

// Wants says that the profile has an output claim for a partner name.
func (c *Call) Wants(partner string) bool {
	for _, m := range c.Profile.OutputClaims {
		if strings.EqualFold(m.PartnerName(), partner) {
			return true
		}
	}
	return false
}

// Output answers under a partner name, with a claim.Value or a value as encoding/json decodes it.
func (c *Call) Output(partner string, v any) {
	if c.outputs == nil {
		c.outputs = map[string]any{}
	}
	c.outputs[strings.ToLower(partner)] = v
}

// Secret keeps a text out of the trace, wherever in it it would be.
func (c *Call) Secret(text string) { c.secrets.add(text) }

// HandOver is Secret for a code that the profile hands to its caller: where the profile is all that is run, it is not kept
// in the session either. A copy of it would travel in every later token.
func (c *Call) HandOver(code string) { c.secrets.handOver(code) }

// Setting is an entry of the profile's metadata, "" if there is none.
func (c *Call) Setting(key string) string {
	item, _ := c.Profile.Metadata.Get(key)
	return strings.TrimSpace(item.Value)
}

// Misuse is an error about the profile; the reason goes on from its name.
func (c *Call) Misuse(reason string) error {
	return &trustframework.Misuse{At: c.Profile.At, Element: "technical profile " + c.Profile.ID, Reason: reason}
}

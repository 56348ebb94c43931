// Package otp runs two kinds of technical profiles of B2C policies on the passcode engine: those that make one-time
// passwords and check them, and those that verify a mailbox as Entra's self-service password reset does.
package otp

import (
	"context"

	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// OneTimePasswordHandler is the HandlerType of profiles for OneTimePassword (one-time-password-technical-profile.md).
const OneTimePasswordHandler = "Web.TPEngine.Providers.OneTimePasswordProtocolProvider"

// OneTimePassword is the handler of GenerateCode, which hands a code over to the policy, and VerifyCode.
type OneTimePassword struct {
	Engine interface {
		Generate(ctx context.Context, g passcode.Generation) (passcode.Generated, error)
		Verify(ctx context.Context, ref passcode.Ref, code string) (passcode.Verdict, error)
	}
}

// The partner names of the profile's claims.
const (
	identifier   = "identifier"
	otpGenerated = "otpGenerated"
	otpToVerify  = "otpToVerify"
)

// Run implements execute.Handler.
func (h *OneTimePassword) Run(ctx context.Context, c *execute.Call) error {
	op, err := oneTimePassword.chosen(c)
	if err != nil {
		return err
	}
	if op.name == "GenerateCode" {
		return h.generate(ctx, c, op)
	}
	return h.verify(ctx, c, op)
}

// generate hands a code over. What B2C keeps in the journey's session, the code and the counters, the engine has under
// the session's scope and the identifier. UNCONFIRMED: that a new code has all its tries again, that generations count for
// as long as the session lives, and that identifiers are compared as they stand.
func (h *OneTimePassword) generate(ctx context.Context, c *execute.Call, op *operation) error {
	key, err := c.Need(identifier)
	if err != nil {
		return err
	}
	if !c.Wants(otpGenerated) {
		return c.Misuse(noOutput(otpGenerated))
	}
	terms, found := generation(c.Profile)
	if err := broken(c.Profile, found); err != nil {
		return err
	}
	g := passcode.Generation{Tenant: c.Scene.Tenant, Application: passcode.Application{ID: c.Scene.Application},
		Scope: c.Scope(), Purpose: passcode.Verify, Key: key.String(), Policy: terms, Renew: c.Session.ID == "", IP: c.Scene.Address()}
	made, err := h.Engine.Generate(ctx, g)
	if err != nil {
		return h.speaker(c, op).refused(err)
	}
	c.HandOver(made.Code)
	c.Output(otpGenerated, claim.Text(made.Code))
	return nil
}

// verify tries a code. That letters are compared without case where the set has one case alone, and that blanks and dashes
// do not count, is UNCONFIRMED.
func (h *OneTimePassword) verify(ctx context.Context, c *execute.Call, op *operation) error {
	typed, given := c.Input(otpToVerify)
	if given {
		c.Secret(typed.String())
	}
	key, err := c.Need(identifier)
	if err != nil {
		return err
	}
	if typed, err = c.Need(otpToVerify); err != nil {
		return err
	}
	ref := passcode.Ref{Tenant: c.Scene.Tenant, Scope: c.Scope(), Purpose: passcode.Verify, Key: key.String()}
	v, err := h.Engine.Verify(ctx, ref, typed.String())
	if err != nil {
		return h.speaker(c, op).refused(err)
	}
	return h.speaker(c, op).judged(v)
}

func (h *OneTimePassword) speaker(c *execute.Call, op *operation) speaker {
	return speaker{op, oneTimePasswordTexts, c.Profile}
}

// Check implements execute.Handler.
func (h *OneTimePassword) Check(p *trustframework.Policy, t *trustframework.TechnicalProfile) []trustframework.Problem {
	return oneTimePassword.check(p, t)
}

// About implements execute.Handler.
func (h *OneTimePassword) About(t *trustframework.TechnicalProfile) execute.About {
	return oneTimePassword.about(t)
}

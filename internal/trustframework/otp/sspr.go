package otp

import (
	"context"
	"errors"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// SSPRHandler is the HandlerType of profiles for SSPR (aad-sspr-technical-profile.md).
const SSPRHandler = "Web.TPEngine.Providers.AadSsprProtocolProvider"

// SSPR is the handler of SendCode, which mails a code, and VerifyCode. B2C has them of Entra's self-service password
// reset; here they are a passcode like any other.
type SSPR struct {
	Engine interface {
		Issue(ctx context.Context, r passcode.Request, wait time.Duration) (passcode.Issued, error)
		Verify(ctx context.Context, ref passcode.Ref, code string) (passcode.Verdict, error)
	}
	// Application is on whose behalf a policy's mail is sent. Without it, it is Scene.Application, and has no name.
	Application func(*trustframework.Policy, *execute.Scene) passcode.Application
}

// The partner names of the profile's claims.
const (
	emailAddress     = "emailAddress"
	verificationCode = "verificationCode"
)

// ssprTerms are six digits for five minutes and three tries. None of it is documented or can be set: the numbers are what
// users of B2C measured (Microsoft Q&A 1499733, MicrosoftDocs/azure-docs#111271). Lockout is UNCONFIRMED and ours: without
// it a mailbox that is locked by wrong codes would get new ones.
func ssprTerms() *passcode.Policy {
	return &passcode.Policy{Alphabet: "0-9", Length: 6, Lifetime: 5 * time.Minute, Tries: 3, Lockout: 5 * time.Minute}
}

// Run implements execute.Handler.
func (h *SSPR) Run(ctx context.Context, c *execute.Call) error {
	op, err := sspr.chosen(c)
	if err != nil {
		return err
	}
	if op.name == "SendCode" {
		return h.send(ctx, c, op)
	}
	return h.verify(ctx, c, op)
}

// send is done when a provider took the message, and also when it may still be sent: the code is good then.
func (h *SSPR) send(ctx context.Context, c *execute.Call, op *operation) error {
	to, err := c.Need(emailAddress)
	if err != nil {
		return err
	}
	issued, err := h.Engine.Issue(ctx, passcode.Request{Tenant: c.Scene.Tenant, Application: h.application(c), Scope: c.Scope(),
		To: to.String(), Channel: outbox.Email, Purpose: passcode.Verify, Locale: c.Scene.Locale, Terms: ssprTerms(), IP: c.Scene.Address()},
		c.Scene.Wait)
	if err != nil {
		return h.speaker(c, op).refused(err)
	}
	if outbox.OutcomeOf(&issued.Delivery).Verdict == outbox.NotSent {
		return h.speaker(c, op).failure(op.other, errors.New("no provider took the message"))
	}
	return nil
}

func (h *SSPR) verify(ctx context.Context, c *execute.Call, op *operation) error {
	typed, given := c.Input(verificationCode)
	if given {
		c.Secret(typed.String())
	}
	to, err := c.Need(emailAddress)
	if err != nil {
		return err
	}
	if typed, err = c.Need(verificationCode); err != nil {
		return err
	}
	ref := passcode.Ref{Tenant: c.Scene.Tenant, Scope: c.Scope(), Purpose: passcode.Verify, To: to.String()}
	v, err := h.Engine.Verify(ctx, ref, typed.String())
	if err != nil {
		return h.speaker(c, op).refused(err)
	}
	return h.speaker(c, op).judged(v)
}

func (h *SSPR) application(c *execute.Call) passcode.Application {
	if h.Application == nil {
		return passcode.Application{ID: c.Scene.Application}
	}
	return h.Application(c.Policy, &c.Scene)
}

func (h *SSPR) speaker(c *execute.Call, op *operation) speaker {
	return speaker{op, ssprTexts, c.Profile}
}

// Check implements execute.Handler.
func (h *SSPR) Check(p *trustframework.Policy, t *trustframework.TechnicalProfile) []trustframework.Problem {
	return sspr.check(p, t)
}

// About implements execute.Handler.
func (h *SSPR) About(t *trustframework.TechnicalProfile) execute.About { return sspr.about(t) }

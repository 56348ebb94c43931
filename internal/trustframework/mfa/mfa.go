// Package mfa runs the technical profiles of B2C policies that are for multifactor authentication: a code in a text message
// on the passcode engine, and the codes of authenticator apps on the authenticator engine.
package mfa

import (
	"context"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// HandlerType is that of profiles for Handler (multi-factor-auth-technical-profile.md).
const HandlerType = "Web.TPEngine.Providers.AzureMfaProtocolProvider"

// Handler implements execute.Handler. Its fields are set once, before the first call.
type Handler struct {
	Passcodes      Passcodes
	Authenticators Authenticators
	// Application is on whose behalf a policy's messages are sent. Without it, it is Scene.Application, which is its name
	// as well.
	Application func(*trustframework.Policy, *execute.Scene) passcode.Application
	// Window is how far the clock of an authenticator app may be off; the zero value is authenticator.DefaultWindow, one
	// step either way. B2C takes codes that are three to five minutes old (azure-ad-b2c/samples#392,
	// MicrosoftDocs/azure-docs#100623), which is a Back of 10. Every step makes a guess likelier to be right.
	Window authenticator.Window
}

// Passcodes is what the handler needs of passcode.Engine.
type Passcodes interface {
	Issue(ctx context.Context, r passcode.Request, wait time.Duration) (passcode.Issued, error)
	Verify(ctx context.Context, ref passcode.Ref, code string) (passcode.Verdict, error)
}

// Authenticators is what the handler needs of authenticator.Engine.
type Authenticators interface {
	Enrol(ctx context.Context, r authenticator.Request) (authenticator.Enrolment, error)
	Confirm(ctx context.Context, t authenticator.Try) (authenticator.Verdict, error)
	Verify(ctx context.Context, t authenticator.Try) (authenticator.Verdict, error)
	Devices(ctx context.Context, tenant, user string) ([]authenticator.Device, error)
	WithSecret(ctx context.Context, tenant, user, secret string) ([]authenticator.Device, error)
	Revoke(ctx context.Context, ref authenticator.Ref) (authenticator.Device, error)
}

// Run implements execute.Handler.
func (h *Handler) Run(ctx context.Context, c *execute.Call) error {
	op, found := operationOf(c.Profile)
	if op == nil {
		return &trustframework.Misuse{At: found[0].At, Element: "technical profile " + c.Profile.ID, Reason: found[0].Reason}
	}
	return op.run(h, ctx, c)
}

// The partner names of the profiles' claims.
const (
	userPrincipalName        = "userPrincipalName"
	phoneNumber              = "phoneNumber"
	companyName              = "companyName"
	locale                   = "locale"
	verificationCode         = "verificationCode"
	numberOfAvailableDevices = "numberOfAvailableDevices"
	objectID                 = "objectId"
	secretKey                = "secretKey"
	otpCode                  = "otpCode"
)

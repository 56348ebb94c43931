package main

import (
	"context"
	"time"
)

type emulateCommand struct {
	Entra emulateEntraCommand `cmd:"" help:"Send an OnOtpSend event as Microsoft Entra External ID does."`
}

// Help is the detail under --help.
func (*emulateCommand) Help() string {
	return `Example:

	otpost emulate entra --target http://localhost:8080/entra/otp-send --to alice@example.com`
}

// EntraOptions are the flags of emulate entra.
type EntraOptions struct {
	Target      string        `required:"" placeholder:"URL" help:"Receiver that is called, such as http://localhost:8080/entra/otp-send."`
	To          string        `required:"" placeholder:"ADDRESS" help:"Address the code is for."`
	Code        string        `placeholder:"CODE" help:"Code to send. Without it one is drawn."`
	Locale      string        `default:"en-us" placeholder:"TAG" help:"Language of the user (default en-us)."`
	Application string        `default:"Demo" placeholder:"NAME" help:"Display name of the application the user signs in to (default Demo)."`
	TenantID    string        `default:"11111111-2222-3333-4444-555555555555" placeholder:"GUID" help:"Directory (tenant) id (default 11111111-2222-3333-4444-555555555555)."`
	Audience    string        `default:"api://otpost" placeholder:"ID" help:"Who the token is for: the receiver's entra_audience (default api://otpost)."`
	FunctionKey string        `placeholder:"KEY" help:"Second secret, sent as ?code=KEY."`
	Token       string        `placeholder:"TOKEN" help:"Token to send instead of one signed by the emulator's own issuer."`
	Issuer      string        `default:"127.0.0.1:0" placeholder:"HOST:PORT" help:"Address the emulator's own issuer listens on, for the receiver to fetch its keys from (default 127.0.0.1:0)."`
	Timeout     time.Duration `default:"1s" placeholder:"DURATION" help:"How long one call may take, 200ms to 2s (default 1s)."`
	Retries     int           `default:"1" placeholder:"N" help:"How often a failed call is repeated, 0 or 1 (default 1)."`
}

type emulateEntraCommand struct{ EntraOptions }

// Help is the detail under --help.
func (*emulateEntraCommand) Help() string {
	return `Signs a token with an issuer of its own, sends the event with Entra's timeout and its one retry, and says what Entra would have done: taken the answer, or sent its own mail. The receiver must trust the issuer: set its entra_issuers to what the first line prints.

Exit code 3 means that Entra would have used its fallback.

Example:

	otpost emulate entra --target http://localhost:8080/entra/otp-send --to alice@example.com --timeout 500ms`
}

// Validate holds the flags to what Entra allows (Microsoft Graph, customExtensionClientConfiguration).
func (c *emulateEntraCommand) Validate() error {
	if c.Timeout < 200*time.Millisecond || c.Timeout > 2*time.Second {
		return usageErrorf("--timeout %v is outside 200ms to 2s", c.Timeout)
	}
	if c.Retries < 0 || c.Retries > 1 {
		return usageErrorf("--retries %d is neither 0 nor 1", c.Retries)
	}
	return nil
}

// Run plays Entra.
func (c *emulateEntraCommand) Run(ctx context.Context, p *Program) error {
	if p.EmulateEntra == nil {
		return errMissing
	}
	return p.EmulateEntra(ctx, c.EntraOptions, p.print)
}

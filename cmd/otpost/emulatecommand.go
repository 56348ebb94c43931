package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/extension/emulate"
)

type emulateCommand struct {
	Entra emulateEntraCommand `cmd:"" help:"Send OnOtpSend events as Microsoft Entra External ID does."`
}

// Help is the detail under --help.
func (*emulateCommand) Help() string {
	return `Example:

	otpost emulate entra --target http://localhost:8080/entra/otp-send --to alice@example.com`
}

type emulateEntraCommand struct {
	Target      string        `placeholder:"URL" help:"Receiver that is called, such as http://localhost:8080/entra/otp-send."`
	To          string        `placeholder:"ADDRESS" help:"Address the code is for; {n} in it becomes the event's number."`
	Locale      string        `default:"en-us" placeholder:"TAG" help:"Language of the person (default en-us)."`
	RequestType string        `default:"signIn" placeholder:"TYPE" help:"What the person does: signUp, signIn or passwordReset (default signIn)."`
	Application string        `default:"Example" placeholder:"NAME" help:"Display name of the application the person signs in to (default Example)."`
	TenantID    string        `placeholder:"GUID" help:"Directory (tenant) id. Without it the token's own, or a made-up one."`
	Audience    string        `placeholder:"ID" help:"Who the token is for: the receiver's entra_audience. Without it a made-up one."`
	FunctionKey string        `placeholder:"KEY" help:"Second secret, sent as ?code=KEY."`
	Token       string        `env:"OTPOST_ENTRA_TOKEN" placeholder:"TOKEN" help:"Token to send instead of one signed by the emulator's own issuer."`
	Issuer      string        `default:"127.0.0.1:8084" placeholder:"HOST:PORT" help:"Address the emulator's own issuer listens on, for the receiver to fetch its keys from (default 127.0.0.1:8084)."`
	IssuerKey   string        `placeholder:"PATH" help:"File of the issuer's signing key, made when it is not there. Without it each run has a new key, which a receiver takes up at most once a minute."`
	PrintIssuer bool          `help:"Print what a receiver must be told to trust the issuer, and send nothing."`
	Count       int           `default:"1" placeholder:"N" help:"How many events are sent (default 1)."`
	Concurrency int           `default:"1" placeholder:"N" help:"How many at the same time (default 1)."`
	Rate        int           `default:"0" placeholder:"N" help:"How many begin in a second. Without it each one that ends makes room for the next."`
	Summary     bool          `help:"Leave out the account of each event, and write only the sum."`
	Timeout     time.Duration `default:"1s" placeholder:"DURATION" help:"How long one call may take, 200ms to 2s (default 1s)."`
	Retries     int           `default:"1" placeholder:"N" help:"How often a failed call is repeated, 0 or 1 (default 1)."`
	NoFallback  bool          `help:"Play an extension without Microsoft's fallback: a person whose event fails gets no code."`
	BothCasings bool          `help:"Write the code as oneTimeCode and as onetimecode too."`
}

// Help is the detail under --help.
func (*emulateEntraCommand) Help() string {
	return `Signs a token with an issuer of its own, sends the event with Entra's timeout and its one retry, and says what Entra would have done: taken the answer, or sent its own mail. A receiver must trust the issuer; the demo does. --print-issuer prints what to set elsewhere.

Exit code 3 means that Entra would have used its fallback, 4 that somebody got no code.

Example:

	otpost emulate entra --target http://localhost:8080/entra/otp-send --to alice@example.com --timeout 500ms

	otpost emulate entra --target http://localhost:8080/entra/otp-send --to person{n}@example.com --count 100000 --rate 500 --concurrency 500 --summary

	otpost emulate entra --print-issuer`
}

// Validate holds the flags to what Entra allows (Microsoft Graph, customExtensionClientConfiguration).
func (c *emulateEntraCommand) Validate() error {
	switch {
	case c.PrintIssuer:
		return nil
	case c.Target == "" || c.To == "":
		return usageErrorf("--target and --to are needed: the receiver's URL and the address the code is for")
	case c.Timeout < 200*time.Millisecond || c.Timeout > 2*time.Second:
		return usageErrorf("--timeout %v is outside 200ms to 2s", c.Timeout)
	case c.Retries < 0 || c.Retries > 1:
		return usageErrorf("--retries %d is neither 0 nor 1", c.Retries)
	case c.Count < 1 || c.Concurrency < 1:
		return usageErrorf("--count and --concurrency must be 1 or more")
	case c.Rate < 0:
		return usageErrorf("--rate %d is negative", c.Rate)
	}
	return nil
}

// Run plays Entra.
func (c *emulateEntraCommand) Run(ctx context.Context, p *Program) error {
	if p.EmulateEntra == nil {
		return errMissing
	}
	options := c.options(p.output == "json")
	if terminal(p.Stderr) && (c.Summary || !terminal(p.Stdout)) {
		options.Progress = p.Stderr
	}
	code, err := p.EmulateEntra(ctx, options, p.Stdout)
	if err != nil {
		return err
	}
	if code != exitOK {
		return &exitError{code, ErrNotDelivered}
	}
	return nil
}

func (c *emulateEntraCommand) options(asJSON bool) emulate.Options {
	o := emulate.Defaults()
	o.Target, o.To, o.Locale, o.RequestType = withFunctionKey(c.Target, c.FunctionKey), c.To, c.Locale, c.RequestType
	o.AppName, o.Token, o.Listen, o.KeyFile = c.Application, c.Token, c.Issuer, c.IssuerKey
	o.PrintIssuer, o.Count, o.Concurrency, o.Rate, o.Summary = c.PrintIssuer, c.Count, c.Concurrency, c.Rate, c.Summary
	o.Timeout, o.Retries, o.Fallback, o.JSON = c.Timeout, c.Retries, !c.NoFallback, asJSON
	if c.BothCasings {
		o.Casing = extension.BothCasings
	}
	if c.Audience != "" {
		o.Audience = c.Audience
	}
	if tenant := tenantOf(c.Token); tenant != "" {
		o.Tenant = tenant
	}
	if c.TenantID != "" {
		o.Tenant = c.TenantID
	}
	return o
}

// withFunctionKey adds the key the way an Azure Function is given it. A target that is no URL is left to the emulator.
func withFunctionKey(target, key string) string {
	u, err := url.Parse(target)
	if key == "" || err != nil {
		return target
	}
	query := u.Query()
	query.Set("code", key)
	u.RawQuery = query.Encode()
	return u.String()
}

// tenantOf reads the tenant that a token names, without judging the token: an event must speak of the same one.
func tenantOf(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Tenant string `json:"tid"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.Tenant
}

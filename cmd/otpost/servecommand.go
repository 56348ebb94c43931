package main

import "context"

type serveCommand struct {
	Settings settingsFlags `embed:""`
}

// Help is the detail under --help.
func (*serveCommand) Help() string {
	return `Each setting is a flag (--ops-listen), an environment variable (OTPOST_OPS_LISTEN) and a line in otpost.yaml (ops_listen); the flag wins, then the variable. Secrets are read from a file with OTPOST_DATABASE_FILE and its like.

Example:

	OTPOST_DATABASE=sqlite:/var/lib/otpost/otpost.db \
	OTPOST_MAIL_URL='smtp://user:password@mail.example.com:587?tls=starttls' \
	OTPOST_MAIL_FROM=code@example.com otpost serve`
}

// Run starts the server.
func (c *serveCommand) Run(ctx context.Context, p *Program) error {
	if p.Serve == nil {
		return errMissing
	}
	settings, err := c.Settings.load(p)
	if err != nil {
		return err
	}
	return p.Serve(ctx, settings, newLog(p.Stderr, settings.LogFormat, settings.LogLevel))
}

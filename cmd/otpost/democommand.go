package main

import (
	"context"
	"log/slog"

	"github.com/otpost/otpost/internal/config"
)

// DemoOptions are the flags of the demo.
type DemoOptions struct {
	Listen   string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to serve on; port 0 takes any free one (default 127.0.0.1:8080)."`
	Folder   string `placeholder:"PATH" help:"Folder to keep the data in. Without it a temporary one is used and removed at the end."`
	Policies string `placeholder:"PATH" help:"Folder of Azure AD B2C policies, to try on pages and over the API. Without it there is an example."`
}

type demoCommand struct {
	DemoOptions
	LogLevel slog.Level `default:"warn" placeholder:"LEVEL" help:"Least level that is logged: debug, info, warn or error (default warn)."`
}

// Help is the detail under --help.
func (*demoCommand) Help() string {
	return `Starts a server with a database, an inbox that shows every message, an application and its key, and prints what to click and what to type. Nothing has to be set up, nothing leaves this machine.

Example:

	otpost demo
	otpost demo --listen 127.0.0.1:0 --output json | head -n 1`
}

// Run starts the demo.
func (c *demoCommand) Run(ctx context.Context, p *Program) error {
	if p.Demo == nil {
		return errMissing
	}
	return p.Demo(ctx, c.DemoOptions, newLog(p.Stderr, config.LogText, c.LogLevel), p.print)
}

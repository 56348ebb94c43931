package main

import (
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/extension"
)

type policyEntraCommand struct {
	URL         string        `required:"" placeholder:"URL" help:"otpost's public URL, such as https://otp.example.com. Without a path Entra is told to call /entra/otp-send there."`
	Tenant      string        `placeholder:"GUID" help:"Directory (tenant) id of the external tenant."`
	AppID       string        `name:"app-id" placeholder:"GUID" help:"App registration that stands for otpost, with its permission consented to. Without it one is made."`
	Application []string      `placeholder:"GUID" help:"Application (client) id whose codes otpost shall send; can be given several times. Without it: all."`
	Name        string        `default:"otpost" placeholder:"NAME" help:"What the extension and the app registration are called (default otpost)."`
	Timeout     time.Duration `default:"2s" placeholder:"DURATION" help:"How long Entra waits, 200ms to 2s (default 2s)."`
	Retries     int           `default:"1" placeholder:"N" help:"How often Entra repeats a call that failed, 0 or 1 (default 1)."`
	NoFallback  bool          `help:"Do not let Microsoft mail the code when otpost does not."`
}

// Help is the detail under --help.
func (*policyEntraCommand) Help() string {
	return `Nothing is called: the calls of Microsoft Graph are printed, as a shell script with curl or az, or with --output json one by one. Read them before you run them.

They make an app registration with its permission, the custom authentication extension (onOtpSendCustomExtension) and the event listener (onEmailOtpSendListener) that has Entra External ID send its email passcodes through otpost. docs/guides/entra.md does the same in the portal.

The caller needs the roles Application Administrator and Authentication Extensibility Administrator, and a token with the scopes Application.ReadWrite.All, AppRoleAssignment.ReadWrite.All, CustomAuthenticationExtension.ReadWrite.All and EventListener.ReadWrite.All.

Example:

	otpost policy entra --url https://otp.example.com --tenant 11111111-2222-3333-4444-555555555555 > entra.sh
	otpost policy entra --url https://otp.example.com --application 77777777-8888-9999-0000-111111111111 --output json`
}

// whole is a GUID and nothing else.
var whole = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Validate holds ids to their form: they become part of a script.
func (c *policyEntraCommand) Validate() error {
	for flag, ids := range map[string][]string{"--tenant": {c.Tenant}, "--app-id": {c.AppID}, "--application": c.Application} {
		for _, id := range ids {
			if id != "" && !whole.MatchString(id) {
				return usageErrorf("%s %q is not a GUID such as 11111111-2222-3333-4444-555555555555", flag, id)
			}
		}
	}
	return nil
}

// Run prints the calls.
func (c *policyEntraCommand) Run(p *Program) error {
	target, err := url.Parse(c.URL)
	if err != nil {
		return usageErrorf("--url %q cannot be read: write such as https://otp.example.com", c.URL)
	}
	if strings.Trim(target.Path, "/") == "" {
		target.Path = "/entra/otp-send"
	}
	calls, err := extension.Registration{Target: target, Name: c.Name, AppID: c.AppID, Applications: c.Application,
		Timeout: c.Timeout, Retries: c.Retries, Fallback: !c.NoFallback}.Calls()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	return p.print(entraCalls{Calls: calls, command: c, host: target.Host})
}

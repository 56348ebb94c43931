package main

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/review"
)

type policyRunCommand struct {
	policyFolder
	Element string        `arg:"" name:"profile|control" help:"Id of a technical profile, or of a display control with its action."`
	Action  string        `arg:"" optional:"" name:"action" help:"SendCode or VerifyCode, of a display control."`
	Claim   []string      `sep:"none" placeholder:"NAME=VALUE" help:"A claim that is typed into the page, or that the journey has. Can be given several times; a stringCollection's values one by one."`
	Session string        `type:"path" placeholder:"DIR" help:"Folder that keeps the journey, made when it is not there, so that VerifyCode can follow SendCode."`
	Host    string        `placeholder:"ID" help:"Self-asserted technical profile whose texts count. Without it the first that shows or calls what is run."`
	Locale  string        `placeholder:"TAG" help:"Language of the person, such as fr or pt-BR."`
	IP      string        `name:"ip" placeholder:"ADDRESS" help:"Address of the person, for {Context:IPAddress} and the limits of networks."`
	Keys    string        `name:"policy-keys" type:"path" placeholder:"DIR" help:"Folder with the policy keys, a file each, named as StorageReferenceId says."`
	Account []string      `sep:"none" placeholder:"NAME=VALUE" help:"An attribute of the account that directory profiles find, such as objectId=1. Without it there is none."`
	Send    bool          `help:"Really call REST services and send messages, with the settings that serve would have."`
	Wait    time.Duration `default:"10s" placeholder:"DURATION" help:"How long a provider may take to accept a message (default 10s)."`

	Settings settingsFlags `embed:""`
}

// Help is the detail under --help.
func (*policyRunCommand) Help() string {
	return `Runs one technical profile or one action of a display control with the claims given, and shows each step with its claims, the requests to REST services, the messages, and the output claims.

Nothing leaves this machine: a request to a REST service is shown and taken as answered with success, without claims; a message is shown and not sent. Codes and other secrets are masked in the steps; they stand in the request or message that is theirs. The engine works in a database of its own that is removed at the end, or with --session kept in that folder with the journey, for the next run to go on. The folder holds what was typed: remove it afterwards.

With --send REST services are called with the keys of --policy-keys, and messages go through the providers of the settings, in the database that the settings name. Use it when no server works on that file.

Exit code 3 means that the policy refused, and what the person would be told is printed.

Example:

	otpost policy run ./policies emailVerificationControl SendCode --claim email=lea@example.org --session /tmp/lea
	otpost policy run ./policies emailVerificationControl VerifyCode --claim email=lea@example.org --claim verificationCode=123456 --session /tmp/lea
	otpost policy run ./policies GenerateOtp --claim email=lea@example.org --policy B2C_1A_TrustFrameworkExtensions`
}

// Run tries the policy.
func (c *policyRunCommand) Run(ctx context.Context, p *Program) error {
	if p.TryPolicy == nil {
		return errMissing
	}
	set, err := c.load()
	if err != nil {
		return err
	}
	t := &policyTrial{Session: c.Session, Keys: c.Keys, Send: c.Send}
	if t.Request.Policy, err = c.policy(set); err != nil {
		return &exitError{exitUsage, err}
	}
	if err := c.fill(&t.Request); err != nil {
		return err
	}
	if t.mute.account, err = c.account(); err != nil {
		return err
	}
	settings := config.Default()
	if c.Send {
		if settings, err = c.Settings.load(p); err != nil {
			return err
		}
	}
	tried, err := p.TryPolicy(ctx, settings, t, newLog(p.Stderr, config.LogText, 12)) // no level is as high: what went wrong is in the result
	if err != nil {
		return err
	}
	if err := p.print(plain{tried}); err != nil {
		return err
	}
	switch {
	case tried.Refusal != nil:
		return quietExit(exitRefused)
	case tried.Error != "":
		return quietExit(exitFailed)
	}
	return nil
}

// policy is the one that is named, or the one that all have it from who have what is run.
func (c *policyRunCommand) policy(set *trustframework.Set) (*trustframework.Policy, error) {
	if c.Policy != "" {
		p, err := review.Find(set, c.Policy)
		if err == nil {
			err = review.Has(p, c.Element, c.Action)
		}
		return p, err
	}
	return review.Where(set, c.Element, c.Action)
}

// fill says what is asked for.
func (c *policyRunCommand) fill(q *execute.Request) error {
	if q.Profile = c.Element; c.Action != "" {
		q.Profile, q.Control, q.Action = "", c.Element, c.Action
	}
	q.Host = c.Host
	name, _, _ := strings.Cut(q.Policy.TenantID, ".")
	q.Scene = execute.Scene{Tenant: tenant, Application: "policy run", ApplicationName: name, Locale: c.Locale, Wait: c.Wait, CorrelationID: "policy-run"}
	if c.IP != "" {
		ip, err := netip.ParseAddr(c.IP)
		if err != nil {
			return usageErrorf("--ip %q is not an address such as 203.0.113.9", c.IP)
		}
		q.Scene.IP = ip
	}
	var err error
	q.Claims, err = claimsOf(q.Policy, c.Claim)
	return err
}

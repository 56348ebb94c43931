package main

import (
	"github.com/otpost/otpost/internal/trustframework/accounts"
	"github.com/otpost/otpost/internal/trustframework/review"
)

type policyCheckCommand struct {
	policyFolder
	Keys     string   `name:"policy-keys" type:"path" placeholder:"DIR" help:"Folder with the policy keys, to say which ones are missing."`
	Accounts bool     `help:"Take it that a service finds accounts (the setting b2c_accounts)."`
	Only     []string `placeholder:"ID" help:"Look only at what this display control or technical profile reaches. Can be given several times."`
}

// Help is the detail under --help.
func (*policyCheckCommand) Help() string {
	return `Reads every policy file of the folder, at any depth, and says of each file what runs here and what will not, with the reason. Nothing is run and nothing is sent.

A line such as Extensions.xml:41:9: broken: … names file, line and column. refused: the file or its policy is not read. broken: something will not run. odd: it runs, but otherwise than it is written or than in B2C. What several policies inherit is told once, where it stands; of what is so in many places some are named, and with --output json all.

Technical profiles of kinds that otpost does not have are counted under "Not otpost's". One that is called by a display control or by the validation of a page is also broken there, since the call is refused when it comes to it. User journeys are not run: what calls otpost keeps the order of pages.

A page that writes to the directory will not run, while the verification of an email on it may well. --only looks at the part that is wanted.

Exit code 1 means that something is refused or broken.

Example:

	otpost policy check ./policies
	otpost policy check ./policies --only emailVerificationControl
	otpost policy check ./policies --setting Tenant=contoso.onmicrosoft.com --output json`
}

// Run checks the folder.
func (c *policyCheckCommand) Run(p *Program) error {
	set, err := c.load()
	if err != nil {
		return err
	}
	var directory accounts.Directory
	if c.Accounts {
		directory = somebody{}
	}
	handlers, err := policyHandlers(c.Keys, directory)
	if err != nil {
		return err
	}
	checked, err := review.Check(set, handlers, review.Options{Policy: c.Policy, Only: c.Only})
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if err := p.print(plain{checked}); err != nil {
		return err
	}
	if checked.Failed() {
		return quietExit(exitFailed)
	}
	return nil
}

package main

import (
	"io"

	"github.com/otpost/otpost/internal/trustframework/review"
)

type policyReportCommand struct {
	policyFolder
	Markdown bool `help:"Write Markdown, a table for each file."`
}

// Help is the detail under --help.
func (*policyReportCommand) Help() string {
	return `Says of each display control and technical profile what B2C does with it, what otpost does, what Microsoft Entra External ID has in its place, and in what otpost is not B2C. Kinds of technical profiles that otpost does not run are listed at the end, each with its profiles and where that goes in External ID.

Example:

	otpost policy report ./policies
	otpost policy report ./policies --markdown > report.md
	otpost policy report ./policies --policy B2C_1A_signup --output json`
}

// Run writes the report.
func (c *policyReportCommand) Run(p *Program) error {
	set, err := c.load()
	if err != nil {
		return err
	}
	handlers, err := policyHandlers("", nil)
	if err != nil {
		return err
	}
	report, err := review.Tell(set, handlers, c.Policy)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if c.Markdown && p.output == "text" {
		return p.print(plain{markdown{report}})
	}
	return p.print(plain{report})
}

// markdown is a report whose text is Markdown.
type markdown struct{ *review.Report }

// WriteText writes Markdown.
func (m markdown) WriteText(w io.Writer) { m.WriteMarkdown(w) }

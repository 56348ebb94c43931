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
	return `Says of each display control and technical profile what B2C does with it, what otpost does, what Microsoft Entra External ID has in its place, and in what otpost is not B2C. Kinds of technical profiles that otpost does not run, user journeys and relying parties are listed at the end, each by name and with where that goes in External ID, and then what could not be read.

Exit code 1 means that a file or its policy is refused, so that it is not in the report.

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
	handlers, err := policyHandlers("", somebody{}) // what a directory profile needs is told with it
	if err != nil {
		return err
	}
	report, err := review.Tell(set, handlers, c.Policy)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	var result Result = report
	if c.Markdown && p.output == "text" {
		result = markdown{report}
	}
	if err := p.print(plain{result}); err != nil {
		return err
	}
	if report.Refused() {
		return quietExit(exitFailed)
	}
	return nil
}

// markdown is a report whose text is Markdown.
type markdown struct{ *review.Report }

// WriteText writes Markdown.
func (m markdown) WriteText(w io.Writer) { m.WriteMarkdown(w) }

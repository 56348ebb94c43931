package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/registry"
)

type providerCommand struct {
	List  providerListCommand  `cmd:"" help:"List the providers, and how they are doing."`
	Kinds providerKindsCommand `cmd:"" help:"List the kinds of providers, or the settings of one."`
	Test  providerTestCommand  `cmd:"" help:"Send a message through one provider alone, and say what became of it."`
}

// Help is the detail under --help.
func (*providerCommand) Help() string {
	return `Example:

	otpost provider kinds
	otpost provider kinds smtp
	otpost provider list
	otpost provider test sendgrid --to alice@example.com`
}

type providerListCommand struct {
	targetFlags
}

// Help is the detail under --help.
func (*providerListCommand) Help() string {
	return `Lists every provider: those of documents, and those that the server's own settings name (deploy-time). STATE is ready, disabled, left alone until a time of day for one that failed and is tried after the others meanwhile, or unusable for a document that the server cannot use, whose log says why.

` + targetHelp + `

Example:

	otpost provider list
	otpost provider list --output json`
}

type providerStates []registry.ProviderState

// WriteText writes a table.
func (states providerStates) WriteText(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tKIND\tFROM\tRATE\tSTATE")
	for _, s := range states {
		from, rate := "document", "none"
		if s.Given {
			from = "deploy-time"
		}
		if s.Rate != nil {
			per, _ := s.Rate.Per.MarshalText() // it never fails
			rate = fmt.Sprintf("%d per %s", s.Rate.Messages, per)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", inert(s.Name), inert(s.Kind), from, rate, inert(stateInWords(s)))
	}
	_ = table.Flush() // it writes to a buffer
}

// stateInWords is a state for people.
func stateInWords(s registry.ProviderState) string {
	if s.State == registry.ProviderLeftAlone {
		return "left alone until " + s.LeftAloneUntil.UTC().Format("15:04:05 UTC")
	}
	return s.State
}

// Run lists the providers.
func (c *providerListCommand) Run(ctx context.Context, p *Program) error {
	target, err := c.target(p)
	if err != nil {
		return err
	}
	states, err := target.providers(ctx)
	if err != nil {
		return err
	}
	if states == nil {
		states = providerStates{}
	}
	return p.print(providerStates(states))
}

type providerKindsCommand struct {
	Name string `arg:"" optional:"" help:"Kind whose settings to show."`
}

// Help is the detail under --help.
func (*providerKindsCommand) Help() string {
	return `Needs no server.

Example:

	otpost provider kinds
	otpost provider kinds smtp`
}

type kindLine struct {
	Name     string   `json:"name"`
	Channels []string `json:"channels"`
	Doc      string   `json:"doc"`
}

type kindLines []kindLine

// WriteText writes a table.
func (lines kindLines) WriteText(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "KIND\tCHANNELS\tWHAT IT IS")
	for _, l := range lines {
		fmt.Fprintf(table, "%s\t%s\t%s\n", l.Name, strings.Join(l.Channels, ","), l.Doc)
	}
	_ = table.Flush() // it writes to a buffer
	fmt.Fprintln(w, "\nThe settings of one: otpost provider kinds NAME")
}

type kindDetail struct {
	kindLine
	Fields []kindField `json:"fields"`
}

type kindField struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"`
	Help     string   `json:"help"`
	Default  string   `json:"default,omitempty"`
	Choices  []string `json:"choices,omitempty"`
	Required bool     `json:"required,omitempty"`
	Secret   bool     `json:"secret,omitempty"`
}

// WriteText teaches the kind: what it is, what it takes, and how to write it.
func (k kindDetail) WriteText(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\nIt carries %s.\n", k.Name, k.Doc, strings.Join(k.Channels, " and "))
	for _, f := range k.Fields {
		notes := []string{f.Type}
		if len(f.Choices) > 0 {
			notes = []string{strings.Join(f.Choices, "|")}
		}
		if f.Required {
			notes = append(notes, "required")
		}
		if f.Secret {
			notes = append(notes, "secret")
		}
		if f.Default != "" {
			notes = append(notes, "default "+f.Default)
		}
		fmt.Fprintf(w, "\n%s (%s)\n    %s\n", f.Name, strings.Join(notes, ", "), f.Help)
	}
	fmt.Fprintf(w, "\nIn a file for otpost apply:\n\n%s", providerExample(k))
}

// providerExample is the least that a provider of a kind needs, as YAML.
func providerExample(k kindDetail) string {
	var b strings.Builder
	fmt.Fprintf(&b, "providers:\n  - name: my-%s\n    kind: %s\n", k.Name, k.Name)
	settings := false
	for _, f := range k.Fields {
		if !f.Required {
			continue
		}
		if !settings {
			settings = true
			fmt.Fprintln(&b, "    settings:")
		}
		value := "\u2026"
		if f.Secret {
			value = "env:" + strings.ToUpper(k.Name+"_"+f.Name)
		}
		fmt.Fprintf(&b, "      %s: %s\n", f.Name, value)
	}
	return b.String()
}

// Run lists the kinds or shows one.
func (c *providerKindsCommand) Run(p *Program) error {
	if c.Name == "" {
		lines := kindLines{}
		for _, k := range provider.Kinds() {
			lines = append(lines, lineOf(k))
		}
		return p.print(lines)
	}
	k, err := provider.Find(c.Name)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	detail := kindDetail{kindLine: lineOf(k)}
	for _, f := range k.Fields() {
		detail.Fields = append(detail.Fields, kindField{f.Name, f.Type, f.Help, f.Default, f.OneOf, f.Required, f.Secret})
	}
	return p.print(detail)
}

func lineOf(k provider.Kind) kindLine {
	line := kindLine{Name: k.Name, Doc: k.Doc}
	for _, channel := range k.Channels {
		line.Channels = append(line.Channels, string(channel))
	}
	return line
}

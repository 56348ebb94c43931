package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/otpost/otpost/internal/registry"
)

type applyCommand struct {
	File     string `short:"f" required:"" placeholder:"PATH|-" help:"File of settings, - for the input."`
	DryRun   bool   `help:"Show what would change, and change nothing."`
	Prune    bool   `help:"Delete what the file does not name, of every kind that it has a list for."`
	Detailed bool   `name:"detailed-exitcode" help:"With --dry-run: exit code 0 for nothing to change, 2 for changes, 1 for every failure."`

	targetFlags
}

// Help is the detail under --help.
func (*applyCommand) Help() string {
	return `Makes providers, routes, policies and the like what a YAML file says, all or none. A repeat changes nothing and says so. Secrets are written as env:NAME or file:PATH and are read here; the server follows no reference.

` + targetHelp + `

Example:

	otpost apply -f settings.yaml --dry-run
	otpost apply -f settings.yaml`
}

// applied is what came of it.
type applied struct {
	settingsChange
	DryRun bool `json:"dry_run"`
}

// WriteText writes what changes, one document after the other.
func (a applied) WriteText(w io.Writer) {
	counts := map[registry.Action]int{}
	for _, d := range a.Changes {
		counts[d.Action]++
		writeDifference(w, d)
	}
	switch {
	case !a.Changed:
		fmt.Fprintln(w, "nothing to change")
	case a.DryRun:
		fmt.Fprintf(w, "would create %d, change %d and delete %d\n", counts[registry.Create], counts[registry.Update], counts[registry.Delete])
	default:
		fmt.Fprintf(w, "created %d, changed %d and deleted %d\n", counts[registry.Create], counts[registry.Update], counts[registry.Delete])
	}
}

func writeDifference(w io.Writer, d registry.Difference) {
	sign := map[registry.Action]string{registry.Create: "+", registry.Update: "~", registry.Delete: "-"}[d.Action]
	fmt.Fprintf(w, "%s %s %s\n", sign, inert(string(d.Kind)), inert(d.Name))
	for _, warning := range d.Warnings {
		fmt.Fprintf(w, "    ! %s\n", inert(warning))
	}
	if d.Action == registry.Delete {
		return
	}
	for _, f := range d.Fields {
		switch {
		case d.Action == registry.Create:
			fmt.Fprintf(w, "    %s: %s\n", inert(f.Path), inert(f.New))
		case f.Old == "":
			fmt.Fprintf(w, "    + %s: %s\n", inert(f.Path), inert(f.New))
		case f.New == "":
			fmt.Fprintf(w, "    - %s: %s\n", inert(f.Path), inert(f.Old))
		default:
			fmt.Fprintf(w, "    ~ %s: %s -> %s\n", inert(f.Path), inert(f.Old), inert(f.New))
		}
	}
}

// Run applies the file.
func (c *applyCommand) Run(ctx context.Context, p *Program) error {
	if c.Detailed && !c.DryRun {
		return usageErrorf("--detailed-exitcode is for --dry-run")
	}
	err := c.apply(ctx, p)
	var exit quietExit
	if c.Detailed && err != nil && !errors.As(err, &exit) {
		return &exitError{exitFailed, err}
	}
	return err
}

func (c *applyCommand) apply(ctx context.Context, p *Program) error {
	file, err := readSettingsFile(p, c.File, "")
	if err != nil {
		return err
	}
	target, err := c.target(p)
	if err != nil {
		return err
	}
	for _, warning := range file.warnings {
		p.warn(warning)
	}
	var prune []string
	if c.Prune {
		prune = file.kinds
	}
	result := applied{DryRun: c.DryRun}
	if result.settingsChange, err = target.change(ctx, file.set, prune, c.DryRun); err != nil {
		return file.placed(err)
	}
	if result.Changes == nil {
		result.Changes = registry.Diff{}
	}
	if err := p.print(result); err != nil {
		return err
	}
	if c.Detailed && result.Changed {
		return quietExit(2)
	}
	return nil
}

// readSettingsFile reads a file, or the input for -. only is the one kind that is wanted, empty for all.
func readSettingsFile(p *Program, path string, only registry.Kind) (*settingsFile, error) {
	file := &settingsFile{path: path, folder: filepath.Dir(path), getenv: p.getenv, only: only}
	var text []byte
	var err error
	if path == "-" {
		file.path, file.folder = "input", "."
		text, err = io.ReadAll(p.Stdin)
	} else {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, usageErrorf("read settings: %w", err)
	}
	return file, file.read(text)
}

// placed puts the lines of the file before what a server says about its documents.
func (f *settingsFile) placed(err error) error {
	var invalid *invalidSettings
	if !errors.As(err, &invalid) {
		return err
	}
	lines := make([]string, len(invalid.faults))
	for i, fault := range invalid.faults {
		lines[i] = fault.String()
		if line, ok := f.where(fault.about(), fault.Field); ok {
			lines[i] = fmt.Sprintf("%s:%d: %s", f.path, line, lines[i])
		}
	}
	return &exitError{exitRefused, severalWrong(lines)}
}

// warn writes a warning on the error stream.
func (p *Program) warn(text string) {
	if p.output == "json" {
		line, _ := json.Marshal(map[string]string{"warning": text}) // a string always marshals
		fmt.Fprintln(p.Stderr, string(line))
		return
	}
	fmt.Fprintf(p.Stderr, "otpost: warning: %s\n", text)
}

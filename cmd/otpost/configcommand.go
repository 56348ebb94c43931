package main

import (
	"fmt"
	"io"

	"github.com/otpost/otpost/internal/config"
)

type configCommand struct {
	Show    configShowCommand    `cmd:"" default:"withargs" help:"Show the effective settings and where each came from; secrets are masked."`
	Example configExampleCommand `cmd:"" help:"Print a documented configuration file with every default."`
}

// Help is the detail under --help.
func (*configCommand) Help() string {
	return `Example:

	otpost config
	otpost config example > otpost.yaml`
}

type configShowCommand struct {
	Settings settingsFlags `embed:""`
}

// Help is the detail under --help.
func (*configShowCommand) Help() string {
	return `Reads what serve would read, with the same flags, and reports everything that is wrong with it.

Example:

	OTPOST_LISTEN=:8081 otpost config`
}

// Run shows the effective settings.
func (c *configShowCommand) Run(p *Program) error {
	settings, err := c.Settings.load(p)
	if err != nil {
		return err
	}
	return p.print(effective{settings})
}

// effective is the settings as a result.
type effective struct{ settings *config.Config }

// WriteText writes a table.
func (e effective) WriteText(w io.Writer) {
	_ = e.settings.Write(w) // it writes to a buffer
}

type entry struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
	Origin string `json:"origin"`
}

// MarshalJSON writes a list with one object for each setting.
func (e effective) MarshalJSON() ([]byte, error) {
	var entries []entry
	for _, s := range e.settings.Entries() {
		entries = append(entries, entry{s.Name, s.Value, string(s.Origin.Source), s.Origin.String()})
	}
	return marshal(entries)
}

type configExampleCommand struct{}

// Help is the detail under --help.
func (*configExampleCommand) Help() string {
	return `Every line is commented out, so the file changes nothing until it is edited.

Example:

	otpost config example > otpost.yaml`
}

// Run prints the documented file.
func (*configExampleCommand) Run(p *Program) error {
	if p.output == "json" {
		return p.print(settingList(config.Settings()))
	}
	if err := config.WriteExample(p.Stdout); err != nil {
		return fmt.Errorf("write example: %w", err)
	}
	return nil
}

// settingList is the documentation of the settings as a result.
type settingList []config.Setting

// WriteText is not used: as text, the example is a file.
func (settingList) WriteText(io.Writer) {}

type documented struct {
	Name     string   `json:"name"`
	Group    string   `json:"group"`
	Env      string   `json:"env"`
	Flag     string   `json:"flag,omitempty"`
	Default  string   `json:"default"`
	Choices  []string `json:"choices,omitempty"`
	Secret   bool     `json:"secret,omitempty"`
	Document string   `json:"documentation"`
}

// MarshalJSON writes a list with one object for each setting.
func (l settingList) MarshalJSON() ([]byte, error) {
	var all []documented
	for _, s := range l {
		flag := ""
		if !s.App {
			flag = "--" + s.Flag
		}
		all = append(all, documented{s.Name, s.Group, s.Env, flag, s.Default, s.Choices, s.Secret, s.Doc})
	}
	return marshal(all)
}

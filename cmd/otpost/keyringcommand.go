package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
)

// RingKey is one key of the key ring, without its secret.
type RingKey struct {
	ID string `json:"id"`
	// State is older, primary or staged.
	State string `json:"state"`
}

// KeyRing is what the key ring holds, oldest key first.
type KeyRing struct {
	Keys []RingKey `json:"keys"`
	// Next is what to do now, empty when nothing is.
	Next string `json:"next,omitempty"`
}

// WriteText writes a table, and what to do now.
func (r KeyRing) WriteText(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSTATE")
	for _, k := range r.Keys {
		fmt.Fprintf(table, "%s\t%s\n", k.ID, k.State)
	}
	_ = table.Flush() // it writes to a buffer
	if r.Next != "" {
		fmt.Fprintln(w, "\nNext: "+r.Next)
	}
}

// What follows each step of a rotation.
const (
	afterStage  = "give this file to every node and restart each; when all run with it, otpost keyring rotate"
	afterRotate = "give this file to every node, restart each, and back it up again; the older keys stay in it"
)

type keyringCommand struct {
	List   keyringListCommand   `cmd:"" help:"List the keys of the key ring; their secrets are not shown."`
	Stage  keyringStageCommand  `cmd:"" help:"Begin a rotation: add a key that nothing is made under yet."`
	Rotate keyringRotateCommand `cmd:"" help:"End a rotation: make the staged key the primary one."`
}

// Help is the detail under --help.
func (*keyringCommand) Help() string {
	return `A rotation takes two steps, so that no node meets what it cannot read. Keys are never taken out: what was made under them is still read.

Example:

	otpost keyring stage       # then give the file to every node and restart each
	otpost keyring rotate      # then the same again`
}

type keyringListCommand struct {
	Settings settingsFlags `embed:""`
}

// Help is the detail under --help.
func (*keyringListCommand) Help() string {
	return `Example:

	otpost keyring list --keys /var/lib/otpost/otpost.keys`
}

// Run lists the keys.
func (c *keyringListCommand) Run(_ context.Context, p *Program) error {
	return p.keyRing(&c.Settings, func(string) error { return nil }, "")
}

type keyringStageCommand struct {
	Settings settingsFlags `embed:""`
}

// Help is the detail under --help.
func (*keyringStageCommand) Help() string {
	return `The file is replaced as a whole; a running server keeps to the keys it began with. A ring that has a staged key is left as it is.

Example:

	otpost keyring stage --keys /var/lib/otpost/otpost.keys`
}

// Run adds a key.
func (c *keyringStageCommand) Run(_ context.Context, p *Program) error {
	return p.keyRing(&c.Settings, p.StageKey, afterStage)
}

type keyringRotateCommand struct {
	Settings settingsFlags `embed:""`
}

// Help is the detail under --help.
func (*keyringRotateCommand) Help() string {
	return `Run it once every node has the ring with the staged key. The file is replaced as a whole; a running server keeps to the keys it began with.

Example:

	otpost keyring rotate --keys /var/lib/otpost/otpost.keys`
}

// Run makes the staged key the primary one.
func (c *keyringRotateCommand) Run(_ context.Context, p *Program) error {
	return p.keyRing(&c.Settings, p.RotateKey, afterRotate)
}

// keyRing changes the ring file that the settings name and shows what it holds then.
func (p *Program) keyRing(flags *settingsFlags, change func(path string) error, next string) error {
	if change == nil || p.RingKeys == nil {
		return errMissing
	}
	settings, err := flags.load(p)
	if err != nil {
		return err
	}
	if err := change(settings.Keys); err != nil {
		return err
	}
	keys, err := p.RingKeys(settings.Keys)
	if err != nil {
		return err
	}
	return p.print(KeyRing{Keys: keys, Next: next})
}

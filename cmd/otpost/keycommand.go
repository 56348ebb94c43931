package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// NewKey is a key that was just made: the only time it can be seen.
type NewKey struct {
	ID          string `json:"id"`
	Application string `json:"application"`
	Key         string `json:"key"`
}

// WriteText writes the key alone, so that it can be put straight into a file.
func (k NewKey) WriteText(w io.Writer) { fmt.Fprintln(w, k.Key) }

// KeyLine is a key in a list.
type KeyLine struct {
	ID          string    `json:"id"`
	Application string    `json:"application"`
	CreatedAt   time.Time `json:"created_at"`
	// RevokedAt is zero while the key works.
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

type keyLines []KeyLine

// WriteText writes a table.
func (lines keyLines) WriteText(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tAPPLICATION\tCREATED\tREVOKED")
	for _, k := range lines {
		revoked := "-"
		if !k.RevokedAt.IsZero() {
			revoked = k.RevokedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", k.ID, k.Application, k.CreatedAt.UTC().Format(time.RFC3339), revoked)
	}
	_ = table.Flush() // it writes to a buffer
}

type keyCommand struct {
	Create keyCreateCommand `cmd:"" help:"Create a key for an application and print it, once."`
	List   keyListCommand   `cmd:"" help:"List the keys; the keys themselves are not kept."`
	Revoke keyRevokeCommand `cmd:"" help:"Revoke a key at once."`
}

// Help is the detail under --help.
func (*keyCommand) Help() string {
	return `Example:

	otpost key create --application shop > shop.key
	otpost key list
	otpost key revoke key_01jd5k2m3n4p5q6r7s8t9v0w1x`
}

type keyCreateCommand struct {
	Application string        `required:"" placeholder:"NAME" help:"Application that calls with the key. It is made if there is none of this name."`
	Domain      string        `placeholder:"HOST" help:"Host that the last line of the application's messages binds the code to."`
	Settings    settingsFlags `embed:""`
}

// Help is the detail under --help.
func (*keyCreateCommand) Help() string {
	return `The key is printed on a line of its own and cannot be shown again. Run it against the database the server uses.

Example:

	otpost key create --application shop --domain shop.example.com > shop.key`
}

// Run makes a key.
func (c *keyCreateCommand) Run(ctx context.Context, p *Program) error {
	if p.CreateKey == nil {
		return errMissing
	}
	settings, err := c.Settings.load(p)
	if err != nil {
		return err
	}
	key, err := p.CreateKey(ctx, settings, c.Application, c.Domain)
	if err != nil {
		return err
	}
	return p.print(key)
}

type keyListCommand struct {
	Settings settingsFlags `embed:""`
}

// Help is the detail under --help.
func (*keyListCommand) Help() string {
	return `Example:

	otpost key list --output json`
}

// Run lists the keys.
func (c *keyListCommand) Run(ctx context.Context, p *Program) error {
	if p.ListKeys == nil {
		return errMissing
	}
	settings, err := c.Settings.load(p)
	if err != nil {
		return err
	}
	lines, err := p.ListKeys(ctx, settings)
	if err != nil {
		return err
	}
	return p.print(keyLines(lines))
}

type keyRevokeCommand struct {
	ID       string        `arg:"" name:"id" help:"Id of the key, as key list shows it."`
	Settings settingsFlags `embed:""`
}

// Help is the detail under --help.
func (*keyRevokeCommand) Help() string {
	return `Example:

	otpost key revoke key_01jd5k2m3n4p5q6r7s8t9v0w1x`
}

type keyRevoked struct {
	ID      string `json:"id"`
	Revoked bool   `json:"revoked"`
}

// WriteText confirms it.
func (r keyRevoked) WriteText(w io.Writer) { fmt.Fprintf(w, "%s is revoked\n", r.ID) }

// Run revokes a key.
func (c *keyRevokeCommand) Run(ctx context.Context, p *Program) error {
	if p.RevokeKey == nil {
		return errMissing
	}
	settings, err := c.Settings.load(p)
	if err != nil {
		return err
	}
	if err := p.RevokeKey(ctx, settings, c.ID); err != nil {
		return err
	}
	return p.print(keyRevoked{ID: c.ID, Revoked: true})
}

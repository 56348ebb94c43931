package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// NewKey is a key that was just made: the only time it can be seen.
type NewKey struct {
	ID string `json:"id"`
	// Application is empty for a key of none.
	Application string `json:"application"`
	Admin       bool   `json:"admin,omitempty"`
	Key         string `json:"key"`
}

// KeyRequest is what a key is made for.
type KeyRequest struct {
	// Application may be empty for an Admin key; Domain may be empty.
	Application, Domain string
	// Admin keys may change settings.
	Admin bool
}

// WriteText writes the key alone, so that it can be put straight into a file.
func (k NewKey) WriteText(w io.Writer) { fmt.Fprintln(w, k.Key) }

// KeyLine is a key in a list.
type KeyLine struct {
	ID          string    `json:"id"`
	Application string    `json:"application"`
	Admin       bool      `json:"admin,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	// RevokedAt is zero while the key works.
	RevokedAt time.Time `json:"revoked_at,omitzero"`
}

type keyLines []KeyLine

// WriteText writes a table.
func (lines keyLines) WriteText(w io.Writer) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tAPPLICATION\tADMIN\tCREATED\tREVOKED")
	for _, k := range lines {
		revoked := "-"
		if !k.RevokedAt.IsZero() {
			revoked = k.RevokedAt.UTC().Format(time.RFC3339)
		}
		admin := "-"
		if k.Admin {
			admin = "yes"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", k.ID, cmp.Or(k.Application, "-"), admin, k.CreatedAt.UTC().Format(time.RFC3339), revoked)
	}
	_ = table.Flush() // it writes to a buffer
}

type keyCommand struct {
	Create keyCreateCommand `cmd:"" help:"Create a key and print it, once."`
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
	Application string        `placeholder:"NAME" help:"Application that calls with the key. It is made if there is none of this name."`
	Admin       bool          `help:"Let the key see and change settings. Without --application it can do nothing else."`
	Domain      string        `placeholder:"HOST" help:"Host that the last line of the application's messages binds the code to."`
	Settings    settingsFlags `embed:""`
}

// Help is the detail under --help.
func (*keyCreateCommand) Help() string {
	return `The key is printed on a line of its own and cannot be shown again. Run it against the database the server uses.

Example:

	otpost key create --application shop --domain shop.example.com > shop.key
	otpost key create --admin > admin.key`
}

// Run makes a key.
func (c *keyCreateCommand) Run(ctx context.Context, p *Program) error {
	if p.CreateKey == nil {
		return errMissing
	}
	if c.Application == "" && !c.Admin {
		return usageErrorf("missing flags: --application=NAME, or --admin for a key that changes settings")
	}
	if c.Application == "" && c.Domain != "" {
		return usageErrorf("--domain is an application's; name it by --application")
	}
	settings, err := c.Settings.load(p)
	if err != nil {
		return err
	}
	key, err := p.CreateKey(ctx, settings, KeyRequest{c.Application, c.Domain, c.Admin})
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

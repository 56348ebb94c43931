package main

import (
	"context"
	"fmt"
	"io"
)

// Migrated says what a migration did.
type Migrated struct {
	// From and To are numbers of schema versions, 0 for an empty database.
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// WriteText says it in words.
func (m Migrated) WriteText(w io.Writer) {
	if m.From == m.To {
		fmt.Fprintf(w, "schema is up to date at version %d\n", m.To)
		return
	}
	fmt.Fprintf(w, "schema went from version %d to %d\n", m.From, m.To)
}

type migrateCommand struct {
	Settings settingsFlags `embed:""`
}

// Help is the detail under --help.
func (*migrateCommand) Help() string {
	return `The server does the same when it starts; run this before a release to do it in a step of its own. The schema works with the previous release too.

Example:

	otpost migrate --database postgres://otpost@db.internal/otpost`
}

// Run brings the schema up to date.
func (c *migrateCommand) Run(ctx context.Context, p *Program) error {
	if p.Migrate == nil {
		return errMissing
	}
	settings, err := c.Settings.load(p)
	if err != nil {
		return err
	}
	migrated, err := p.Migrate(ctx, settings)
	if err != nil {
		return err
	}
	return p.print(migrated)
}

package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/compose"
	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/locale"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/registry"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
)

// withStore runs f with the database that the settings name, beside a server that may be running on it.
func withStore(ctx context.Context, c *config.Config, f func(*store.DB) error) error {
	ring, _, err := seal.Open(c.Keys)
	if err != nil {
		return err
	}
	db, err := openStore(ctx, c, ring, store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	return f(db)
}

// withSettings runs f with the documents of the database that the settings name. What cannot be used is not complained of
// here: whoever changes it is told.
func withSettings(ctx context.Context, c *config.Config, f func(*registry.Registry) error) error {
	return withStore(ctx, c, func(db *store.DB) error {
		catalogues, err := locale.Open()
		if err != nil {
			return err
		}
		composer := &compose.Composer{Catalogues: catalogues, Language: c.DefaultLanguage, Now: clock}
		r, err := openRegistry(ctx, c, db, composer, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		composer.Templates = func(compose.Content) []*compose.Template { return r.Current().Templates() }
		return errors.Join(f(r), r.Close())
	})
}

func migrate(ctx context.Context, c *config.Config) (m Migrated, err error) {
	ring, _, err := seal.Open(c.Keys)
	if err != nil {
		return m, err
	}
	db, err := store.Open(ctx, databaseURL(c), ring, store.Options{})
	if err != nil {
		return m, err
	}
	defer db.Close()
	if m.From, _, err = db.Version(ctx); err != nil {
		return m, err
	}
	if _, err := db.Migrate(ctx); err != nil {
		return m, err
	}
	m.To, _, err = db.Version(ctx)
	return m, err
}

func createKey(ctx context.Context, c *config.Config, r KeyRequest) (made NewKey, err error) {
	err = withStore(ctx, c, func(db *store.DB) error {
		keys := &access.Keys{Store: db, Now: now, NewID: outbox.NewID}
		key, caller, err := keys.Make(ctx, access.Request{Tenant: tenant, Application: r.Application, Domain: r.Domain, Admin: r.Admin})
		made = NewKey{ID: caller.Key, Application: caller.Application.Name, Admin: caller.Admin, Key: key}
		return err
	})
	return made, err
}

func listKeys(ctx context.Context, c *config.Config) (lines []KeyLine, err error) {
	err = withStore(ctx, c, func(db *store.DB) error {
		keys, err := db.Keys(ctx)
		for _, k := range keys {
			lines = append(lines, KeyLine{ID: k.ID, Application: k.Application.Name, Admin: k.Admin, CreatedAt: k.CreatedAt, RevokedAt: k.RevokedAt})
		}
		return err
	})
	return lines, err
}

func revokeKey(ctx context.Context, c *config.Config, id string) error {
	return withStore(ctx, c, func(db *store.DB) error {
		found, err := db.RevokeKey(ctx, id, time.Now())
		if err == nil && !found {
			return ErrNoSuchKey
		}
		return err
	})
}

func ringKeys(path string) (lines []RingKey, err error) {
	keys, err := seal.Keys(path)
	for _, k := range keys {
		lines = append(lines, RingKey{ID: k.ID, State: string(k.State)})
	}
	return lines, err
}

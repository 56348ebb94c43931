package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/doctor"
	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/provider"
	"github.com/otpost/otpost/internal/registry"
	"github.com/otpost/otpost/internal/seal"
	"github.com/otpost/otpost/internal/store"
	"github.com/otpost/otpost/internal/suggest"
)

// examine looks at what the settings name, or at one provider alone. It changes nothing: neither a database nor a key ring
// is made, and the schema is left as it is.
func examine(ctx context.Context, c *config.Config, name string, told func(string, int)) (doctor.Report, error) {
	return examineBy(ctx, c, nil, name, told)
}

// examineBy is examine with a resolver of its own.
func examineBy(ctx context.Context, c *config.Config, resolver *net.Resolver, name string, told func(string, int)) (doctor.Report, error) {
	x := &examination{settings: c, doctor: doctor.Doctor{Resolver: resolver, Now: clock, PublicURL: c.PublicURL != nil}}
	defer x.close()
	x.look("key ring", x.openRing())
	x.look("database", x.openDatabase(ctx))
	x.doctor.Unread = x.db == nil && !x.databaseIsMissing()
	if err := x.openProviders(ctx); err != nil {
		return doctor.Report{}, err
	}
	if name != "" {
		report, ok := x.doctor.ExamineProvider(ctx, name, told)
		if !ok {
			return report, x.unknown(name)
		}
		return report, nil
	}
	if c.B2CPolicies != "" {
		x.look("B2C policies", policyFindings(c))
	}
	if c.EntraEnabled() {
		x.doctor.First = append(x.doctor.First, doctor.Look{Name: "Entra", At: x.entra})
	}
	return x.doctor.Examine(ctx, told), nil
}

// examination is what has been opened so far. What could not be is nil.
type examination struct {
	settings *config.Config
	ring     *seal.Ring
	db       *store.DB
	registry *registry.Registry
	doctor   doctor.Doctor
}

func (x *examination) close() {
	if x.registry != nil {
		x.registry.Close()
	}
	if x.db != nil {
		x.db.Close()
	}
}

// look keeps what was found at once, to be told before all else.
func (x *examination) look(name string, found []provider.Finding) {
	x.doctor.First = append(x.doctor.First, doctor.Look{Name: name, At: func(context.Context) []provider.Finding { return found }})
}

func (x *examination) unknown(name string) error {
	var names []string
	for _, p := range x.doctor.Providers {
		names = append(names, p.Name)
	}
	err := fmt.Errorf("--provider: unknown provider %q%s", name, suggest.For(name, names))
	if x.db == nil {
		err = fmt.Errorf("%w; the database could not be read, so only those of the settings are known", err)
	}
	return &exitError{exitUsage, err}
}

func found(subject string, verdict provider.FindingVerdict, what, do string) []provider.Finding {
	return []provider.Finding{{Subject: subject, Verdict: verdict, Found: what, Do: do}}
}

// openRing opens the key ring if there is one; who serves makes one.
func (x *examination) openRing() []provider.Finding {
	path := x.settings.Keys
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if x.databaseIsMissing() {
			return found("file", provider.Doubtful, "There is none at "+path+".", "Nothing, if otpost has never run here: serve makes one. Otherwise point keys at it.")
		}
		return found("file", provider.Bad, "There is none at "+path+".", "Point the setting keys at the file that the database is written with; without it no passcode can be verified.")
	}
	ring, _, err := seal.Open(path)
	if err == nil {
		err = tryRing(ring)
	}
	if err != nil {
		return found("file", provider.Bad, sentence(err), "Let the file be the one that was backed up, readable to this user alone.")
	}
	x.ring = ring
	return found("file", provider.Good, "It opens, and seals and opens what it is given.", "")
}

func (x *examination) databaseIsMissing() bool {
	if x.settings.Database.Driver != config.SQLite {
		return false
	}
	_, err := os.Stat(x.settings.Database.Source)
	return errors.Is(err, fs.ErrNotExist)
}

// openDatabase opens the database if there is one, and a key ring that it may be read with.
func (x *examination) openDatabase(ctx context.Context) []provider.Finding {
	switch {
	case x.databaseIsMissing():
		return found("file", provider.Doubtful, "There is none at "+x.settings.Database.Source+".", "Nothing, if otpost has never run here: serve makes one. Otherwise check the setting database.")
	case x.ring == nil:
		return found("connection", provider.Doubtful, "It was not looked at, for want of the key ring.", "See above.")
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	db, err := store.Open(ctx, databaseURL(x.settings), x.ring, store.Options{})
	if err != nil {
		return found("connection", provider.Bad, sentence(err), "Check the setting database, and that this machine may connect to it.")
	}
	have, want, err := db.Version(ctx)
	if err == nil && have >= want {
		err = db.KnowsRing(ctx, x.ring)
	}
	switch {
	case err != nil:
		db.Close()
		do := "Check the setting database, and that its user may read and write."
		if errors.Is(err, store.ErrOtherRing) {
			do = "Point the setting keys at the file that this database is written with."
		}
		return found("connection", provider.Bad, sentence(err), do)
	case have < want:
		db.Close()
		return found("schema", provider.Doubtful, fmt.Sprintf("It is at version %d and this program has %d, so what is in it was not looked at.", have, want),
			"Start otpost serve, or run otpost migrate.")
	}
	x.db = db
	list := found("connection", provider.Good, "It answers, has this program's schema, and is written with the key ring.", "")
	if x.settings.Database.Driver == config.SQLite && onNetwork(x.settings.Database.Source) {
		list = append(list, found("file system", provider.Bad, "The file lies on a network file system, where locks do not hold: the database will be damaged.",
			"Move it to a local disk, or use PostgreSQL.")...)
	}
	return list
}

// openProviders opens the providers of the settings, and those in the database where it could be opened.
func (x *examination) openProviders(ctx context.Context) error {
	wrong := &leftOut{}
	s := &server{settings: x.settings, log: slog.New(slog.DiscardHandler)}
	composer, err := s.openComposer()
	if err != nil {
		return err
	}
	settings, err := registrySettings(x.settings, x.db, composer, slog.New(wrong))
	if err != nil {
		return err
	}
	settings.Environment.Resolver = x.doctor.Resolver
	if x.db == nil {
		settings.Store = noDocuments{}
	}
	if x.registry, err = registry.Open(ctx, settings); err != nil {
		return err
	}
	s.registry = x.registry
	if len(wrong.found) > 0 {
		x.look("settings in the database", wrong.found)
	}
	return x.listProviders(ctx)
}

func (x *examination) listProviders(ctx context.Context) error {
	down := map[string]time.Time{}
	if x.db != nil {
		var err error
		if down, err = x.db.Breakers(ctx); err != nil {
			return err
		}
	}
	snapshot := x.registry.Current()
	for _, p := range snapshot.ListProviders() {
		x.doctor.Providers = append(x.doctor.Providers, patientOf(x.registry, p, down[p.Name]))
	}
	for _, r := range snapshot.ListRoutes() {
		x.doctor.Routes = append(x.doctor.Routes, doctor.Route{Name: r.Name, Channel: r.Channel, Providers: r.Providers, Everything: r.Everything})
	}
	return nil
}

// patientOf is a provider in the words of package doctor.
func patientOf(r *registry.Registry, p registry.ListedProvider, down time.Time) doctor.Provider {
	sender, _ := r.Sender(p.Name)
	_, reports := r.Receipts(p.Name)
	return doctor.Provider{Name: p.Name, Kind: p.Kind, Settings: p.Kind.Public(p.Settings), Sender: sender, Disabled: p.Disabled, Events: p.Events,
		Reports: reports, DownUntil: down}
}

// entra looks whether the keys that sign events can be loaded, and at who the events must be for.
func (x *examination) entra(ctx context.Context) []provider.Finding {
	trust := trustOf(x.settings, nil, slog.New(slog.DiscardHandler))
	for i := range trust.Issuers {
		trust.Issuers[i].Lazy = false // who is asked only when a token comes is asked now
	}
	verifier, err := extension.NewVerifier(trust)
	if err != nil {
		return found("settings", provider.Bad, sentence(err), "Correct the settings that begin with entra_.")
	}
	list := found("token keys", provider.Good, "The metadata and the keys of the tenant can be loaded.", "")
	if err := verifier.Load(ctx); err != nil {
		const do = "Check entra_tenant_id, entra_subdomain and entra_issuers, and that this machine may connect to login.microsoftonline.com and ciamlogin.com."
		list = found("token keys", provider.Bad, sentence(err), do)
		if verifier.Ready() == nil { // a tenant's issuers are alternatives
			list[0].Verdict = provider.Doubtful
		}
	}
	return append(list, x.audience()...)
}

// audience compares what tokens must be for with what Entra demands of a v1 token: api://HOST/ID, with the host of the
// extension's URL (custom-extension-overview, "Protect your REST API").
func (x *examination) audience() []provider.Finding {
	const subject = "audience"
	for _, audience := range x.settings.EntraAudience {
		host, _, isURI := strings.Cut(strings.TrimPrefix(audience, "api://"), "/")
		if !isURI || !strings.HasPrefix(audience, "api://") {
			continue
		}
		if public := x.settings.PublicURL; public != nil && host != public.Host {
			return found(subject, provider.Doubtful, "entra_audience names the host "+host+", and public_url "+public.Host+".",
				"Let both name the host at which Entra calls otpost; Entra refuses an extension whose two names differ.")
		}
		return found(subject, provider.Good, "Tokens must be for the application at "+host+".", "")
	}
	if x.settings.PublicURL == nil {
		return found(subject, provider.Doubtful, "public_url is not set, so tokens whose audience is api://HOST/ID are refused.", "Set public_url to the address at which Entra calls otpost.")
	}
	return found(subject, provider.Good, "Tokens must be for the application, by its id or at "+x.settings.PublicURL.Host+".", "")
}

// sentence makes a sentence of an error.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + strings.TrimSuffix(text[1:], ".") + "."
}

// leftOut takes from the log which stored settings cannot be used.
type leftOut struct{ found []provider.Finding }

func (l *leftOut) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }
func (l *leftOut) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *leftOut) WithGroup(string) slog.Handler                    { return l }

// Handle implements slog.Handler.
func (l *leftOut) Handle(_ context.Context, r slog.Record) error {
	said := map[string]string{}
	r.Attrs(func(a slog.Attr) bool {
		said[a.Key] = a.Value.String()
		return true
	})
	l.found = append(l.found, provider.Finding{Subject: said["kind"] + " " + said["name"], Verdict: provider.Bad,
		Found: "It cannot be used and is left out: " + said["problem"] + ".", Do: "Correct it with otpost apply."})
	return nil
}

// noDocuments stands for a database that cannot be read.
type noDocuments struct{ registry.Store }

// Documents implements registry.Store.
func (noDocuments) Documents(context.Context, string) ([]registry.Document, int64, error) {
	return nil, 0, nil
}

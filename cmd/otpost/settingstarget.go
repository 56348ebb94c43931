package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/registry"
)

// settingsChange is what a change of settings came to, as the API answers it.
type settingsChange struct {
	Changed bool          `json:"changed"`
	Changes registry.Diff `json:"changes"`
}

// settingsTarget is where documents are: behind a server, or in the database itself.
type settingsTarget interface {
	export(ctx context.Context) (json.RawMessage, error)
	// change returns *invalidSettings for documents that cannot be used. prune are plural names of kinds.
	change(ctx context.Context, set json.RawMessage, prune []string, dryRun bool) (settingsChange, error)
	// preview renders a template, the stored one when body is nil, in every language when that is empty. It returns
	// *invalidSettings for a body that cannot be read.
	preview(ctx context.Context, name string, body json.RawMessage, language string) ([]registry.Rendering, error)
	// providers says how every provider is doing.
	providers(ctx context.Context) ([]registry.ProviderState, error)
}

// targetFlags say where documents are.
type targetFlags struct {
	clientFlags
	Settings settingsFlags `embed:""`
}

const targetHelp = `With --url or OTPOST_URL it goes to a running server, with an admin key (otpost key create --admin). Without, it goes straight to the database that the settings name; a server that runs on it follows within two seconds.`

// target takes the server if one is named, else the database.
func (f *targetFlags) target(p *Program) (settingsTarget, error) {
	if f.URL != "" || f.Key != "" || p.getenv("OTPOST_URL") != "" {
		server, err := f.client(p)
		return serverSettings{server}, err
	}
	if p.WithSettings == nil {
		return nil, errMissing
	}
	settings, err := f.Settings.load(p)
	return databaseSettings{p, settings}, err
}

// invalidSettings says what is wrong with documents.
type invalidSettings struct{ faults []documentFault }

// documentFault is one thing that is wrong, as a problem document names it.
type documentFault struct{ Kind, Name, Field, Detail string }

// about is the document in words, empty when it is none.
func (d documentFault) about() string { return strings.TrimSpace(d.Kind + " " + d.Name) }

func (d documentFault) String() string {
	var parts []string
	for _, part := range []string{d.about(), d.Field, d.Detail} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return inert(strings.Join(parts, ": "))
}

func (i *invalidSettings) Error() string {
	lines := make([]string, len(i.faults))
	for n, fault := range i.faults {
		lines[n] = fault.String()
	}
	return severalWrong(lines).Error()
}

// serverSettings are behind the API.
type serverSettings struct{ *client }

func (s serverSettings) export(ctx context.Context) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.get(ctx, "/v1/config")
}

func (s serverSettings) change(ctx context.Context, set json.RawMessage, prune []string, dryRun bool) (c settingsChange, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	path := "/v1/config"
	if dryRun {
		path += ":plan"
	}
	if len(prune) > 0 {
		path += "?prune=" + url.QueryEscape(strings.Join(prune, ","))
	}
	answer, err := s.post(ctx, path, set)
	if err != nil {
		return c, faultsOf(err)
	}
	return c, decode(answer, &c)
}

// faultsOf is an error that names documents at fault as *invalidSettings, and any other as it is.
func faultsOf(err error) error {
	var refused *problem
	if errors.As(err, &refused) && len(refused.Errors) > 0 {
		return &exitError{exitRefused, &invalidSettings{refused.Errors}}
	}
	var invalid *registry.Invalid
	if errors.As(err, &invalid) {
		faults := &invalidSettings{}
		for _, p := range invalid.Problems {
			faults.faults = append(faults.faults, documentFault{string(p.Kind), p.Name, p.Place, p.Message})
		}
		return &exitError{exitRefused, faults}
	}
	return err
}

func (s serverSettings) preview(ctx context.Context, name string, body json.RawMessage, language string) ([]registry.Rendering, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	path := "/v1/templates/" + url.PathEscape(name) + "/preview"
	if language != "" {
		path += "?language=" + url.QueryEscape(language)
	}
	var in io.Reader
	if body != nil {
		in = bytes.NewReader(body)
	}
	answer, err := s.ask(ctx, http.MethodPost, path, in)
	if err != nil {
		return nil, faultsOf(err)
	}
	var shown previewed
	err = decode(answer, &shown)
	return shown.Renderings, err
}

func (s serverSettings) providers(ctx context.Context) ([]registry.ProviderState, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answer, err := s.get(ctx, "/v1/provider-states")
	if err != nil {
		return nil, err
	}
	var all struct {
		States []registry.ProviderState `json:"provider_states"`
	}
	err = decode(answer, &all)
	return all.States, err
}

// databaseSettings are in the database that the settings name.
type databaseSettings struct {
	program  *Program
	settings *config.Config
}

func (d databaseSettings) export(ctx context.Context) (text json.RawMessage, err error) {
	err = d.program.WithSettings(ctx, d.settings, func(r *registry.Registry) error {
		documents, err := r.Documents(ctx)
		if err == nil {
			text, err = registry.Export(documents)
		}
		return err
	})
	return text, err
}

// commandLineName is who changed settings by the database, as the history shows it.
const commandLineName = "command line"

func (d databaseSettings) change(ctx context.Context, body json.RawMessage, prune []string, dryRun bool) (c settingsChange, err error) {
	err = d.program.WithSettings(ctx, d.settings, func(r *registry.Registry) error {
		set, _, err := registry.ParseSet(body)
		for _, plural := range prune {
			kind, unknown := registry.KindOf(plural)
			set.Prune, err = append(set.Prune, kind), cmp.Or(err, unknown)
		}
		switch {
		case err != nil:
		case dryRun:
			c.Changes, err = r.Plan(ctx, set)
		default:
			c.Changes, err = r.ApplySet(ctx, commandLineName, set)
		}
		c.Changed = len(c.Changes) > 0
		return err
	})
	return c, faultsOf(err)
}

func (d databaseSettings) preview(ctx context.Context, name string, body json.RawMessage, language string) (shown []registry.Rendering, err error) {
	err = d.program.WithSettings(ctx, d.settings, func(r *registry.Registry) error {
		shown, err = r.PreviewTemplate(ctx, name, body, language)
		return err
	})
	var none *registry.NoRenderingError
	if errors.Is(err, registry.ErrNoDocument) || errors.As(err, &none) {
		return nil, &exitError{exitRefused, err}
	}
	return shown, faultsOf(err)
}

func (d databaseSettings) providers(ctx context.Context) (states []registry.ProviderState, err error) {
	err = d.program.WithSettings(ctx, d.settings, func(r *registry.Registry) error {
		states, err = r.ProviderStates(ctx)
		return err
	})
	return states, err
}

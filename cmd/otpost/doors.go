package main

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/otpost/otpost/internal/config"
	"github.com/otpost/otpost/internal/extension"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/front/admin"
	"github.com/otpost/otpost/internal/front/auth0"
	"github.com/otpost/otpost/internal/front/entra"
	inboxdoor "github.com/otpost/otpost/internal/front/inbox"
	receiptsdoor "github.com/otpost/otpost/internal/front/receipts"
	"github.com/otpost/otpost/internal/front/rest"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/store"
)

// public is the handler of the public listener: every door, behind one entrance.
func (s *server) public() (http.Handler, error) {
	mux := http.NewServeMux()
	if err := s.mount(mux); err != nil {
		return nil, err
	}
	c := s.settings
	return front.Entrance{Log: s.log, Level: slog.LevelDebug, Proxies: front.Proxies{Trusted: c.TrustedProxies},
		HSTS: c.PublicURL != nil && c.PublicURL.Scheme == "https", Observe: s.metrics.ObserveRequest, Shell: s.shell}.Handler(mux), nil
}

// mount adds every route of the public listener: every door, on one page. A test holds each route to a table of what
// guards it and what it may ask of the engine.
func (s *server) mount(routes front.Routes) error {
	s.health.Mount(routes)
	s.shell.Mount(routes)
	contract, err := openAPI()
	if err != nil {
		return err
	}
	door := &rest.Handler{Engine: s.engine, Authenticators: s.authenticators, Access: s.keys, Log: s.log, Shell: s.shell, Contract: contract, Now: now}
	if err := door.Mount(routes); err != nil {
		return err
	}
	(&admin.Handler{Registry: s.registry, Suppressions: s.db, Access: s.keys, Log: s.log}).Mount(routes)
	s.trialDoor().Mount(routes)
	(&auth0.Handler{Settings: s.registry, Access: s.keys, From: senderOf(s.settings), Log: s.log}).Mount(routes)
	if s.verifier != nil {
		s.entraDoor().Mount(routes)
	}
	if inboxAllowed(s.settings) {
		door := &inboxdoor.Handler{Messages: keptMessages{s.db}, Shell: s.shell, Log: s.log, Example: exampleRequest}
		if err := door.Mount(routes); err != nil {
			return err
		}
	}
	s.receiptsDoor().Mount(routes)
	if door := s.policyDoor(); door != nil {
		if err := door.Mount(routes); err != nil {
			return err
		}
	}
	return front.Landing{Shell: s.shell, Note: s.note(), Links: s.links()}.Mount(routes)
}

func (s *server) entraDoor() *entra.Handler {
	c := s.settings
	door := &entra.Handler{Engine: s.engine, Verifier: s.verifier, Budget: c.EntraBudget, FunctionKey: c.EntraFunctionKey.Reveal(),
		Lifetime: c.EntraCodeLifetime, Tenant: tenant, AnyTenant: s.demo, Now: now, Log: s.log, Observe: s.metrics.observeEntra}
	if c.EntraUnknown == config.UnknownRefuse {
		door.AnswerUnknown = http.StatusServiceUnavailable
	}
	if name := c.EntraApplication; name != "" {
		door.Application = func(extension.Event) passcode.Application { return passcode.Application{ID: name, Name: name} }
	}
	return door
}

func (s *server) receiptsDoor() *receiptsdoor.Handler {
	door := &receiptsdoor.Handler{Receipts: s.registry.Receipts, Store: s.db, Log: s.log, Now: now}
	if s.settings.PublicURL != nil {
		door.PublicURL = s.settings.PublicURL.String()
	}
	return door
}

const exampleRequest = `otpost send --to lea@example.org`

func (s *server) links() []front.Link {
	links := []front.Link{{Text: "API", Path: "/docs", About: "The REST API: issue a passcode, verify it."}}
	if inboxAllowed(s.settings) {
		links = append([]front.Link{{Text: "Inbox", Path: "/inbox", About: "Every message, as a person would get it."}}, links...)
	}
	if policyPagesAllowed(s.settings) {
		links = append(links, front.Link{Text: "Policies", Path: "/b2c", About: "The B2C policies, to try them by hand."})
	}
	return append(links, front.Link{Text: "Health", Path: "/readyz", About: "Whether this process is ready for work."})
}

func (s *server) note() string {
	if inboxAllowed(s.settings) {
		return "Messages are kept in the built-in inbox and shown to everybody who can reach this page."
	}
	return ""
}

// keptMessages shows the store's inbox to its door.
type keptMessages struct{ db *store.DB }

func (k keptMessages) Messages(ctx context.Context, to string, limit int) ([]inboxdoor.Kept, error) {
	if address, err := passcode.ParseAddress(to); err == nil {
		to = address.Identifier
	}
	return k.read(ctx, to, "", limit)
}

func (k keptMessages) Message(ctx context.Context, id string) (inboxdoor.Kept, bool, error) {
	kept, err := k.read(ctx, "", id, 1)
	if err != nil || len(kept) == 0 {
		return inboxdoor.Kept{}, false, err
	}
	return kept[0], true, nil
}

func (k keptMessages) read(ctx context.Context, to, id string, limit int) ([]inboxdoor.Kept, error) {
	messages, err := k.db.Kept(ctx, to, id, limit)
	kept := make([]inboxdoor.Kept, 0, len(messages))
	for _, m := range messages {
		kept = append(kept, inboxdoor.Kept{ID: m.ID, To: m.Message.To, From: m.Message.From, Subject: m.Message.Subject,
			Text: m.Message.Text, HTML: m.Message.HTML, ReceivedAt: m.ReceivedAt, Passcode: m.Message.Passcode})
	}
	return kept, err
}

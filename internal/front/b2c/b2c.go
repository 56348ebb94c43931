// Package b2c is the door at which technical profiles and display controls of B2C policies are called: claims as JSON in
// and out, B2C's own body when a policy refuses, and a page to try a policy by hand. A living B2C policy can call it as a
// RESTful service.
package b2c

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// Runner runs policies. Its errors are *execute.Told, *trustframework.Misuse, or internal.
type Runner interface {
	Run(ctx context.Context, q execute.Request) (execute.Result, error)
	Page(ctx context.Context, q execute.Request) (execute.Page, error)
}

// Sealer seals sessions. *seal.Ring is one.
type Sealer interface {
	// Seal encrypts plain and binds it to context.
	Seal(plain []byte, context string) ([]byte, error)
	// Open returns what Seal was given, or an error when the data, the context or the key is not the same.
	Open(sealed []byte, context string) ([]byte, error)
}

// Handler is the door.
type Handler struct {
	Runner   Runner
	Policies *trustframework.Set
	Seal     Sealer
	Access   access.Authenticator
	Log      *slog.Logger
	// NewID makes the ids of sessions, which nobody may guess.
	NewID func() string
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Host is what {Context:HostName} stands for. Empty is the host that a request names, which is whatever its sender writes.
	Host string
	// ByIdentifier gives a call without a token no session of its own: codes are then found by policy and identifier alone.
	ByIdentifier bool

	// Page opens the pages on which a policy is tried by hand. They ask for no key, and anybody who reaches them can have
	// messages sent.
	Page bool
	// Shell draws the pages.
	Shell *front.Shell
	// QR draws a text as a QR code, an SVG image whose markup is safe in a page.
	QR func(text string) (string, error)
	// Visitor is whom codes of the pages belong to.
	Visitor Visitor
	// Secure keeps the pages' cookie to https.
	Secure bool
	// Client is the address of whoever looks at a page; nil is front.Client.
	Client func(context.Context) netip.Addr
}

// Visitor is the tenant and the application that the pages act for, and what messages call it.
type Visitor struct{ Tenant, Application, Name string }

// The paths of calls. A policy is its PolicyId, or FOLDER/ID with the slash written %2F.
const (
	profilePattern = "POST /b2c/{policy}/technicalprofiles/{id}"
	actionPattern  = "POST /b2c/{policy}/displaycontrols/{id}/{action}"
)

// Mount adds the paths of the door. An error is a mistake in the embedded pages.
func (h *Handler) Mount(routes front.Routes) error {
	if h.Now == nil {
		h.Now = time.Now
	}
	if h.Log == nil {
		h.Log = slog.New(slog.DiscardHandler)
	}
	if h.Client == nil {
		h.Client = front.Client
	}
	gate := front.Gate{Access: h.Access, Log: h.Log, Basic: true}
	// A browser that was once given a key as Basic credentials sends them with any site's form.
	origin := http.NewCrossOriginProtection()
	call := gate.Guard(func(w http.ResponseWriter, r *http.Request, c access.Caller) {
		err := ownOrigin(origin, r)
		if err == nil {
			err = h.call(w, r, c)
		}
		if err != nil {
			h.fail(w, r, err)
		}
	})
	routes.Handle(profilePattern, call)
	routes.Handle(actionPattern, call)
	if !h.Page {
		return nil
	}
	return h.mountPages(routes)
}

// call runs what the path names.
func (h *Handler) call(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	t, err := h.find(r)
	if err != nil {
		return err
	}
	in, err := read(w, r, t.policy)
	if err != nil {
		return err
	}
	scene, host, err := h.sceneOf(r, in)
	if err != nil {
		return err
	}
	if host, err = t.host(host); err != nil {
		return err
	}
	scene.Tenant, scene.Application = c.Application.Tenant, c.Application.ID
	scene.ApplicationName, scene.Domain = c.Application.Name, c.Application.Domain
	bond := bond{scene.Tenant, scene.Application, t.name}
	session, err := h.resume(in.session, bond)
	if err != nil {
		return err
	}
	result, err := h.Runner.Run(r.Context(), execute.Request{Policy: t.policy, Profile: t.profile, Control: t.control, Action: t.action,
		Host: host, Claims: in.claims, Session: session, Scene: scene})
	faultpoint.Here("policy.before_answer")
	return h.answer(w, r, t, result, err, session, bond)
}

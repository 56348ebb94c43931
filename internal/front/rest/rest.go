// Package rest is otpost's own JSON API: passcodes are issued, looked at, sent again, verified and cancelled over it, and
// authenticators enrolled, confirmed, verified and revoked.
// openapi.json is its contract; a test holds the handlers to it.
package rest

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/passcode"
)

// Handler is the door.
type Handler struct {
	Engine passcode.Verbs
	// Authenticators keeps TOTP devices.
	Authenticators authenticator.Verbs
	Access         access.Authenticator
	Log            *slog.Logger
	// Shell draws GET /docs; without one there is none.
	Shell *front.Shell
	// Contract is what GET /openapi.json answers, nil for OpenAPI; Join makes one for several doors.
	Contract []byte
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Mount adds the paths of the door. An error is a mistake in the embedded contract or its page.
func (h *Handler) Mount(routes front.Routes) error {
	if h.Now == nil {
		h.Now = time.Now
	}
	gate := front.Gate{Access: h.Access, Log: h.Log}
	for _, o := range h.operations() {
		routes.Handle(o.pattern, gate.Guard(func(w http.ResponseWriter, r *http.Request, c access.Caller) {
			if err := o.answer(w, r, c); err != nil {
				h.fail(w, r, err)
			}
		}))
	}
	return h.mountContract(routes)
}

// operation is one path and method. Its error is a front.Problem, a *passcode.Refusal, an *authenticator.Refusal, or
// internal.
type operation struct {
	pattern string
	answer  func(http.ResponseWriter, *http.Request, access.Caller) error
}

func (h *Handler) operations() []operation {
	return []operation{
		{"POST /v1/passcodes", h.issue},
		{"GET /v1/passcodes/{id}", h.status},
		{"DELETE /v1/passcodes/{id}", h.cancel},
		{"POST /v1/passcodes/{id}/verify", h.verify},
		{"POST /v1/passcodes/verify", h.verifyTo},
		{"POST /v1/passcodes/{id}/resend", h.resend},
		{"POST /v1/users/{user}/authenticators", h.enrol},
		{"GET /v1/users/{user}/authenticators", h.authenticators},
		{"DELETE /v1/users/{user}/authenticators/{id}", h.revoke},
		{"POST /v1/users/{user}/authenticators/{id}/confirm", h.confirm},
		{"POST /v1/users/{user}/authenticators/verify", h.verifyTOTP},
	}
}

// refOf is the passcode that the path names, within the caller's tenant and nowhere else. An id that none of ours
// can have is not looked up.
func refOf(r *http.Request, c access.Caller) (passcode.Ref, error) {
	id := r.PathValue("id")
	if !saneID(id, "pc_") {
		return passcode.Ref{}, &passcode.Refusal{Reason: passcode.NotFound}
	}
	return passcode.Ref{Tenant: c.Application.Tenant, ID: id}, nil
}

// saneID wants the prefix of our ids too: a code that a careless caller puts into the path does not get as far as the
// database, whose server may log what it is asked.
func saneID(id, prefix string) bool {
	if len(id) > 64 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-') {
			return false
		}
	}
	return strings.HasPrefix(id, prefix)
}

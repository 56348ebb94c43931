// Package auth0 is the door for programs that set up Auth0's email provider: the same paths, names and credential fields,
// kept as otpost's own provider and route.
//
// What it keeps are two documents of the registry, a provider and a route for email, both named auth0. Either can be seen
// and changed elsewhere too, as to add a second provider to the route.
package auth0

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/registry"
)

// Settings are the documents that the door reads and changes; *registry.Registry is one.
type Settings interface {
	// Refresh brings the newest documents into force, those that another node changed too.
	Refresh(ctx context.Context) error
	Current() *registry.Snapshot
	Apply(ctx context.Context, by string, changes []registry.Change) (registry.Diff, error)
}

// Handler answers /api/v2/emails/provider as Auth0's Management API does.
type Handler struct {
	Settings Settings
	// Access knows the keys; those that may change settings open the door.
	Access access.Authenticator
	// From is the sender of a provider that is set up without default_from_address, empty when there is none.
	From string
	Log  *slog.Logger
}

const path = "/api/v2/emails/provider"

// Mount registers the path for all methods, so that a wrong one gets this door's answer.
func (h *Handler) Mount(routes front.Routes) { routes.Handle(path, h) }

// ServeHTTP answers with the form of Auth0's errors whatever goes wrong.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, answer, err := h.answer(w, r)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	if answer == nil {
		w.WriteHeader(status)
		return
	}
	writeJSON(w, status, answer)
}

func (h *Handler) answer(w http.ResponseWriter, r *http.Request) (status int, answer any, err error) {
	by, err := h.admit(r)
	if err != nil {
		return 0, nil, err
	}
	var asked *wanted
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodDelete:
	case http.MethodPost, http.MethodPatch:
		if asked, err = read(w, r); err != nil {
			return 0, nil, err
		}
	default:
		return 0, nil, errMethod
	}
	if err := h.Settings.Refresh(r.Context()); err != nil {
		return 0, nil, err
	}
	kept, err := find(h.Settings.Current())
	if err != nil {
		return 0, nil, err
	}
	if r.Method == http.MethodPost {
		if kept != nil {
			return 0, nil, errExists
		}
		return h.change(r.Context(), by, http.StatusCreated, &setup{}, asked)
	}
	if kept == nil {
		return 0, nil, errNone
	}
	switch r.Method {
	case http.MethodPatch:
		return h.change(r.Context(), by, http.StatusOK, kept, asked)
	case http.MethodDelete:
		return http.StatusNoContent, nil, h.remove(r.Context(), by, kept)
	}
	answer, err = choose(kept.shown(), r.URL.Query())
	return http.StatusOK, answer, err
}

// change works what is asked into what there is, and answers with what came of it.
func (h *Handler) change(ctx context.Context, by string, status int, kept *setup, asked *wanted) (int, any, error) {
	if err := kept.become(asked, h.From, h.Settings.Current()); err != nil {
		return 0, nil, err
	}
	changes, err := kept.changes()
	if err != nil {
		return 0, nil, err
	}
	if _, err := h.Settings.Apply(ctx, by, changes); err != nil {
		return 0, nil, kept.reword(err)
	}
	made, err := find(h.Settings.Current())
	if err != nil {
		return 0, nil, err
	}
	if made == nil { // deleted in the same moment
		return 0, nil, errChanged
	}
	return status, made.shown(), nil
}

func (h *Handler) remove(ctx context.Context, by string, kept *setup) error {
	_, err := h.Settings.Apply(ctx, by, kept.removal())
	var invalid *registry.Invalid
	if errors.As(err, &invalid) {
		return inUse(invalid.Error())
	}
	return kept.reword(err)
}

// admit lets administrators in. A change is recorded under the id of the key.
func (h *Handler) admit(r *http.Request) (by string, err error) {
	token, err := bearer(r.Header["Authorization"])
	if err != nil {
		return "", err
	}
	caller, err := h.Access.Authenticate(r.Context(), token)
	switch {
	case errors.Is(err, access.ErrNoAccess):
		return "", errBadToken
	case err != nil:
		return "", err
	case !caller.Admin:
		return "", errNoRight
	}
	return caller.Key, nil
}

// bearer reads the token (RFC 6750 §2.1). A second Authorization header could mean another.
func bearer(headers []string) (string, error) {
	if len(headers) == 0 {
		return "", errNoToken
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errNoToken
	}
	if len(headers) > 1 || token == "" || len(token) > 512 {
		return "", errBadToken
	}
	return token, nil
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // text, numbers and JSON that was read before always marshal
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(body) // a client that left has nothing to be told
}

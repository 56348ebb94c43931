// Package admin is the JSON API for operators. The settings that change while otpost runs are documents that are seen,
// set, deleted, brought back, and changed many at once, of whatever kinds package registry lists; and recipients that
// are not sent to are listed and freed.
package admin

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/registry"
)

// Handler is the door. Every path of it wants an admin key.
type Handler struct {
	Registry     *registry.Registry
	Suppressions SuppressionStore
	Access       access.Authenticator
	Log          *slog.Logger
}

// Mount adds the paths of the door.
func (h *Handler) Mount(routes front.Routes) {
	if h.Log == nil {
		h.Log = slog.New(slog.DiscardHandler)
	}
	gate := front.Gate{Access: h.Access, Log: h.Log, Admin: true}
	for _, o := range h.operations() {
		routes.Handle(o.pattern, gate.Guard(func(w http.ResponseWriter, r *http.Request, c access.Caller) {
			if c.Tenant != h.Registry.Tenant {
				fail(w, r, h.Log, registry.ErrNoDocument)
				return
			}
			if err := o.answer(w, r, c); err != nil {
				fail(w, r, h.Log, err)
			}
		}))
	}
}

// operation is one path and method. Its error is a front.Problem, one of package registry, or internal.
type operation struct {
	pattern string
	answer  func(http.ResponseWriter, *http.Request, access.Caller) error
}

func (h *Handler) operations() []operation {
	all := []operation{
		{"GET /v1/config", h.export},
		{"POST /v1/config", h.apply},
		{"POST /v1/config:plan", h.plan},
		{"GET /v1/provider-kinds", providerKinds},
		{"GET /v1/provider-states", h.providerStates},
		{"GET /v1/suppressions", h.suppressions},
		{"DELETE /v1/suppressions", h.unsuppress},
	}
	for _, kind := range registry.Kinds() {
		d := &documents{Handler: h, kind: kind}
		path := "/v1/" + kind.Plural()
		all = append(all,
			operation{"GET " + path, d.list},
			operation{"GET " + path + "/{name}", d.get},
			operation{"PUT " + path + "/{name}", d.put},
			operation{"DELETE " + path + "/{name}", d.remove},
			operation{"GET " + path + "/{name}/history", d.history},
			operation{"POST " + path + "/{name}/restore", d.restore})
		if kind == registry.TemplateKind {
			all = append(all, operation{"POST " + path + "/{name}/preview", d.preview})
		}
	}
	return all
}

// by is who changes settings, as the history shows it.
func by(c access.Caller) string { return "key " + c.Key }

// note logs what a caller changed: which documents, never what is in them.
func (h *Handler) note(r *http.Request, c access.Caller, diff registry.Diff) {
	for _, d := range diff {
		h.Log.LogAttrs(r.Context(), slog.LevelInfo, "settings changed", slog.String("action", string(d.Action)),
			slog.String("kind", string(d.Kind)), slog.String("name", d.Name), slog.String("by", by(c)),
			slog.String(front.RequestIDKey, front.RequestID(r.Context())))
	}
}

// instant is a time on the wire: RFC 3339, UTC, milliseconds.
type instant time.Time

// MarshalJSON implements json.Marshaler.
func (t instant) MarshalJSON() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(make([]byte, 0, 26), `"2006-01-02T15:04:05.000Z"`), nil
}

// reply writes an answer that is not a problem.
func reply(w http.ResponseWriter, status int, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	w.Write(text) // a client that left has nothing to be told
	return nil
}

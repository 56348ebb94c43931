package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/registry"
)

// export answers GET /v1/config: all documents, in the form that POST takes.
func (h *Handler) export(w http.ResponseWriter, r *http.Request, _ access.Caller) error {
	all, err := h.Registry.Documents(r.Context())
	if err != nil {
		return err
	}
	text, err := registry.Export(all)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, text)
}

// changed answers changes of many documents.
type changed struct {
	Changed bool          `json:"changed"`
	Changes registry.Diff `json:"changes"`
}

// apply answers POST /v1/config?prune=KIND,…
func (h *Handler) apply(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	return h.many(w, r, func(ctx context.Context, set registry.Set) (registry.Diff, error) {
		diff, err := h.Registry.ApplySet(ctx, by(c), set)
		if err == nil {
			h.note(r, c, diff)
		}
		return diff, err
	})
}

// plan answers POST /v1/config:plan?prune=KIND,… and changes nothing.
func (h *Handler) plan(w http.ResponseWriter, r *http.Request, _ access.Caller) error {
	return h.many(w, r, h.Registry.Plan)
}

func (h *Handler) many(w http.ResponseWriter, r *http.Request, do func(context.Context, registry.Set) (registry.Diff, error)) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	set, _, err := registry.ParseSet(body)
	if err != nil {
		return err
	}
	if set.Prune, err = pruneOf(r); err != nil {
		return err
	}
	diff, err := do(r.Context(), set)
	if err != nil {
		return err
	}
	if diff == nil {
		diff = registry.Diff{}
	}
	return reply(w, http.StatusOK, changed{len(diff) > 0, diff})
}

// pruneOf reads the kinds of which everything goes that the body does not name.
func pruneOf(r *http.Request) (kinds []registry.Kind, err error) {
	for _, list := range r.URL.Query()["prune"] {
		for plural := range strings.SplitSeq(list, ",") {
			kind, err := registry.KindOf(strings.TrimSpace(plural))
			if err != nil {
				return nil, invalidQuery("prune: " + err.Error() + ".")
			}
			kinds = append(kinds, kind)
		}
	}
	return kinds, nil
}

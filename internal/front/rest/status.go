package rest

import (
	"net/http"

	"github.com/otpost/otpost/internal/access"
)

// status answers GET /v1/passcodes/{id}.
func (h *Handler) status(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	ref, err := refOf(r, c)
	if err != nil {
		return err
	}
	timeline, err := h.Engine.Status(r.Context(), ref)
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, historyOf(&timeline, h.Now()))
	return nil
}

// cancel answers DELETE /v1/passcodes/{id}. A passcode that has ended stays as it is.
func (h *Handler) cancel(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	ref, err := refOf(r, c)
	if err != nil {
		return err
	}
	challenge, err := h.Engine.Cancel(r.Context(), ref)
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, challengeOf(&challenge, h.Now()))
	return nil
}

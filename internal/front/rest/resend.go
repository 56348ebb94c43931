package rest

import (
	"net/http"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// resend answers POST /v1/passcodes/{id}/resend.
func (h *Handler) resend(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	q, err := decode(w, r, resendMembers, true)
	if err != nil {
		return err
	}
	ref, err := refOf(r, c)
	if err != nil {
		return err
	}
	if err := h.checkChannel(r, ref, q.Channel); err != nil {
		return err
	}
	issued, err := h.Engine.Resend(r.Context(), ref, applicationOf(c), q.IP, q.Wait)
	if err != nil {
		return err
	}
	faultpoint.Here("resend.before_answer")
	reply(w, http.StatusOK, issuedOf(&issued, h.Now()))
	return nil
}

// checkChannel refuses a channel that the passcode's recipient cannot be reached on: an address has one channel.
func (h *Handler) checkChannel(r *http.Request, ref passcode.Ref, wanted outbox.Channel) error {
	if wanted == "" {
		return nil
	}
	timeline, err := h.Engine.Status(r.Context(), ref)
	if err != nil {
		return err
	}
	if timeline.Challenge.Channel != wanted {
		return invalid(front.FieldError{Field: "channel",
			Detail: "must be " + string(timeline.Challenge.Channel) + ", the passcode's own channel"})
	}
	return nil
}

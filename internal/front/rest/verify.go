package rest

import (
	"net/http"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/faultpoint"
	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/passcode"
)

// verify answers POST /v1/passcodes/{id}/verify.
func (h *Handler) verify(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	q, err := decode(w, r, verifyMembers, false)
	if err != nil {
		return err
	}
	ref, err := refOf(r, c)
	if err != nil {
		return err
	}
	return h.try(w, r, ref, q.Code)
}

// verifyTo answers POST /v1/passcodes/verify.
func (h *Handler) verifyTo(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	q, err := decode(w, r, verifyToMembers, false)
	if err != nil {
		return err
	}
	return h.try(w, r, passcode.Ref{Tenant: c.Application.Tenant, To: q.To, Purpose: orVerify(q.Purpose)}, q.Code)
}

// try is the one way from this door to Engine.Verify, so that no path misses its limits.
func (h *Handler) try(w http.ResponseWriter, r *http.Request, ref passcode.Ref, code string) error {
	verdict, err := h.Engine.Verify(r.Context(), ref, code)
	if err != nil {
		return err
	}
	now := h.Now()
	if verdict.Reason == passcode.Throttled && !verdict.RetryAt.IsZero() {
		w.Header().Set("Retry-After", front.Seconds(max(verdict.RetryAt.Sub(now), time.Second)))
	}
	faultpoint.Here("verify.before_answer")
	reply(w, http.StatusOK, verdictOf(&verdict, now))
	return nil
}

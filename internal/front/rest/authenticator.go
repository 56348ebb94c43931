package rest

import (
	"net/http"
	"time"

	"github.com/otpost/otpost/internal/access"
	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/front"
)

// deviceReasons is reasons for authenticators. A reason with status 200 is an answer to a code that was tried and has no
// title.
var deviceReasons = map[authenticator.Reason]row{
	authenticator.WrongCode: {status: 200, code: "wrong_code"},
	authenticator.CodeUsed:  {status: 200, code: "used"},
	authenticator.Throttled: {status: 200, code: "throttled"},

	authenticator.InvalidRequest:   {status: 422, code: "invalid_request", title: "Request not valid"},
	authenticator.NotFound:         {status: 404, code: "not_found", title: "Authenticator not found"},
	authenticator.NoDevice:         {status: 404, code: "no_authenticator", title: "No authenticator"},
	authenticator.TooMany:          {status: 409, code: "too_many_authenticators", title: "Too many authenticators"},
	authenticator.AlreadyConfirmed: {status: 409, code: "already_confirmed", title: "Authenticator confirmed already"},
}

func deviceProblem(refusal *authenticator.Refusal) front.Problem {
	row := deviceReasons[refusal.Reason]
	p := front.Problem{Status: row.status, Code: row.code, Title: row.title, Detail: refusal.Detail}
	if refusal.Field != "" {
		p.Errors = []front.FieldError{{Field: refusal.Field, Detail: refusal.Detail}}
	}
	return p
}

// enrol answers POST /v1/users/{user}/authenticators. It is the one answer of this door that holds a secret.
func (h *Handler) enrol(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	q, err := decode(w, r, enrolMembers, false)
	if err != nil {
		return err
	}
	q.Tenant, q.Application, q.User = c.Application.Tenant, c.Application.ID, r.PathValue("user")
	made, err := h.Authenticators.Enrol(r.Context(), *q)
	if err != nil {
		return err
	}
	reply(w, http.StatusCreated, enrolledBody{deviceOf(&made.Device), made.Secret, made.URI, made.QR})
	return nil
}

// authenticators answers GET /v1/users/{user}/authenticators.
func (h *Handler) authenticators(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	devices, err := h.Authenticators.Devices(r.Context(), c.Application.Tenant, r.PathValue("user"))
	if err != nil {
		return err
	}
	body := devicesBody{Authenticators: make([]deviceBody, len(devices))}
	for i := range devices {
		body.Authenticators[i] = deviceOf(&devices[i])
	}
	reply(w, http.StatusOK, body)
	return nil
}

// revoke answers DELETE /v1/users/{user}/authenticators/{id}.
func (h *Handler) revoke(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	id, err := deviceID(r)
	if err != nil {
		return err
	}
	revoked, err := h.Authenticators.Revoke(r.Context(), authenticator.Ref{Tenant: c.Application.Tenant, User: r.PathValue("user"), ID: id})
	if err != nil {
		return err
	}
	reply(w, http.StatusOK, deviceOf(&revoked))
	return nil
}

// confirm answers POST /v1/users/{user}/authenticators/{id}/confirm.
func (h *Handler) confirm(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	q, err := decode(w, r, verifyMembers, false)
	if err != nil {
		return err
	}
	id, err := deviceID(r)
	if err != nil {
		return err
	}
	v, err := h.Authenticators.Confirm(r.Context(), authenticator.Try{Tenant: c.Application.Tenant, User: r.PathValue("user"), ID: id, Code: q.Code})
	return h.tried(w, &v, err)
}

// verifyTOTP answers POST /v1/users/{user}/authenticators/verify.
func (h *Handler) verifyTOTP(w http.ResponseWriter, r *http.Request, c access.Caller) error {
	q, err := decode(w, r, verifyMembers, false)
	if err != nil {
		return err
	}
	v, err := h.Authenticators.Verify(r.Context(), authenticator.Try{Tenant: c.Application.Tenant, User: r.PathValue("user"), Code: q.Code})
	return h.tried(w, &v, err)
}

// tried answers with what became of a code.
func (h *Handler) tried(w http.ResponseWriter, v *authenticator.Verdict, err error) error {
	if err != nil {
		return err
	}
	if v.Reason == authenticator.Throttled && !v.RetryAt.IsZero() {
		w.Header().Set("Retry-After", front.Seconds(max(v.RetryAt.Sub(h.Now()), time.Second)))
	}
	reply(w, http.StatusOK, deviceVerdictBody{Verified: v.Verified, ID: v.Device.ID, Reason: deviceReasons[v.Reason].code})
	return nil
}

// deviceID is the authenticator that the path names. An id that none of ours can have is not looked up.
func deviceID(r *http.Request) (string, error) {
	id := r.PathValue("id")
	if !saneID(id, "au_") {
		return "", &authenticator.Refusal{Reason: authenticator.NotFound, Detail: "There is no such authenticator."}
	}
	return id, nil
}

package mfa

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// enrolment is a secret that a policy gives to a user.
type enrolment struct {
	h            *Handler
	c            *execute.Call
	user, secret string
}

// known looks for the user's device that has the secret already: a policy that moves secrets over gives the same one at
// every sign-in. The id is that of a pending one; it is empty for a confirmed one.
func (e enrolment) known(ctx context.Context) (id string, known bool, err error) {
	devices, err := e.h.Authenticators.WithSecret(ctx, e.c.Scene.Tenant, e.user, e.secret)
	if err != nil {
		return "", false, notTaken(e.c, err)
	}
	for _, d := range devices {
		switch {
		case d.Algorithm != authenticator.SHA1 || d.Digits != 6 || d.Period != 30*time.Second: // its codes are others
		case d.State == authenticator.Confirmed:
			return "", true, nil
		default:
			id, known = d.ID, true
		}
	}
	return id, known, nil
}

// enrol makes a device that waits for its first code. B2C's apps make codes of six digits every 30 seconds with SHA-1: the
// URIs that policies build say nothing else.
func (e enrolment) enrol(ctx context.Context) (id string, err error) {
	r := authenticator.Request{Tenant: e.c.Scene.Tenant, Application: e.c.Scene.Application, User: e.user, Issuer: issuer(e.c),
		Label: strings.ReplaceAll(e.user, ":", " "), Secret: e.secret}
	made, err := e.h.Authenticators.Enrol(ctx, r)
	if isReason(err, authenticator.TooMany) {
		// Of those that were begun and never confirmed the oldest makes room: a person who tries again must not wait.
		if err := e.makeRoom(ctx); err != nil {
			return "", err
		}
		made, err = e.h.Authenticators.Enrol(ctx, r)
	}
	if err != nil {
		return "", notTaken(e.c, err)
	}
	return made.Device.ID, nil
}

func (e enrolment) makeRoom(ctx context.Context) error {
	devices, err := e.h.Authenticators.Devices(ctx, e.c.Scene.Tenant, e.user)
	if err != nil {
		return notTaken(e.c, err)
	}
	oldest := slices.IndexFunc(devices, func(d authenticator.Device) bool { return d.State == authenticator.Pending })
	if oldest < 0 {
		return nil
	}
	return e.h.forget(ctx, e.c, e.user, devices[oldest].ID)
}

// forget ends a device that waits for its first code. One that was confirmed meanwhile, or is gone, is left as it is.
func (h *Handler) forget(ctx context.Context, c *execute.Call, user, id string) error {
	_, err := h.Authenticators.Revoke(ctx, authenticator.Ref{Tenant: c.Scene.Tenant, User: user, ID: id, Pending: true})
	if err != nil && !isReason(err, authenticator.NotFound) {
		return notTaken(c, err)
	}
	return nil
}

// issuer stands beside the device in lists, in at most 64 bytes as the engine has it. What the app shows is in the URI,
// which the policy makes for itself.
func issuer(c *execute.Call) string {
	return cmp.Or(oneLine(strings.ReplaceAll(cmp.Or(c.Policy.TenantID, c.Policy.ID), ":", " "), 64), "B2C")
}

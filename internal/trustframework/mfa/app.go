package mfa

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/trustframework/claim"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// countDevices is GetAvailableDevices. Policies compare the number as text (azure-ad-b2c/samples, policies/totp).
func (h *Handler) countDevices(ctx context.Context, c *execute.Call) error {
	user, err := owner(c)
	if err != nil {
		return err
	}
	devices, err := h.Authenticators.Devices(ctx, c.Scene.Tenant, user)
	if err != nil {
		return notTaken(c, err)
	}
	n := 0
	for _, d := range devices {
		if d.State == authenticator.Confirmed {
			n++
		}
	}
	c.Output(numberOfAvailableDevices, claim.Text(strconv.Itoa(n)))
	return nil
}

// begin is BeginVerifyOTP: it says which devices the next VerifyOTP is about. With a secret this is the one that has it,
// enrolled if there is none yet; without one, the user's confirmed devices. B2C documents secretKey as required; its own
// TOTP policy has no value for it when somebody signs in who is enrolled, so that none is required here.
func (h *Handler) begin(ctx context.Context, c *execute.Call) error {
	secret, given := c.Input(secretKey)
	if given {
		c.Secret(secret.String())
	}
	user, err := owner(c)
	if err != nil {
		return err
	}
	// B2C wants it, and nothing here needs it: devices are the user name's, as GetAvailableDevices asks for them.
	if _, err := c.Need(objectID); err != nil {
		return err
	}
	e := enrolment{h, c, user, secret.String()}
	next := execute.Device{User: user}
	known := false
	if given {
		if next.ID, known, err = e.known(ctx); err != nil {
			return err
		}
	}
	// A page that is shown again, with another secret, must not leave a device behind each time.
	if before := c.Session.Device; before.ID != "" && (before.User != user || before.ID != next.ID) {
		if err := h.forget(ctx, c, before.User, before.ID); err != nil {
			return err
		}
		c.Session.Device = execute.Device{}
	}
	if given && !known {
		if next.ID, err = e.enrol(ctx); err != nil {
			return err
		}
	}
	c.Session.Device = next
	return nil
}

// verifyApp is VerifyOTP. The first right code after a secret was given confirms the device that has it; a code of
// another device does not. That a code is taken once, and how old one may be, is UNCONFIRMED for B2C.
func (h *Handler) verifyApp(ctx context.Context, c *execute.Call) error {
	if typed, given := c.Input(otpCode); given {
		c.Secret(typed.String())
	}
	typed, err := c.Need(otpCode)
	if err != nil {
		return err
	}
	device := c.Session.Device
	if device.User == "" {
		return c.Misuse("no verification was begun in this session; call a profile with the Operation BeginVerifyOTP before this one, with the same session")
	}
	window := cmp.Or(h.Window, authenticator.DefaultWindow())
	try := authenticator.Try{Tenant: c.Scene.Tenant, User: device.User, ID: device.ID, Code: typed.String(), Window: &window}
	v, err := h.try(ctx, try)
	switch {
	case err != nil:
		return refusedApp(err)
	case !v.Verified:
		return failure(cmp.Or(appKeys[v.Reason], serverError), errors.New(string(v.Reason)))
	}
	c.Session.Device.ID = ""
	return nil
}

// try confirms the device that waits for its first code, or tries the code against those that are confirmed.
func (h *Handler) try(ctx context.Context, t authenticator.Try) (authenticator.Verdict, error) {
	if t.ID != "" {
		v, err := h.Authenticators.Confirm(ctx, t)
		if !isReason(err, authenticator.AlreadyConfirmed) {
			return v, err
		}
		t.ID = ""
	}
	return h.Authenticators.Verify(ctx, t)
}

// owner is whose devices are meant. User principal names are the same in either case.
func owner(c *execute.Call) (string, error) {
	name, err := c.Need(userPrincipalName)
	if err != nil {
		return "", err
	}
	user := strings.ToLower(strings.TrimSpace(name.String()))
	if user == "" {
		return "", c.Misuse("the value of " + userPrincipalName + " is blank")
	}
	return user, nil
}

// partners are the inputs that members of the engine's requests come from.
var partners = map[string]string{"user": userPrincipalName, "label": userPrincipalName, "secret": secretKey}

// notTaken is the error of an engine that was given something wrong. An input that it does not take is an error of
// whoever gave it; all else is a failure.
func notTaken(c *execute.Call, err error) error {
	var refusal *authenticator.Refusal
	if errors.As(err, &refusal) && refusal.Reason == authenticator.InvalidRequest && partners[refusal.Field] != "" {
		return c.Misuse("the value of " + partners[refusal.Field] + " is not taken: " + refusal.Detail)
	}
	return refusedApp(err)
}

func isReason(err error, reason authenticator.Reason) bool {
	var refusal *authenticator.Refusal
	return errors.As(err, &refusal) && refusal.Reason == reason
}

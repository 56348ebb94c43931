package authenticator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// verifyTime bounds the database's part of a verify.
const verifyTime = 10 * time.Second

// Verify implements Verbs. The code is compared, the guess counted and the step marked as used under one lock and in one
// transaction, so codes that come together are no different from codes in a row.
func (e *Engine) Verify(ctx context.Context, t Try) (Verdict, error) {
	return e.try(ctx, t, EventVerified, func(devices []Device, _ time.Time) ([]*Device, error) {
		of := pointers(devices, func(d *Device) bool { return d.State == Confirmed })
		if len(of) == 0 {
			return nil, &Refusal{Reason: NoDevice, Detail: "The user has no confirmed authenticator. Enrol one and confirm it."}
		}
		return of, nil
	})
}

// Confirm implements Verbs. The code counts as the device's first: it is not taken again by Verify.
func (e *Engine) Confirm(ctx context.Context, t Try) (Verdict, error) {
	return e.try(ctx, t, EventConfirmed, func(devices []Device, now time.Time) ([]*Device, error) {
		of := pointers(devices, func(d *Device) bool { return d.ID == t.ID })
		switch {
		case len(of) == 0 || e.stateAt(of[0], now) == Revoked:
			return nil, notFound()
		case of[0].State == Confirmed:
			return nil, &Refusal{Reason: AlreadyConfirmed, Detail: "The authenticator is confirmed already. Verify its codes."}
		}
		return of, nil
	})
}

func notFound() error {
	return &Refusal{Reason: NotFound,
		Detail: "The user has no such authenticator, or it was not confirmed in time. Enrol a new one."}
}

func pointers(devices []Device, which func(*Device) bool) (of []*Device) {
	for i := range devices {
		if which(&devices[i]) {
			of = append(of, &devices[i])
		}
	}
	return of
}

// try is the one way to a verdict, so that no verb misses the limits. choose picks the devices whose codes count.
func (e *Engine) try(ctx context.Context, t Try, kind EventKind, choose func([]Device, time.Time) ([]*Device, error)) (Verdict, error) {
	w := e.Window
	if t.Window != nil {
		w = *t.Window
	}
	err := checkText("user", t.User, maxUser)
	if err == nil && (min(w.Back, w.Forward) < 0 || max(w.Back, w.Forward) > MaxWindow) {
		err = invalid("window", fmt.Sprintf("must be 0 to %d steps on either side", MaxWindow))
	}
	if err != nil {
		return Verdict{}, e.refused(err)
	}
	// A caller that hangs up must not undo the count of its guess.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), verifyTime)
	defer cancel()
	now, code := e.Now(), normalise(t.Code)
	var v Verdict
	err = e.Store.ChangeDevices(ctx, t.Tenant, t.User, now, func(devices []Device, turn Turn) error {
		of, err := choose(devices, now)
		if err != nil {
			return err
		}
		v, err = e.judge(devices, of, turn, code, w, now)
		return err
	})
	if err != nil {
		return Verdict{}, e.refused(err)
	}
	if !v.Verified {
		kind = EventTried
	}
	e.observe(Event{Kind: kind, Reason: v.Reason})
	return v, nil
}

// hit is a step of a device whose code was typed.
type hit struct {
	device *Device
	step   int64
}

// judge evaluates one code against locked devices. It returns no error for a wrong one: that would undo its count.
func (e *Engine) judge(devices []Device, of []*Device, turn Turn, code string, w Window, now time.Time) (Verdict, error) {
	hits, err := e.hits(devices, code, w, now)
	if err != nil {
		return Verdict{}, err
	}
	wanted := slices.DeleteFunc(slices.Clone(hits), func(h hit) bool { return !slices.Contains(of, h.device) })
	fresh := slices.IndexFunc(wanted, func(h hit) bool { return h.step > h.device.LastStep })
	if err := turn.Guess(fresh >= 0, guesses(e.Guesses, devices[0].Tenant, devices[0].User)...); err != nil {
		// What the comparison said is not told: a spent budget answers the same to every code.
		var spent *Exhausted
		if errors.As(err, &spent) {
			return Verdict{Reason: Throttled, RetryAt: spent.RetryAt}, nil
		}
		return Verdict{}, err
	}
	switch {
	case fresh < 0 && len(wanted) > 0:
		return Verdict{Reason: CodeUsed}, nil
	case fresh < 0:
		return Verdict{Reason: WrongCode}, nil
	}
	// The code is used wherever it was right: a secret that was enrolled twice does not make it good for two.
	for _, h := range hits {
		h.device.LastStep = max(h.device.LastStep, h.step)
	}
	d := wanted[fresh].device
	if d.State == Pending {
		d.State, d.ConfirmedAt = Confirmed, now
	}
	return Verdict{Verified: true, Device: *d}, nil
}

// hits are the steps of all devices whose code this is. All of them are looked at, whatever was found before.
func (e *Engine) hits(devices []Device, code string, w Window, now time.Time) (hits []hit, err error) {
	for i := range devices {
		d := &devices[i]
		secret, err := e.Ring.Open(d.SecretSealed, sealedFor(d))
		if err != nil {
			return nil, fmt.Errorf("open secret of authenticator %s: %w", d.ID, err)
		}
		for _, step := range matches(d, secret, code, w, now) {
			hits = append(hits, hit{d, step})
		}
		clear(secret)
	}
	return hits, nil
}

// Devices implements Verbs.
func (e *Engine) Devices(ctx context.Context, tenant, user string) ([]Device, error) {
	if err := checkText("user", user, maxUser); err != nil {
		return nil, e.refused(err)
	}
	devices, err := e.Store.Devices(ctx, tenant, user)
	now := e.Now()
	return slices.DeleteFunc(devices, func(d Device) bool { return e.stateAt(&d, now) == Revoked }), err
}

// Revoke implements Verbs.
func (e *Engine) Revoke(ctx context.Context, ref Ref) (revoked Device, err error) {
	if err := checkText("user", ref.User, maxUser); err != nil {
		return Device{}, e.refused(err)
	}
	now := e.Now()
	err = e.Store.ChangeDevices(ctx, ref.Tenant, ref.User, now, func(devices []Device, _ Turn) error {
		of := pointers(devices, func(d *Device) bool {
			return d.ID == ref.ID && e.stateAt(d, now) != Revoked && (!ref.Pending || d.State == Pending)
		})
		if len(of) == 0 {
			return notFound()
		}
		of[0].State, of[0].RevokedAt, of[0].SecretSealed = Revoked, now, nil
		revoked = *of[0]
		return nil
	})
	if err != nil {
		return Device{}, e.refused(err)
	}
	e.observe(Event{Kind: EventRevoked})
	return revoked, nil
}

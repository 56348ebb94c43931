package rest_test

import (
	"context"
	"errors"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/passcode"
)

// deviceStub is the stub as the keeper of authenticators: it answers by the same plan, a state or a reason a line, and
// notes what it was asked.
type deviceStub struct{ *stub }

// liveSecret is in every place of the stub's devices where an answer could hold a secret.
const liveSecret = "ULITSXFDNCEW3IHI5BMB535UW6RDOWSP"

// next is the stub's, whose refusals are in the words of passcodes.
func (s deviceStub) next(format string, args ...any) (string, map[string]string, error) {
	first, words, err := s.stub.next("Device"+format, args...)
	var refusal *passcode.Refusal
	if errors.As(err, &refusal) {
		err = &authenticator.Refusal{Reason: authenticator.Reason(refusal.Reason), Field: refusal.Field, Detail: refusal.Detail}
	}
	return first, words, err
}

func device(state string) authenticator.Device {
	d := authenticator.Device{ID: "au_1", Tenant: "t1", Application: "app_1", User: "ada", Issuer: "Shop", Label: "ada@example.com",
		Algorithm: authenticator.SHA1, Digits: 6, Period: 30 * time.Second, State: authenticator.State(state), CreatedAt: noon(),
		LastStep: 482913, SecretSealed: []byte(liveSecret)}
	if d.State == authenticator.Confirmed {
		d.ConfirmedAt = noon().Add(time.Minute)
	}
	return d
}

func (s deviceStub) Enrol(_ context.Context, r authenticator.Request) (authenticator.Enrolment, error) {
	state, _, err := s.next("Enrol {Tenant:%s Application:%s User:%q Issuer:%q Label:%q Secret:%q Algorithm:%s Digits:%d Period:%v}",
		r.Tenant, r.Application, r.User, r.Issuer, r.Label, r.Secret, r.Algorithm, r.Digits, r.Period)
	if err != nil {
		return authenticator.Enrolment{}, err
	}
	return authenticator.Enrolment{Device: device(state), Secret: liveSecret, URI: "otpauth://totp/Shop:ada?secret=" + liveSecret, QR: "<svg/>"}, nil
}

func (s deviceStub) Confirm(_ context.Context, t authenticator.Try) (authenticator.Verdict, error) {
	return s.verdict("Confirm", t)
}

func (s deviceStub) Verify(_ context.Context, t authenticator.Try) (authenticator.Verdict, error) {
	return s.verdict("Verify", t)
}

func (s deviceStub) verdict(verb string, t authenticator.Try) (authenticator.Verdict, error) {
	reason, words, err := s.next("%s %+v", verb, t)
	if err != nil {
		return authenticator.Verdict{}, err
	}
	if reason == "verified" {
		return authenticator.Verdict{Verified: true, Device: device("confirmed")}, nil
	}
	v := authenticator.Verdict{Reason: authenticator.Reason(reason)}
	if retry, err := time.ParseDuration(words["retry"]); err == nil {
		v.RetryAt = noon().Add(retry)
	}
	return v, nil
}

func (s deviceStub) Devices(_ context.Context, tenant, user string) ([]authenticator.Device, error) {
	state, _, err := s.next("s {Tenant:%s User:%q}", tenant, user)
	if err != nil || state == "none" {
		return nil, err
	}
	return []authenticator.Device{device(state)}, nil
}

func (s deviceStub) Revoke(_ context.Context, ref authenticator.Ref) (authenticator.Device, error) {
	state, _, err := s.next("Revoke %+v", ref)
	if err != nil {
		return authenticator.Device{}, err
	}
	return device(state), nil
}

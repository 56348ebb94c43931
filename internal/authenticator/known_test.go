package authenticator_test

import (
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/authenticator"
)

func withSecret(t *testing.T, e *authenticator.Engine, user, secret string) (ids []string) {
	t.Helper()
	devices, err := e.WithSecret(t.Context(), "default", user, secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		ids = append(ids, d.ID)
	}
	return ids
}

func TestADeviceIsFoundByItsSecret(t *testing.T) {
	e, c := newEngine(t)
	const secret = "fay2lj7ynpntjgqa"
	if got := withSecret(t, e, "lea", secret); got != nil {
		t.Errorf("found %v of nobody", got)
	}
	first := enrolWith(t, e, authenticator.Request{Secret: secret}).Device
	enrolWith(t, e, authenticator.Request{})
	enrolWith(t, e, authenticator.Request{User: "ana", Secret: secret})
	for _, written := range []string{secret, strings.ToUpper(secret), "FAY2 LJ7Y NPNT JGQA"} {
		if got := withSecret(t, e, "lea", written); len(got) != 1 || got[0] != first.ID {
			t.Errorf("found %v, want %s", got, first.ID)
		}
	}
	if got := withSecret(t, e, "lea", "fay2lj7ynpntjgqq"); got != nil {
		t.Errorf("found %v with another secret", got)
	}
	c.pass(authenticator.DefaultConfirmWithin)
	if got := withSecret(t, e, "lea", secret); got != nil {
		t.Errorf("found %v after its time to be confirmed", got)
	}
	second := enrolWith(t, e, authenticator.Request{Secret: secret})
	wantReason(t, e, "confirm", second.Device.ID, appOf(t, second).code(c.read()), "")
	if got := withSecret(t, e, "lea", secret); len(got) != 1 || got[0] != second.Device.ID {
		t.Errorf("found %v, want the confirmed %s", got, second.Device.ID)
	}
	if _, err := e.Revoke(t.Context(), authenticator.Ref{Tenant: "default", User: "lea", ID: second.Device.ID}); err != nil {
		t.Error(err)
	}
	if got := withSecret(t, e, "lea", secret); got != nil {
		t.Errorf("found %v after it was revoked", got)
	}
	_, err := e.WithSecret(t.Context(), "default", "lea", "not base32")
	wantRefusal(t, err, authenticator.InvalidRequest, "secret")
	_, err = e.WithSecret(t.Context(), "default", "", secret)
	wantRefusal(t, err, authenticator.InvalidRequest, "user")
}

func TestOnlyAPendingDeviceIsRevokedAsSuch(t *testing.T) {
	e, c := newEngine(t)
	made := enrolWith(t, e, authenticator.Request{})
	ref := authenticator.Ref{Tenant: "default", User: "lea", ID: made.Device.ID, Pending: true}
	wantReason(t, e, "confirm", ref.ID, appOf(t, made).code(c.read()), "")
	_, err := e.Revoke(t.Context(), ref)
	wantRefusal(t, err, authenticator.NotFound, "")
	ref.ID = enrolWith(t, e, authenticator.Request{}).Device.ID
	if d, err := e.Revoke(t.Context(), ref); err != nil || d.State != authenticator.Revoked {
		t.Errorf("%v, %v", d.State, err)
	}
	if devices, err := e.Devices(t.Context(), "default", "lea"); err != nil || len(devices) != 1 || devices[0].ID != made.Device.ID {
		t.Errorf("%d devices, %v, want the confirmed one", len(devices), err)
	}
}

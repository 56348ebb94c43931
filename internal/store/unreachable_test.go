package store_test

import (
	"errors"
	"testing"

	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/store/pgtest"
)

// TestALostDatabaseIsSaidToBeOne loses the database between two requests: doors tell callers to come again.
func TestALostDatabaseIsSaidToBeOne(t *testing.T) {
	server := pgtest.Start(t)
	d := newDesk(t, server.Database(t), func(s passcode.Store) passcode.Store { return s })
	request := passcode.Request{Tenant: "default", To: "lea@example.test"}
	made, err := d.Issue(t.Context(), request, 0)
	if err != nil {
		t.Fatal(err)
	}
	server.Kill(t)
	_, issue := d.Issue(t.Context(), request, 0)
	_, verify := d.Verify(t.Context(), passcode.Ref{Tenant: "default", ID: made.Challenge.ID}, d.code)
	_, status := d.Status(t.Context(), passcode.Ref{Tenant: "default", ID: made.Challenge.ID})
	for name, err := range map[string]error{"issue": issue, "verify": verify, "status": status} {
		var passing interface{ Temporary() bool }
		if !errors.As(err, &passing) || !passing.Temporary() {
			t.Errorf("%s without a database: %v, want an error that says it passes", name, err)
		}
	}
}

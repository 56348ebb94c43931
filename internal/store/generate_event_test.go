package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// listener keeps what it is told, and makes no deliveries of it.
type listener struct{ heard []outbox.Happening }

func (l *listener) Publishes(outbox.HappeningType) bool { return true }

func (l *listener) Notify(h outbox.Happening) []outbox.Delivery {
	l.heard = append(l.heard, h)
	return nil
}

// TestCustomersAreToldOfGeneratedCodes wants a code to be told of once, however often it is handed over, and its end.
func TestCustomersAreToldOfGeneratedCodes(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk, _ bool) {
		l := &listener{}
		d.db.Publish(l)
		g := passcode.Generation{Tenant: "default", Scope: "journey", Key: "lea@example.org",
			Policy: passcode.Policy{Alphabet: "0-9", Length: 6, Lifetime: time.Minute, Tries: 1, Resends: 5}}
		ref := passcode.Ref{Tenant: "default", Scope: "journey", Key: g.Key}
		var ids []string
		for _, code := range []string{"", "right", "", "", "wrong"} {
			made, err := d.Generate(t.Context(), g)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, made.Challenge.ID)
			if code == "right" {
				code = made.Code
			}
			if code == "" {
				continue
			}
			if _, err := d.Verify(t.Context(), ref, code); err != nil {
				t.Fatal(err)
			}
		}
		var types []outbox.HappeningType
		for i, h := range l.heard {
			types = append(types, h.Type)
			if of := ids[i/2*2]; h.Channel != outbox.Caller || h.Challenge != of || h.Delivery != "" {
				t.Errorf("told %+v, want it to be of %s", h, of)
			}
		}
		want := []outbox.HappeningType{outbox.PasscodeIssued, outbox.PasscodeVerified, outbox.PasscodeIssued, outbox.PasscodeLocked}
		if !slices.Equal(types, want) {
			t.Errorf("told %v, want %v", types, want)
		}
	})
}

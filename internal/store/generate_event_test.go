package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/store"
)

// listener makes a delivery of each thing that it is told. A transaction that is undone may have told it too.
type listener struct {
	told  []outbox.Happening
	sends []string
}

func (l *listener) Publishes(outbox.HappeningType) bool { return true }

func (l *listener) Notify(h outbox.Happening) []outbox.Delivery {
	d := outbox.Delivery{ID: outbox.NewID("ev", h.At), Tenant: h.Tenant, Channel: outbox.Event, Route: []string{"customer"}, State: outbox.Queued,
		CreatedAt: h.At, DueAt: h.At, Deadline: h.At.Add(time.Hour), Message: &outbox.Message{Channel: outbox.Event, Text: "{}"}}
	l.told, l.sends = append(l.told, h), append(l.sends, d.ID)
	return []outbox.Delivery{d}
}

// heard is what was told by transactions that were kept.
func (l *listener) heard(t *testing.T, db *store.DB) (heard []outbox.Happening) {
	t.Helper()
	for i, id := range l.sends {
		_, err := db.Delivery(t.Context(), id)
		if err == nil {
			heard = append(heard, l.told[i])
		} else if !errors.Is(err, outbox.ErrNoDelivery) {
			t.Fatal(err)
		}
	}
	return heard
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
		for i, h := range l.heard(t, d.db) {
			types = append(types, h.Type)
			if of := ids[min(i/2*2, len(ids)-1)]; h.Channel != outbox.Caller || h.Challenge != of || h.Delivery != "" {
				t.Errorf("told %+v, want it to be of %s", h, of)
			}
		}
		want := []outbox.HappeningType{outbox.PasscodeIssued, outbox.PasscodeVerified, outbox.PasscodeIssued, outbox.PasscodeLocked}
		if !slices.Equal(types, want) {
			t.Errorf("told %v, want %v", types, want)
		}
	})
}

package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/store/pgtest"
)

// TestAReceiptThatMetItsAcceptanceIsJoined has a receipt and an acceptance as two transactions of the same instant leave
// them that did not see each other, and sweeps.
func TestAReceiptThatMetItsAcceptanceIsJoined(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "otpost.db") },
		"postgres": func(t *testing.T) string { return pgtest.Start(t).Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, url(t))
			_, i := challenge("lea@example.org")
			if err := db.Issue(t.Context(), i); err != nil {
				t.Fatal(err)
			}
			took := outbox.Acceptance{Delivery: i.Delivery, Attempt: outbox.Attempt{Delivery: i.Delivery.ID, Provider: "mail", At: i.Now, Ref: "r1"}}
			if _, err := db.Accept(t.Context(), []outbox.Acceptance{took}, i.Now); err != nil {
				t.Fatal(err)
			}
			receipt := outbox.Receipt{Event: "e1", Ref: "r1", Report: outbox.ReportBounced, Class: outbox.InvalidRecipient, At: i.Now}
			if _, err := db.Receive(t.Context(), "mail", []outbox.Receipt{receipt}, i.Now); err != nil {
				t.Fatal(err)
			}
			if err := db.Exec(t.Context(), `UPDATE receipts SET delivery = ''`); err != nil {
				t.Fatal(err)
			}
			if err := db.Exec(t.Context(), `UPDATE deliveries SET state = 'accepted'`); err != nil {
				t.Fatal(err)
			}
			if err := db.Exec(t.Context(), `DELETE FROM suppressions`); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Sweep(t.Context(), i.Now.Add(time.Minute), time.Hour); err != nil {
				t.Fatal(err)
			}
			if d, err := db.Delivery(t.Context(), i.Delivery.ID); err != nil || d.State != outbox.Bounced {
				t.Errorf("after a sweep it is %s, %v", d.State, err)
			}
			if list, err := db.Suppressions(t.Context(), "default", outbox.Email, "", 10, i.Now); err != nil || len(list) != 1 {
				t.Errorf("suppressed are %+v, %v", list, err)
			}
		})
	}
}

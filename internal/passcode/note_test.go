package passcode_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// notes are what is noted of a challenge, in words.
func (b *bench) notes(t *testing.T, ref passcode.Ref) (words []string) {
	t.Helper()
	line, err := b.Status(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range line.Notes {
		words = append(words, fmt.Sprintf("%s %s %s after %v", n.Kind, n.Reason, n.Limit, n.At.Sub(line.Challenge.CreatedAt)))
	}
	return words
}

func TestWhatIsRefusedIsNoted(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.Limits.Identifier = []passcode.Quota{{Count: 2, Window: time.Hour}}
		ref, code := b.issue(t, request("lea@example.org"))
		_, err := b.Resend(t.Context(), ref, app, "", 0)
		refusal(t, err, passcode.TooSoon)
		time.Sleep(time.Minute)
		b.verify(t, ref, wrong(code))
		if _, err := b.Resend(t.Context(), ref, app, "", 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		_, err = b.Resend(t.Context(), ref, app, "", 0)
		refusal(t, err, passcode.LimitReached)
		b.Limits.Guesses = []passcode.Quota{{Count: 1, Window: time.Hour}}
		b.verify(t, ref, wrong(code))
		b.verify(t, ref, wrong(code))
		want := []string{"limited too_soon  after 0s", "tried wrong_code  after 1m0s",
			"tried wrong_code  after 2m0s", "limited limit_reached identifier after 2m0s", "limited throttled guesses after 2m0s"}
		if got := b.notes(t, ref); !reflect.DeepEqual(got, want) {
			t.Errorf("noted %q\nwant  %q", got, want)
		}
		if line, err := b.Status(t.Context(), ref); err != nil || line.Challenge.Sends != 2 || len(line.Deliveries) != 2 {
			t.Errorf("the refused resends left %+v, %v", line, err)
		}
	})
}

func TestARightFirstCodeLeavesNoNote(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, code := b.issue(t, request("lea@example.org"))
		if v := b.verify(t, ref, code); !v.Verified {
			t.Fatalf("got %+v", v)
		}
		_, err := b.Resend(t.Context(), ref, app, "", 0)
		refusal(t, err, passcode.Ended)
		b.verify(t, ref, code)
		if got := b.notes(t, ref); got != nil {
			t.Errorf("noted %q", got)
		}
	})
}

func TestARecipientThatBouncedIsRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ref, _ := b.issue(t, request("Lea@Example.org"))
		b.mail.last(t)
		complaint := outbox.Receipt{Event: "e1", Ref: "ref", Report: outbox.ReportComplained, At: time.Now()}
		if became, err := b.db.Receive(t.Context(), "mail", []outbox.Receipt{complaint}, time.Now()); err != nil || became[0].Delivery.ID == "" {
			t.Fatalf("got %+v, %v", became, err)
		}
		_, err := b.Issue(t.Context(), request("lea@example.org"), 0)
		if r := refusal(t, err, passcode.Suppressed); r.Field != "to" || r.Detail == "" || !r.RetryAt.IsZero() {
			t.Errorf("refused as %+v", r)
		}
		_, err = b.Relay(t.Context(), passcode.Relay{Tenant: "default", To: "lea@example.org", Code: "482913", Lifetime: time.Minute})
		refusal(t, err, passcode.Suppressed)
		time.Sleep(time.Minute)
		_, err = b.Resend(t.Context(), ref, app, "", 0)
		refusal(t, err, passcode.Suppressed)
		if got := b.mail.count(); got != 1 {
			t.Errorf("%d messages were sent, want 1", got)
		}
		if got := b.notes(t, ref); !reflect.DeepEqual(got, []string{"limited recipient_suppressed  after 1m0s"}) {
			t.Errorf("noted %q", got)
		}
		if _, err := b.db.Unsuppress(t.Context(), "default", outbox.Email, "lea@example.org"); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Resend(t.Context(), ref, app, "", 0); err != nil {
			t.Errorf("after the suppression was removed: %v", err)
		}
	})
}

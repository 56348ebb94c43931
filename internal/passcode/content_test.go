package passcode_test

import (
	"testing"
	"time"

	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
)

// Who composes a message is told everything that a template may be chosen by, and what it may say.
func TestContentHoldsWhatTemplatesAreChosenBy(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		var got passcode.Content
		b.Compose = func(c passcode.Content) (outbox.Message, error) {
			got = c
			return say(c)
		}
		r := request("lea@example.org")
		r.Locale = "fr-CA"
		r.Application.Domain = "shop.example.org"
		ref, code := b.issue(t, r)
		want := passcode.Content{Channel: outbox.Email, To: "lea@example.org", Code: code, Application: "Shop", ApplicationID: "app_1",
			Domain: "shop.example.org", Purpose: passcode.SignIn, Locale: "fr-CA", Lifetime: 10 * time.Minute, Passcode: ref.ID}
		if got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

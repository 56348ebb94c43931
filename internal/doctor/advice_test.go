package doctor_test

import (
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/doctor"
	"github.com/otpost/otpost/internal/outbox"
)

func TestEveryClassHasAdvice(t *testing.T) {
	said := map[string]bool{}
	for _, class := range outbox.Classes() {
		text := doctor.Advice("webhook", class, "418")
		if text == "" || said[text] {
			t.Errorf("%s: %q", class, text)
		}
		said[text] = true
	}
	for _, test := range []struct{ kind, code, want string }{
		{"twilio", "400 21608", "trial account"}, {"ses", "400 MessageRejected", "sandbox"}, {"smtp", "535 5.7.139", "SMTP AUTH"},
		{"azure_communication_email", "400 InvalidSenderUserName", "MailFrom"}, {"postmark", "422 412", "approval"},
		{"webhook", "400 21608", "refuses the account"}, {"smtp", "", "refuses the account"},
	} {
		if got := doctor.Advice(test.kind, outbox.Account, test.code); !strings.Contains(got, test.want) {
			t.Errorf("%s %s: %q, want %q", test.kind, test.code, got, test.want)
		}
	}
}

// TestAdviceIsForKindsThatThereAre: a kind that is renamed would lose its advice unseen.
func TestAdviceIsForKindsThatThereAre(t *testing.T) {
	for _, kind := range doctor.AdvisedKinds() {
		kindOf(t, kind)
	}
}

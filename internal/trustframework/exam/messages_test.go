package exam_test

import (
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/trustframework/golden"
)

// documented are the texts of messages that have been published: localization-string-ids.md of June 2020 for one-time
// passwords, multi-factor-auth-technical-profile.md, aad-sspr-technical-profile.md. Two keys have one text for each kind of
// profile. That of UserMessageIfMaxNumberOfCodeGenerated is in no version, and ours.
var documented = map[string][]string{
	"SessionDoesNotExist":            {"One time password verification session has expired"},
	"MaxRetryAttempted":              {"One time password provided verification has exceeded maximum number of attempts"},
	"MaxNumberOfCodeGenerated":       {"One time password generation has exceeded maximum number of attempts"},
	"InvalidCode":                    {"One time password provided for verification is incorrect"},
	"VerificationFailedRetryAllowed": {"That code is incorrect. Please try again.", "The verification has failed, please try again."},
	"SessionConflict":                {"One time password verification session has conflict"},
	"CouldntSendSms":                 {"Cannot Send SMS to the phone, please try another phone number."},
	"InvalidFormat":                  {"Your phone number is not in a valid format, please correct it and try again."},
	"ServerError":                    {"Cannot use MFA service, please try again later."},
	"Throttled":                      {"Your request has been throttled, please try again later.", "You have sent too many requests, please try again later."},
	"MaxAllowedCodeRetryReached":     {"Wrong code entered too many times, please try again later."},
	"WrongCodeEntered":               {"Wrong code entered, please try again."},
	"IncorrectOTPCodeEntered":        {"Wrong code entered, please try again."},
	"ChallengeExpired":               {"The code has expired."},
	"InternalError":                  {"The email service has encountered an internal error, please try again later."},
	"VerificationFailedNoRetry":      {"You have exceeded maximum number of verification attempts."},
}

// The recorded messages are held to what is published, so that recording them anew does not change what is right.
func TestEveryMessageIsToldInEachWay(t *testing.T) {
	said := golden.Section(t, "testdata/messages.txtar", "trace")
	for key, texts := range documented {
		for _, text := range append(texts, "Metadata "+key+".", "Localised "+key+".") {
			if line := "  told UserMessageIf" + key + ": " + text + "\n"; !strings.Contains(said, line) {
				t.Errorf("nobody is told %q", line)
			}
		}
	}
}

package otp_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/otp"
)

// verdicts are the reasons that answer to a code that was tried; the others refuse a request.
var verdicts = []passcode.Reason{passcode.WrongCode, passcode.CodeExpired, passcode.CodeLocked, passcode.CodeUsed,
	passcode.CodeCancelled, passcode.CodeReplaced, passcode.Throttled}

// told are the keys by operation and reason: fact sheet of B2C's documentation, and our choices where it is silent.
var told = map[string]map[passcode.Reason]string{
	"Generate": {
		passcode.LockedOut: "UserMessageIfMaxRetryAttempted", passcode.CodeLocked: "UserMessageIfMaxRetryAttempted", passcode.Throttled: "UserMessageIfMaxRetryAttempted",
		passcode.NoResendsLeft: "UserMessageIfMaxNumberOfCodeGenerated", passcode.LimitReached: "UserMessageIfMaxNumberOfCodeGenerated",
		passcode.TooSoon: "UserMessageIfMaxNumberOfCodeGenerated", "": "UserMessageIfSessionConflict",
	},
	"Verify": {
		passcode.WrongCode:  "UserMessageIfVerificationFailedRetryAllowed",
		passcode.CodeLocked: "UserMessageIfMaxRetryAttempted", passcode.Throttled: "UserMessageIfMaxRetryAttempted", passcode.LockedOut: "UserMessageIfMaxRetryAttempted",
		passcode.LimitReached: "UserMessageIfMaxRetryAttempted", passcode.TooSoon: "UserMessageIfMaxRetryAttempted",
		passcode.CodeExpired: "UserMessageIfSessionDoesNotExist", passcode.CodeUsed: "UserMessageIfSessionDoesNotExist", passcode.NotFound: "UserMessageIfSessionDoesNotExist",
		passcode.Ended: "UserMessageIfSessionDoesNotExist", passcode.InvalidRequest: "UserMessageIfSessionDoesNotExist", passcode.InvalidRecipient: "UserMessageIfSessionDoesNotExist",
		"": "UserMessageIfSessionConflict",
	},
	"Send": {
		passcode.LimitReached: "UserMessageIfThrottled", passcode.TooSoon: "UserMessageIfThrottled", passcode.LockedOut: "UserMessageIfThrottled",
		passcode.Throttled: "UserMessageIfThrottled", passcode.NoResendsLeft: "UserMessageIfThrottled", "": "UserMessageIfInternalError",
	},
	"Prove": {
		passcode.WrongCode:  "UserMessageIfVerificationFailedRetryAllowed",
		passcode.CodeLocked: "UserMessageIfVerificationFailedNoRetry", passcode.Throttled: "UserMessageIfVerificationFailedNoRetry", passcode.LockedOut: "UserMessageIfVerificationFailedNoRetry",
		passcode.CodeExpired: "UserMessageIfChallengeExpired", passcode.CodeUsed: "UserMessageIfChallengeExpired", passcode.CodeReplaced: "UserMessageIfChallengeExpired",
		passcode.CodeCancelled: "UserMessageIfChallengeExpired", passcode.NotFound: "UserMessageIfChallengeExpired", passcode.Ended: "UserMessageIfChallengeExpired",
		passcode.InvalidRequest: "UserMessageIfChallengeExpired", passcode.InvalidRecipient: "UserMessageIfChallengeExpired",
		passcode.LimitReached: "UserMessageIfThrottled", passcode.TooSoon: "UserMessageIfThrottled", "": "UserMessageIfInternalError",
	},
}

// said are the default texts (localization-string-ids.md of June 2020, aad-sspr-technical-profile.md).
var said = map[string]map[string]string{
	otp.OneTimePasswordHandler: {
		"UserMessageIfSessionDoesNotExist":            "One time password verification session has expired",
		"UserMessageIfMaxRetryAttempted":              "One time password provided verification has exceeded maximum number of attempts",
		"UserMessageIfMaxNumberOfCodeGenerated":       "One time password generation has exceeded maximum number of attempts",
		"UserMessageIfInvalidCode":                    "One time password provided for verification is incorrect",
		"UserMessageIfVerificationFailedRetryAllowed": "That code is incorrect. Please try again.",
		"UserMessageIfSessionConflict":                "One time password verification session has conflict",
	},
	otp.SSPRHandler: {
		"UserMessageIfChallengeExpired":               "The code has expired.",
		"UserMessageIfInternalError":                  "The email service has encountered an internal error, please try again later.",
		"UserMessageIfThrottled":                      "You have sent too many requests, please try again later.",
		"UserMessageIfVerificationFailedNoRetry":      "You have exceeded maximum number of verification attempts.",
		"UserMessageIfVerificationFailedRetryAllowed": "The verification has failed, please try again.",
	},
}

// answers is a stub that does not do what it is asked, for a reason.
func answers(reason passcode.Reason) *stub {
	if slices.Contains(verdicts, reason) {
		return &stub{verdict: passcode.Verdict{Reason: reason}}
	}
	return &stub{err: &passcode.Refusal{Reason: reason, Detail: "why"}}
}

func TestEveryReasonThroughEveryOperation(t *testing.T) {
	policy := parts{profiles: generateCode() + verifyCode() + sendCode() + proveCode()}.load(t)
	used := map[string]bool{}
	for _, reason := range passcode.Reasons() {
		for _, c := range everyCall(t, policy) {
			s := answers(reason)
			if s.err == nil && (c.Profile.ID == "Generate" || c.Profile.ID == "Send") {
				s.err = &passcode.Refusal{Reason: reason}
			}
			f := failure(t, s.run(t, c))
			want, listed := told[c.Profile.ID][reason]
			if !listed {
				want = told[c.Profile.ID][""]
			}
			text := said[c.Profile.Protocol.HandlerType()][want]
			if f.Key != want || f.Default != text || text == "" || f.Message != "" {
				t.Errorf("%s, %s: %s, %q; want %s, %q", c.Profile.ID, reason, f.Key, f.Default, want, text)
			}
			if f.Cause == nil || !strings.Contains(f.Cause.Error(), string(reason)) {
				t.Errorf("%s, %s: the log is told %v", c.Profile.ID, reason, f.Cause)
			}
			used[c.Profile.Protocol.HandlerType()+f.Key] = true
		}
	}
	for handler, texts := range said {
		for key := range texts {
			if !used[handler+key] && key != "UserMessageIfInvalidCode" {
				t.Errorf("no reason leads to %s of %s", key, handler)
			}
		}
	}
}

// TestEveryReasonHasItsRow holds that no reason is told only because there is no better key.
func TestEveryReasonHasItsRow(t *testing.T) {
	for name, keys := range otp.Rows() {
		for _, reason := range passcode.Reasons() {
			if keys[reason] == "" {
				t.Errorf("%s has no row for %s", name, reason)
			}
		}
		if len(keys) != len(passcode.Reasons()) {
			t.Errorf("%s has %d rows for %d reasons: %v", name, len(keys), len(passcode.Reasons()), slices.Sorted(maps.Keys(keys)))
		}
	}
}

func TestTheLastWrongCode(t *testing.T) {
	policy := parts{profiles: verifyCode() + proveCode()}.load(t)
	last := passcode.Verdict{Reason: passcode.CodeLocked, Last: true}
	if f := failure(t, (&stub{verdict: last}).run(t, call(t, policy, "Verify", "identifier", "x", "otpToVerify", "1"))); f.Key != "UserMessageIfInvalidCode" ||
		f.Default != said[otp.OneTimePasswordHandler][f.Key] {
		t.Errorf("%s, %q", f.Key, f.Default)
	}
	if f := failure(t, (&stub{verdict: last}).run(t, call(t, policy, "Prove", "emailAddress", "lea@example.org", "verificationCode", "1"))); f.Key != "UserMessageIfVerificationFailedNoRetry" {
		t.Errorf("SSPR: %s", f.Key)
	}
}

// Published policies have these four keys on the profile itself (custom-sms-displaycontrol, twilio-mfa-psd2).
func TestOlderNamesOfMessages(t *testing.T) {
	policy := parts{profiles: verifyCode("UserMessage.VerificationHasExpired=late", "UserMessage.MaxRetryAttemped=often", "usermessage.invalidcode=wrong",
		"UserMessage.ServerError=broken") +
		strings.ReplaceAll(verifyCode("UserMessage.InvalidCode=  "), `"Verify"`, `"Blank"`) + proveCode("UserMessage.ServerError=broken")}.load(t)
	ask := func(id string, v passcode.Verdict) *trustframework.Failure {
		return failure(t, (&stub{verdict: v}).run(t, call(t, policy, id, "identifier", "x", "otpToVerify", "1", "emailAddress", "lea@example.org", "verificationCode", "1")))
	}
	for _, c := range []struct {
		profile   string
		verdict   passcode.Verdict
		key, text string
	}{
		{"Verify", passcode.Verdict{Reason: passcode.CodeExpired}, "UserMessageIfSessionDoesNotExist", "late"},
		{"Verify", passcode.Verdict{Reason: passcode.CodeLocked}, "UserMessageIfMaxRetryAttempted", "often"},
		{"Verify", passcode.Verdict{Reason: passcode.CodeLocked, Last: true}, "UserMessageIfInvalidCode", "wrong"},
		{"Verify", passcode.Verdict{Reason: passcode.CodeReplaced}, "UserMessageIfSessionConflict", "broken"},
		{"Verify", passcode.Verdict{Reason: passcode.WrongCode}, "UserMessageIfVerificationFailedRetryAllowed", "That code is incorrect. Please try again."},
		{"Blank", passcode.Verdict{Reason: passcode.CodeLocked, Last: true}, "UserMessageIfInvalidCode", "One time password provided for verification is incorrect"},
		{"Prove", passcode.Verdict{Reason: passcode.NoRoute}, "UserMessageIfInternalError", "The email service has encountered an internal error, please try again later."},
	} {
		if f := ask(c.profile, c.verdict); f.Key != c.key || f.Default != c.text {
			t.Errorf("%s, %+v: %s, %q; want %s, %q", c.profile, c.verdict, f.Key, f.Default, c.key, c.text)
		}
	}
}

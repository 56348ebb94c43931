package mfa_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/outbox"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
	"github.com/otpost/otpost/internal/trustframework/mfa"
)

// answers are engines that answer as told.
type answers struct {
	mfa.Passcodes
	mfa.Authenticators
	err     error
	code    passcode.Verdict
	app     authenticator.Verdict
	sent    outbox.State
	pending bool
}

func (a answers) Issue(context.Context, passcode.Request, time.Duration) (passcode.Issued, error) {
	return passcode.Issued{Delivery: outbox.Delivery{State: a.sent}}, a.err
}

func (a answers) Devices(context.Context, string, string) ([]authenticator.Device, error) {
	return nil, a.err
}

func (a answers) WithSecret(context.Context, string, string, string) ([]authenticator.Device, error) {
	return nil, nil
}

func (a answers) Enrol(context.Context, authenticator.Request) (authenticator.Enrolment, error) {
	return authenticator.Enrolment{}, a.err
}

// codeAnswers and appAnswers tell the two Verify apart.
type codeAnswers struct{ answers }

func (a codeAnswers) Verify(context.Context, passcode.Ref, string) (passcode.Verdict, error) {
	return a.code, a.err
}

type appAnswers struct{ answers }

func (a appAnswers) Verify(context.Context, authenticator.Try) (authenticator.Verdict, error) {
	return a.app, a.err
}

func (a appAnswers) Confirm(context.Context, authenticator.Try) (authenticator.Verdict, error) {
	return a.app, a.err
}

// answering is a journey on engines that answer as told, as far as a code that is to be verified.
func answering(t *testing.T, a answers) *journey {
	b := &bench{Handler: &mfa.Handler{Passcodes: codeAnswers{a}, Authenticators: appAnswers{a}}, policies: load(t)}
	j := b.journey(t, "B2C_1A_Open", "s")
	j.session.Device = execute.Device{User: "lea@fabrikam.example"}
	if a.pending {
		j.session.Device.ID = "au_1"
	}
	return j
}

// keyOf is the key that an error is told under; it must have a text, and a cause for the log.
func keyOf(t *testing.T, err error) string {
	t.Helper()
	var f *trustframework.Failure
	if !errors.As(err, &f) {
		t.Fatalf("error %v, want a failure", err)
	}
	if f.Default == "" || f.Default != mfa.Texts[f.Key] || f.Cause == nil {
		t.Errorf("key %s has the text %q and the cause %v", f.Key, f.Default, f.Cause)
	}
	return strings.TrimPrefix(f.Key, "UserMessageIf")
}

func TestEveryReasonOfAPasscodeIsTold(t *testing.T) {
	// An empty key is ServerError.
	want := map[passcode.Reason]struct{ send, verify string }{
		passcode.WrongCode: {"", "WrongCodeEntered"}, passcode.CodeExpired: {"", "WrongCodeEntered"}, passcode.CodeLocked: {"", "MaxAllowedCodeRetryReached"},
		passcode.CodeUsed: {"", "WrongCodeEntered"}, passcode.CodeCancelled: {"", "WrongCodeEntered"}, passcode.CodeReplaced: {"", "WrongCodeEntered"},
		passcode.Throttled: {"Throttled", "MaxAllowedCodeRetryReached"}, passcode.InvalidRecipient: {"InvalidFormat", ""},
		passcode.Suppressed: {"CouldntSendSms", ""}, passcode.DestinationRefused: {"CouldntSendSms", ""}, passcode.LimitReached: {"Throttled", ""},
		passcode.TooSoon: {"Throttled", ""}, passcode.LockedOut: {"Throttled", ""}, passcode.InvalidRequest: {}, passcode.UnknownPolicy: {},
		passcode.NotFound: {}, passcode.NoResendsLeft: {}, passcode.Ended: {}, passcode.NoRoute: {}, passcode.KeyReused: {},
	}
	for _, reason := range passcode.Reasons() {
		keys, listed := want[reason]
		if !listed {
			t.Errorf("%s is in no row", reason)
		}
		refused := answering(t, answers{err: &passcode.Refusal{Reason: reason}})
		judged := answering(t, answers{code: passcode.Verdict{Reason: reason}})
		for _, c := range []struct {
			where, want string
			err         error
		}{
			{"a refusal to send", keys.send, refused.run(t, "Send", "phone", paris)},
			{"a refusal to verify", keys.verify, refused.run(t, "Check", "phone", paris, "verificationCode", "123456")},
			{"a verdict", keys.verify, judged.run(t, "Check", "phone", paris, "verificationCode", "123456")},
		} {
			if c.want == "" {
				c.want = "ServerError"
			}
			if got := keyOf(t, c.err); got != c.want {
				t.Errorf("%s as %s: told as %s, want %s", reason, c.where, got, c.want)
			}
		}
	}
	broken := answering(t, answers{err: errors.New("no database")})
	for _, err := range []error{broken.run(t, "Send", "phone", paris), broken.run(t, "Check", "phone", paris, "verificationCode", "1")} {
		if got := keyOf(t, err); got != "ServerError" {
			t.Errorf("told as %s", got)
		}
	}
}

func TestEveryReasonOfAnAuthenticatorIsTold(t *testing.T) {
	want := map[authenticator.Reason]string{
		authenticator.WrongCode: "IncorrectOTPCodeEntered", authenticator.CodeUsed: "IncorrectOTPCodeEntered",
		authenticator.Throttled: "MaxAllowedCodeRetryReached", authenticator.InvalidRequest: "ServerError", authenticator.NotFound: "ServerError",
		authenticator.NoDevice: "ServerError", authenticator.TooMany: "ServerError", authenticator.AlreadyConfirmed: "ServerError",
	}
	for _, reason := range authenticator.Reasons() {
		if want[reason] == "" {
			t.Errorf("%s is in no row", reason)
		}
		for _, pending := range []bool{false, true} {
			refused := answering(t, answers{err: &authenticator.Refusal{Reason: reason}, pending: pending})
			judged := answering(t, answers{app: authenticator.Verdict{Reason: reason}, pending: pending})
			for where, err := range map[string]error{"a refusal": refused.run(t, "CheckApp", "otpCode", "123456"), "a verdict": judged.run(t, "CheckApp", "otpCode", "123456")} {
				if got := keyOf(t, err); got != want[reason] {
					t.Errorf("%s as %s: told as %s, want %s", reason, where, got, want[reason])
				}
			}
		}
		// Of the other verbs no reason is the person's fault.
		j := answering(t, answers{err: &authenticator.Refusal{Reason: reason}})
		for _, err := range []error{j.run(t, "Devices", "upn", lea), j.run(t, "Begin", "upn", lea, "secret", secret)} {
			keyOf(t, err)
		}
	}
	for _, field := range []string{"user", "secret", "label"} {
		j := answering(t, answers{err: &authenticator.Refusal{Reason: authenticator.InvalidRequest, Field: field, Detail: "is wrong"}})
		wantMisuse(t, j.run(t, "Devices", "upn", lea))
		wantMisuse(t, j.run(t, "Begin", "upn", lea, "secret", secret))
	}
}

func TestAMessageThatMayYetBeSentIsNoFailure(t *testing.T) {
	for _, s := range []outbox.State{outbox.Queued, outbox.Sending, outbox.Accepted, outbox.Delivered} {
		answering(t, answers{sent: s}).ok(t, "Send", "phone", paris)
	}
	for _, s := range []outbox.State{outbox.Failed, outbox.Stale} {
		answering(t, answers{sent: s}).told(t, "UserMessageIfCouldntSendSms", "Send", "phone", paris)
	}
}

// TestTheKeysAreThoseOfB2C holds the table to the documented ones (localization-string-ids.md).
func TestTheKeysAreThoseOfB2C(t *testing.T) {
	want := []string{"UserMessageIfCouldntSendSms", "UserMessageIfIncorrectOTPCodeEntered", "UserMessageIfInvalidFormat",
		"UserMessageIfMaxAllowedCodeRetryReached", "UserMessageIfServerError", "UserMessageIfThrottled", "UserMessageIfWrongCodeEntered"}
	if got := slices.Sorted(maps.Keys(mfa.Texts)); !slices.Equal(got, want) {
		t.Errorf("keys %v, want %v", got, want)
	}
}

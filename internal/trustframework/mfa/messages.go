package mfa

import (
	"cmp"
	"errors"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
)

// The message keys that the person is told under.
const (
	couldntSendSMS   = "UserMessageIfCouldntSendSms"
	invalidFormat    = "UserMessageIfInvalidFormat"
	serverError      = "UserMessageIfServerError"
	throttled        = "UserMessageIfThrottled"
	maxRetryReached  = "UserMessageIfMaxAllowedCodeRetryReached"
	wrongCodeEntered = "UserMessageIfWrongCodeEntered"
	incorrectOTP     = "UserMessageIfIncorrectOTPCodeEntered"
)

// texts are what is said where a policy has no text of its own (localization-string-ids.md, among the error messages; the
// last one came later, with MicrosoftDocs/azure-docs#123185).
var texts = map[string]string{
	couldntSendSMS:   "Cannot Send SMS to the phone, please try another phone number.",
	invalidFormat:    "Your phone number is not in a valid format, please correct it and try again.",
	serverError:      "Cannot use MFA service, please try again later.",
	throttled:        "Your request has been throttled, please try again later.",
	maxRetryReached:  "Wrong code entered too many times, please try again later.",
	wrongCodeEntered: "Wrong code entered, please try again.",
	incorrectOTP:     "Wrong code entered, please try again.",
}

// What the reasons of the engines are told as, operation by operation. A reason that is in no list, and every error that
// has none, is told as serverError.
var (
	sendKeys = map[passcode.Reason]string{
		// A second text message within half a minute is throttled in B2C (MicrosoftDocs/azure-docs#87090). That B2C has no
		// other word for its unpublished limits is UNCONFIRMED.
		passcode.TooSoon:          throttled,
		passcode.LimitReached:     throttled,
		passcode.LockedOut:        throttled,
		passcode.Throttled:        throttled,
		passcode.InvalidRecipient: invalidFormat,
		// The key is for numbers that take no text messages (multi-factor-auth-technical-profile.md).
		passcode.DestinationRefused: couldntSendSMS,
		passcode.Suppressed:         couldntSendSMS,
	}
	verifyKeys = map[passcode.Reason]string{
		passcode.WrongCode:  wrongCodeEntered,
		passcode.CodeLocked: maxRetryReached,
		// What is spent is the number of wrong codes for this phone number, over all journeys. The key is UNCONFIRMED.
		passcode.Throttled: maxRetryReached,
		// B2C has no key for a code whose time is over, or that was used. UNCONFIRMED: it is told as a wrong one, since
		// another code is what helps. One that was never sent is told as serverError, which is UNCONFIRMED too.
		passcode.CodeExpired:   wrongCodeEntered,
		passcode.CodeUsed:      wrongCodeEntered,
		passcode.CodeCancelled: wrongCodeEntered,
		passcode.CodeReplaced:  wrongCodeEntered,
	}
	// Which keys B2C has for what is no wrong code of an app is UNCONFIRMED.
	appKeys = map[authenticator.Reason]string{
		authenticator.WrongCode: incorrectOTP,
		authenticator.CodeUsed:  incorrectOTP,
		authenticator.Throttled: maxRetryReached,
	}
)

// failure is what the person is told; cause is for the log.
func failure(key string, cause error) error {
	return &trustframework.Failure{Key: key, Default: texts[key], Cause: cause}
}

// refusedPasscode is the failure that an error of the passcode engine is told as.
func refusedPasscode(keys map[passcode.Reason]string, err error) error {
	var refusal *passcode.Refusal
	if !errors.As(err, &refusal) {
		return failure(serverError, err)
	}
	return failure(cmp.Or(keys[refusal.Reason], serverError), err)
}

// refusedApp is the failure that an error of the authenticator engine is told as.
func refusedApp(err error) error {
	var refusal *authenticator.Refusal
	if !errors.As(err, &refusal) {
		return failure(serverError, err)
	}
	return failure(cmp.Or(appKeys[refusal.Reason], serverError), err)
}

package otp

import "github.com/otpost/otpost/internal/passcode"

// oneTimePassword says what one-time-password profiles have. Their keys are one table: why the engine does not do what it
// is asked, against what the person is told. UNCONFIRMED, ours, and said in about.go: which key GenerateCode answers with
// in the lock-out and at limits beyond the policy; where UserMessageIfInvalidCode begins and
// UserMessageIfVerificationFailedRetryAllowed ends; that a code is used up; and what UserMessageIfSessionConflict is for.
var oneTimePassword = provider{
	name:      "one-time-password",
	stepError: "Unable to cast object of type '" + OneTimePasswordHandler + "' to type 'Web.TPEngine.Providers.IProtocolProvider'",
	messages:  []string{sessionDoesNotExist, maxRetryAttempted, maxGenerated, invalidCode, retryAllowed, sessionConflict},
	legacy:    true,
	operations: []operation{
		{
			name: "GenerateCode", inputs: []string{identifier}, outputs: []string{otpGenerated},
			settings: []string{codeExpiration, codeLength, characterSet, retryAttempts, generationAttempts, reuseSameCode, maxNumAttempts},
			keys: byReason(map[string][]passcode.Reason{
				maxRetryAttempted: {passcode.LockedOut, passcode.CodeLocked, passcode.Throttled},
				maxGenerated:      {passcode.NoResendsLeft, passcode.LimitReached, passcode.TooSoon},
				sessionConflict: {passcode.WrongCode, passcode.CodeExpired, passcode.CodeUsed, passcode.CodeCancelled, passcode.CodeReplaced,
					passcode.InvalidRecipient, passcode.InvalidRequest, passcode.Suppressed, passcode.UnknownPolicy, passcode.NotFound,
					passcode.Ended, passcode.DestinationRefused, passcode.NoRoute, passcode.KeyReused},
			}),
			other: sessionConflict,
			lint:  lintGenerateCode, about: aboutGenerateCode(),
		},
		{
			name: "VerifyCode", inputs: []string{identifier, otpToVerify},
			keys: byReason(map[string][]passcode.Reason{
				retryAllowed:      {passcode.WrongCode},
				maxRetryAttempted: {passcode.CodeLocked, passcode.Throttled, passcode.LockedOut, passcode.LimitReached, passcode.TooSoon},
				// An identifier that the engine does not take has no code.
				sessionDoesNotExist: {passcode.CodeExpired, passcode.CodeUsed, passcode.NotFound, passcode.Ended,
					passcode.InvalidRecipient, passcode.InvalidRequest},
				sessionConflict: {passcode.CodeReplaced, passcode.CodeCancelled, passcode.Suppressed, passcode.UnknownPolicy,
					passcode.NoResendsLeft, passcode.DestinationRefused, passcode.NoRoute, passcode.KeyReused},
			}),
			other: sessionConflict, last: invalidCode,
			about: aboutVerifyCode(),
		},
	},
}

// sspr says what SSPR profiles have.
var sspr = provider{
	name:     "SSPR",
	explicit: true,
	messages: []string{challengeExpired, internalError, throttled, noRetry, retryAllowed},
	ignored: map[string]string{
		"allowTestEmailAddressPassThrough": "B2C does not document, and which is ignored here",
	},
	operations: []operation{
		{
			name: "SendCode", inputs: []string{emailAddress},
			keys: byReason(map[string][]passcode.Reason{
				throttled: {passcode.LimitReached, passcode.TooSoon, passcode.LockedOut, passcode.Throttled, passcode.NoResendsLeft},
				internalError: {passcode.WrongCode, passcode.CodeExpired, passcode.CodeLocked, passcode.CodeUsed, passcode.CodeCancelled,
					passcode.CodeReplaced, passcode.InvalidRecipient, passcode.InvalidRequest, passcode.Suppressed, passcode.UnknownPolicy,
					passcode.NotFound, passcode.Ended, passcode.DestinationRefused, passcode.NoRoute, passcode.KeyReused},
			}),
			other: internalError,
			about: aboutSendCode(),
		},
		{
			name: "VerifyCode", inputs: []string{emailAddress, verificationCode},
			keys: byReason(map[string][]passcode.Reason{
				retryAllowed: {passcode.WrongCode},
				noRetry:      {passcode.CodeLocked, passcode.Throttled, passcode.LockedOut},
				challengeExpired: {passcode.CodeExpired, passcode.CodeUsed, passcode.CodeReplaced, passcode.CodeCancelled,
					passcode.NotFound, passcode.Ended, passcode.InvalidRecipient, passcode.InvalidRequest},
				throttled: {passcode.LimitReached, passcode.TooSoon},
				internalError: {passcode.Suppressed, passcode.UnknownPolicy, passcode.NoResendsLeft, passcode.DestinationRefused,
					passcode.NoRoute, passcode.KeyReused},
			}),
			other: internalError, last: noRetry,
			about: aboutSSPRVerifyCode(),
		},
	},
}

// byReason turns a table of keys around.
func byReason(told map[string][]passcode.Reason) map[passcode.Reason]string {
	keys := map[passcode.Reason]string{}
	for key, reasons := range told {
		for _, reason := range reasons {
			keys[reason] = key
		}
	}
	return keys
}

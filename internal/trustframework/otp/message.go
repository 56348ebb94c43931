package otp

import (
	"errors"
	"fmt"
	"strings"

	"github.com/otpost/otpost/internal/passcode"
	"github.com/otpost/otpost/internal/trustframework"
)

// The message keys of one-time-password profiles (one-time-password-technical-profile.md, "Error messages").
const (
	sessionDoesNotExist = "UserMessageIfSessionDoesNotExist"
	maxRetryAttempted   = "UserMessageIfMaxRetryAttempted"
	maxGenerated        = "UserMessageIfMaxNumberOfCodeGenerated"
	invalidCode         = "UserMessageIfInvalidCode"
	retryAllowed        = "UserMessageIfVerificationFailedRetryAllowed"
	sessionConflict     = "UserMessageIfSessionConflict"
)

// The message keys of SSPR profiles (aad-sspr-technical-profile.md). retryAllowed is one of them, with another text.
const (
	challengeExpired = "UserMessageIfChallengeExpired"
	internalError    = "UserMessageIfInternalError"
	throttled        = "UserMessageIfThrottled"
	noRetry          = "UserMessageIfVerificationFailedNoRetry"
)

// oneTimePasswordTexts are the defaults that were documented last (localization-string-ids.md of June 2020; the table of
// 2022 has lost them). That of maxGenerated is in no version: UNCONFIRMED, and ours.
var oneTimePasswordTexts = map[string]string{
	sessionDoesNotExist: "One time password verification session has expired",
	maxRetryAttempted:   "One time password provided verification has exceeded maximum number of attempts",
	maxGenerated:        "One time password generation has exceeded maximum number of attempts",
	invalidCode:         "One time password provided for verification is incorrect",
	retryAllowed:        "That code is incorrect. Please try again.",
	sessionConflict:     "One time password verification session has conflict",
}

// ssprTexts are the defaults of aad-sspr-technical-profile.md.
var ssprTexts = map[string]string{
	challengeExpired: "The code has expired.",
	internalError:    "The email service has encountered an internal error, please try again later.",
	throttled:        "You have sent too many requests, please try again later.",
	noRetry:          "You have exceeded maximum number of verification attempts.",
	retryAllowed:     "The verification has failed, please try again.",
}

// legacy are older names of messages, which published policies have in the metadata of the VerifyCode profile itself, and
// the keys that they became, all of one-time passwords. The pairs are ours (UNCONFIRMED); the misspelling is theirs.
var legacy = []struct{ name, key string }{
	{"UserMessage.VerificationHasExpired", sessionDoesNotExist},
	{"UserMessage.MaxRetryAttemped", maxRetryAttempted},
	{"UserMessage.InvalidCode", invalidCode},
	{"UserMessage.ServerError", sessionConflict},
}

// speaker says what the person is told of one call.
type speaker struct {
	op *operation
	// texts are the default ones by message key.
	texts   map[string]string
	profile *trustframework.TechnicalProfile
}

// refused is what is told of an error of the engine. One that is not a refusal is not for the person.
func (s speaker) refused(err error) error {
	var refusal *passcode.Refusal
	if !errors.As(err, &refusal) {
		return fmt.Errorf("%s: %w", s.op.name, err)
	}
	return s.failure(s.op.key(refusal.Reason), err)
}

// judged is what is told of a code that was tried, nil if it was right.
func (s speaker) judged(v passcode.Verdict) error {
	switch {
	case v.Verified:
		return nil
	case v.Last:
		return s.failure(s.op.last, errors.New("wrong code, the last that may be tried"))
	}
	return s.failure(s.op.key(v.Reason), errors.New("the code was not taken: "+string(v.Reason)))
}

func (s speaker) failure(key string, cause error) error {
	return &trustframework.Failure{Key: key, Default: s.text(key), Cause: cause}
}

// text is what is said where the host has no text: that of the profile's own under an older name, or the default.
func (s speaker) text(key string) string {
	for _, old := range legacy {
		if item, there := s.profile.Metadata.Get(old.name); there && old.key == key && strings.TrimSpace(item.Value) != "" {
			return strings.TrimSpace(item.Value)
		}
	}
	return s.texts[key]
}

// key is the message key for a reason.
func (o *operation) key(reason passcode.Reason) string {
	if key, there := o.keys[reason]; there {
		return key
	}
	return o.other
}

package review

import (
	"fmt"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// selfAsserted are the settings of self-asserted profiles (self-asserted-technical-profile.md, and what published
// policies have beside it); those of messages are in messages.
var selfAsserted = []string{"AllowGenerationOfClaimsWithNullValues", "ContentDefinitionReferenceId", "EnforceEmailVerification",
	"IncludeClaimResolvingInClaimsHandling", "IpAddressClaimReferenceId", "LocalAccountType", "LocalAccountProfile", "ProfileType",
	"TokenLifeTimeInSeconds", "TokenNotBeforeSkewInSeconds", "RefreshTokenLifetimeSecs", "ValidationProfiles",
	"setting.bannerLogo", "setting.enableRememberMe", "setting.forgotPasswordLinkLocation", "setting.forgotPasswordLinkOverride",
	"setting.inputVerificationDelayTimeInMilliseconds", "setting.language.cancel", "setting.operatingMode", "setting.requestContextMaximumLengthInBytes",
	"setting.retryLimit", "setting.showCancelButton", "setting.showContinueButton", "setting.showContinueButtonOnLoad", "setting.showSignupLink",
	"setting.bypassLinkOnSubmit", "setting.authenticationTransferType", "setting.startStateMachineOnLoad", "Override", "setting.disabledButton"}

// messages are the keys of texts that a policy may have of its own (localization-string-ids.md, one-time-password-,
// multi-factor-auth- and aad-sspr-technical-profile.md, restful-technical-profile.md).
var messages = []string{
	"UserMessageIfSessionDoesNotExist", "UserMessageIfMaxRetryAttempted", "UserMessageIfMaxNumberOfCodeGenerated",
	"UserMessageIfInvalidCode", "UserMessageIfVerificationFailedRetryAllowed", "UserMessageIfSessionConflict",
	"UserMessageIfCouldntSendSms", "UserMessageIfInvalidFormat", "UserMessageIfServerError", "UserMessageIfThrottled",
	"UserMessageIfMaxAllowedCodeRetryReached", "UserMessageIfWrongCodeEntered", "UserMessageIfIncorrectOTPCodeEntered",
	"UserMessageIfChallengeExpired", "UserMessageIfInternalError", "UserMessageIfVerificationFailedNoRetry",
	"UserMessageIfVerificationControlClaimsNotVerified", "UserMessageIfCircuitOpen", "UserMessageIfDnsResolutionFailed",
	"UserMessageIfRequestTimeout", "DefaultUserMessageIfRequestFailed",
	"UserMessageIfClaimsTransformationBooleanValueIsNotEqual", "UserMessageIfClaimsTransformationStringsAreNotEqual",
	"UserMessageIfClaimsTransformationInvalidPhoneNumber", "UserMessageIfPhoneNumberParseFailure",
	"UserMessageIfClaimsPrincipalDoesNotExist", "UserMessageIfClaimsPrincipalAlreadyExists", "UserMessageIfInvalidPassword",
	"UserMessageIfOldPasswordUsed", "UserMessageIfPasswordExpired", "UserMessageIfUserAccountLocked", "UserMessageIfUserAccountDisabled",
	"UserMessageIfIncorrectPassword", "UserMessageIfMissingRequiredElement", "UserMessageIfValidationError",
	"UserMessageIfIncorrectPattern", "UserMessageIfInvalidInput",
	"UserMessageIfClaimNotVerified", "UserMessageIfPasswordsDoNotMatch", "UserMessageIfRegexPatternMismatch",
	"UserMessageIfClaimsTransformationLookupNotFound", "UserMessageIfLookupNotFound", "UserMessageIfDateTimeGreaterThan",
}

// checkSelfAsserted looks for what a page does not do here, and for keys that are near one that there is: B2C takes any key
// and reads those that it knows.
func checkSelfAsserted(t *trustframework.TechnicalProfile) []trustframework.Problem {
	found := execute.CheckPage(t)
	for i := range found {
		found[i].Reason = "technical profile " + t.ID + " " + found[i].Reason
	}
	for _, item := range t.Metadata {
		key := strings.TrimSpace(item.Key)
		known, what := selfAsserted, "setting"
		if strings.Contains(strings.ToLower(key), "message") {
			known, what = messages, "message"
		}
		if slices.ContainsFunc(known, func(k string) bool { return same(k, key) }) {
			continue
		}
		if near := suggest.Sure(key, known); near != "" {
			found = append(found, trustframework.Problem{At: item.At, Weight: trustframework.Odd,
				Reason: fmt.Sprintf("the %s %s of a self-asserted profile is not known, and is not used; did you mean %s?", what, key, near)})
		}
	}
	return found
}

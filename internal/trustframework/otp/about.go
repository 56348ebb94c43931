package otp

import (
	"slices"

	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// about says what a profile is, for a list of what a policy holds.
func (v *provider) about(t *trustframework.TechnicalProfile) execute.About {
	op, _ := v.operation(t)
	if op == nil {
		return execute.About{Kind: v.name + ", operation unknown", B2C: "B2C refuses the profile.", Otpost: "otpost refuses the profile.",
			Entra: "Entra External ID has nothing for it."}
	}
	about := op.about
	about.Differs = slices.Clone(about.Differs)
	return about
}

// What Entra External ID has, as its documentation's samples show it (custom-extension-email-otp-get-started.md).
const (
	entraMakes = "Entra External ID makes the codes for its own flows, of 8 digits in every sample; " +
		"its event EmailOtpSend hands each to otpost, which delivers it, and no setting of this profile has a counterpart there."
	entraChecks = "Entra External ID checks the codes that it made by itself; otpost only delivers them, and has no part in it."
)

func aboutGenerateCode() execute.About {
	return execute.About{
		Kind:   "one-time password, GenerateCode",
		B2C:    "B2C makes a code, keeps it in the browser's session under the identifier, and hands it to the policy to send.",
		Otpost: "otpost makes a code, keeps it under the journey and the identifier, hashed and where it may be handed over again also sealed, and hands it to the policy to send.",
		Entra:  entraMakes,
		Differs: []string{
			"Metadata out of range is refused, at the check and at each call; what B2C does with it is not known.",
			"CodeLength is 4 to 12, NumRetryAttempts 1 to 20 and NumCodeGenerationAttempts 1 to 1000; B2C documents no ranges for them.",
			"While no code may be had after the last try, the person is told UserMessageIfMaxRetryAttempted; which key B2C has then is not known. The time begins with the last wrong code, and a later try does not prolong it.",
			"A new code has all its tries again, one that is handed over again those that are left; for B2C neither is documented.",
			"A call without a session counts codes and tries by application, policy and identifier, so that there is one living code for each; in B2C each browser has its own. " +
				"NumCodeGenerationAttempts then counts until a code was verified, or for as long as otpost keeps ended codes, a day at least.",
			"A limit that otpost has beyond the policy, such as that of a network or of one recipient over all journeys, is told as UserMessageIfMaxNumberOfCodeGenerated. Its default text is ours, since B2C's is not documented.",
			"MaxNumAttempts is taken for NumRetryAttempts where that is missing; whether B2C ever read it is not known.",
		},
	}
}

func aboutVerifyCode() execute.About {
	return execute.About{
		Kind:   "one-time password, VerifyCode",
		B2C:    "B2C compares what was typed with the code in the browser's session for the identifier.",
		Otpost: "otpost compares what was typed with the code of the journey and the identifier, counts the try first, and takes a code once.",
		Entra:  entraChecks,
		Differs: []string{
			"A code that was taken is used up: a second time the person is told UserMessageIfSessionDoesNotExist. For B2C this is not documented.",
			"A wrong code is told as UserMessageIfVerificationFailedRetryAllowed, the one that uses up the tries as UserMessageIfInvalidCode; where B2C draws the line is not documented.",
			"Wrong codes for one identifier also count over all journeys and policies; when that is spent, the person is told UserMessageIfMaxRetryAttempted.",
			"UserMessageIfSessionConflict is told of a code that was replaced or cancelled; when B2C tells it is not documented.",
			"Spaces and dashes in what was typed do not count, other scripts' digits are read, and letters are compared without case if the character set has only one; for B2C this is not documented.",
		},
	}
}

func aboutSendCode() execute.About {
	return execute.About{
		Kind:   "SSPR, SendCode",
		B2C:    "B2C has Entra's self-service password reset make a code and mail it in Microsoft's layout.",
		Otpost: "otpost makes a code of 6 digits for 5 minutes and 3 tries, and mails it with its own templates by its own providers.",
		Entra:  entraMakes,
		Differs: []string{
			"Length, lifetime and tries are what users of B2C measured; they are not documented.",
			"A mailbox gets no new code for 5 minutes after the tries of one were used up, which is told as UserMessageIfThrottled, as are otpost's limits of messages; B2C's are not documented.",
			"An address that cannot be mailed to, and a message that no provider took, are told as UserMessageIfInternalError. A message that is still on its way when the wait is over is no error.",
			"allowTestEmailAddressPassThrough is ignored.",
		},
	}
}

func aboutSSPRVerifyCode() execute.About {
	return execute.About{
		Kind:   "SSPR, VerifyCode",
		B2C:    "B2C has Entra's self-service password reset check what was typed.",
		Otpost: "otpost compares what was typed with the code that it mailed to the address in this journey, counts the try first, and takes a code once.",
		Entra:  entraChecks,
		Differs: []string{
			"A code that was used, replaced or never sent is told as UserMessageIfChallengeExpired; B2C documents that key for an expired one.",
			"Wrong codes for an address also count over all journeys and policies; when that is spent, the person is told UserMessageIfVerificationFailedNoRetry.",
			"allowTestEmailAddressPassThrough is ignored.",
		},
	}
}

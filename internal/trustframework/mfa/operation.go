package mfa

import (
	"context"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/suggest"
	"github.com/otpost/otpost/internal/trustframework"
	"github.com/otpost/otpost/internal/trustframework/execute"
)

// operation is what a profile's metadata Operation chooses (multi-factor-auth-technical-profile.md).
type operation struct {
	name string
	run  func(*Handler, context.Context, *execute.Call) error
	// needs are the partner names of inputs that must have a value, takes of those that may; answers are outputs.
	needs, takes, answers []string
	about                 execute.About
}

// operations are all that there are. Text messages come first, then authenticator apps.
func operations() []operation {
	return []operation{
		{name: "OneWaySMS", run: (*Handler).sendSMS, about: aboutSend,
			needs: []string{userPrincipalName, phoneNumber}, takes: []string{companyName, locale}},
		{name: "Verify", run: (*Handler).verifySMS, about: aboutVerify,
			needs: []string{phoneNumber, verificationCode}},
		{name: "GetAvailableDevices", run: (*Handler).countDevices, about: aboutDevices,
			needs: []string{userPrincipalName}, answers: []string{numberOfAvailableDevices}},
		{name: "BeginVerifyOTP", run: (*Handler).begin, about: aboutBegin,
			needs: []string{userPrincipalName, objectID}, takes: []string{secretKey}},
		{name: "VerifyOTP", run: (*Handler).verifyApp, about: aboutVerifyOTP,
			needs: []string{otpCode}},
	}
}

// operationKey is the only metadata that a profile of this kind has.
const operationKey = "Operation"

// operationOf finds what a profile does, and says what is wrong with how it says it. It is nil if nobody can know. That
// B2C tells an Operation's cases apart is UNCONFIRMED.
func operationOf(t *trustframework.TechnicalProfile) (*operation, []trustframework.Problem) {
	all := operations()
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].name
	}
	set := strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
	item, there := t.Metadata.Get(operationKey)
	written := strings.TrimSpace(item.Value)
	switch {
	case !there:
		return nil, []trustframework.Problem{{At: t.At, Weight: trustframework.Broken,
			Reason: "has no metadata key " + operationKey + "; set it to " + set}}
	case written == "":
		return nil, []trustframework.Problem{{At: item.At, Weight: trustframework.Broken,
			Reason: "has an empty " + operationKey + "; set it to " + set}}
	}
	i := slices.IndexFunc(all, func(op operation) bool { return strings.EqualFold(op.name, written) })
	switch {
	case i < 0:
		return nil, []trustframework.Problem{{At: item.At, Weight: trustframework.Broken,
			Reason: "has an " + operationKey + " that there is not for multifactor authentication; set it to " + set + near(written, names)}}
	case all[i].name != written:
		return &all[i], []trustframework.Problem{{At: item.At, Weight: trustframework.Odd,
			Reason: "has an " + operationKey + " in other letters than " + names[i] + "; it is taken for that, and B2C may not do so"}}
	}
	return &all[i], nil
}

// near ends an error about an unknown name with the one that is near to it, if one is. All others would be too many.
func near(name string, known []string) string { return suggest.Few(name, known, 0) }

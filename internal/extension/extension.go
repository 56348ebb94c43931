// Package extension holds the contract of Microsoft Entra External ID's OnOtpSend event, in the words of both sides:
// the receiver that is asked to send a passcode, and the caller that asks.
//
// The receiver needs Decode, Verifier and Continue. The caller needs Event.Encode, Issuer (or a token from elsewhere),
// Caller and Judge. The contract is described in "Custom email OTP provider for custom authentication extensions" and
// "Reference: OnOtpSend event" (learn.microsoft.com/entra/identity-platform, custom-extension-email-otp-get-started
// and custom-extension-email-otp-send-data). Where those pages leave something open, the comments say what was chosen.
package extension

import "strings"

// Constants of the event and its answer (custom-extension-email-otp-send-data). The request's types begin in lower
// case and the answer's in upper case; neither has the leading "#" that Graph uses elsewhere.
const (
	EventType    = "microsoft.graph.authenticationEvent.emailOtpSend"
	CalloutType  = "microsoft.graph.onOtpSendCalloutData"
	ResponseType = "microsoft.graph.OnOtpSendResponseData"
	ContinueType = "microsoft.graph.OtpSend.continueWithDefaultBehavior"
)

// EntraClient is the application id of "Azure Active Directory Authentication Extensions", the first-party client
// whose tokens Entra presents to every extension (custom-extension-overview, "Protect your REST API").
const EntraClient = "99045fe1-7639-4a75-9d4a-577b6ca3810f"

// sameType compares two OData type names: case does not count, nor does a leading "#" in got.
func sameType(got, want string) bool {
	return lower(strings.TrimPrefix(got, "#")) == lower(want)
}

// lower maps A-Z to a-z and leaves every other character alone: names on the wire are ASCII, and Unicode folding would
// let a Kelvin sign stand for a k.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i] >= 'A' && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

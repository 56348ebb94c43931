package extension

import "strconv"

// Code is Entra's own number for what went wrong with a call to an extension; zero is no error. It is shown in the
// sign-in logs under "Authentication Events" (custom-extension-troubleshoot, "Error codes reference").
type Code int

// The codes that a call can end with. 1003004 (throttled) is left out: it is about Entra's own limits, and a
// receiver's 429 is an HTTP status that was not accepted.
const (
	InvalidHTTPStatus      Code = 1003002
	InvalidResponseBody    Code = 1003003
	TimedOut               Code = 1003005
	InvalidContentType     Code = 1003006
	EmptyResponse          Code = 1003009
	InvalidNumberOfActions Code = 1003010
	InvalidActionType      Code = 1003012
	ResponseSizeExceeded   Code = 1003024
	ConnectionError        Code = 1003027
)

// Codes lists every code a call can end with.
func Codes() []Code {
	return []Code{InvalidHTTPStatus, InvalidResponseBody, TimedOut, InvalidContentType, EmptyResponse,
		InvalidNumberOfActions, InvalidActionType, ResponseSizeExceeded, ConnectionError}
}

// String is the name that Entra shows.
func (c Code) String() string {
	switch c {
	case 0:
		return "none"
	case InvalidHTTPStatus:
		return "CustomExtensionInvalidHTTPStatus"
	case InvalidResponseBody:
		return "CustomExtensionInvalidResponseBody"
	case TimedOut:
		return "CustomExtensionTimedOut"
	case InvalidContentType:
		return "CustomExtensionInvalidResponseContentType"
	case EmptyResponse:
		return "CustomExtensionEmptyResponse"
	case InvalidNumberOfActions:
		return "CustomExtensionInvalidNumberOfActions"
	case InvalidActionType:
		return "CustomExtensionInvalidActionType"
	case ResponseSizeExceeded:
		return "CustomExtensionResponseSizeExceeded"
	case ConnectionError:
		return "CustomExtensionConnectionError"
	}
	return "code " + strconv.Itoa(int(c))
}

// retried is the table of what a caller tries again. Only the timeout has been observed; that the service also
// repeats what a second try can mend is an assumption, as is that it leaves alone what a second try cannot mend
// (Entra's wording for such an extension is "non-retryable error", AADSTS1100001).
func retried(c Code, status int) bool {
	switch c {
	case TimedOut, ConnectionError:
		return true
	case InvalidHTTPStatus:
		return status == 429 || status >= 500
	}
	return false
}

package provider

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/outbox"
)

// awsCredentials says what the first question to a service came to. A key that may not ask is a good one all the same:
// the service knew it.
func awsCredentials(r reply, fault *outbox.Fault) Finding {
	f := Finding{Subject: "credentials", Verdict: Good, Found: "Amazon knows them."}
	name, _ := awsError(r)
	switch strings.TrimSuffix(name, "Exception") {
	case "AccessDenied", "AuthorizationError", "NotAuthorized":
		f.Found = "Amazon knows them; they may not look at the account."
	case "InvalidClientTokenId", "UnrecognizedClient":
		f.Verdict, f.Found = Bad, "Amazon does not know the access key ("+name+")."
		f.Do = "Check access_key_id and region; a key that begins with ASIA needs its session_token, and ends after some hours."
	case "ExpiredToken":
		f.Verdict, f.Found, f.Do = Bad, "The session token has ended.", "Get a new temporary key, or use one that does not end."
	case "SignatureDoesNotMatch", "InvalidSignature", "RequestExpired", "IncompleteSignature":
		f.Verdict, f.Found = Bad, "Amazon does not believe the signature ("+name+")."
		f.Do = "Check secret_access_key, region and this machine's clock."
	case "OptInRequired":
		f.Verdict, f.Found, f.Do = Bad, "The account does not have the service.", "Sign up for it in Amazon's console."
	default:
		if fault != nil {
			return credentials(fault, "Check access_key_id, secret_access_key and region.")
		}
	}
	return f
}

// awsSkew is how far clocks may be apart (AWS IAM User Guide, "Troubleshoot Signature Version 4").
const awsSkew = 5 * time.Minute

// clockFinding compares this machine's clock with the answer's Date. There is none while they agree.
func clockFinding(r reply, now time.Time) []Finding {
	at, err := http.ParseTime(r.Header.Get("Date"))
	if err != nil {
		return nil
	}
	off := now.Sub(at)
	if off.Abs() < awsSkew {
		return nil
	}
	return []Finding{{Subject: "clock", Verdict: Bad,
		Found: fmt.Sprintf("This machine's clock is %s away from Amazon's.", off.Abs().Round(time.Second)),
		Do:    "Set the clock by NTP; signatures of another time are refused."}}
}

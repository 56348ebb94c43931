package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// ask gets a page of the vendor's API and decodes it. The fault is not nil when there is nothing to be read in out.
func (v *vendor) ask(ctx context.Context, path string, header http.Header, out any) *outbox.Fault {
	r, fault := v.do(ctx, call{Method: http.MethodGet, Path: path, Header: header})
	if fault != nil {
		return fault
	}
	return understood(r, out)
}

// understood decodes an answer that is not a refusal.
func understood(r reply, out any) *outbox.Fault {
	if !r.Whole {
		return unread(r)
	}
	if json.Unmarshal(r.Body, out) != nil {
		return outbox.Faultf(outbox.Ambiguous, fmt.Sprint(r.Status), "the answer cannot be read")
	}
	return nil
}

// credentials says what the answer to a question that needs nothing but good credentials came to. do is what to do when
// they are refused.
func credentials(fault *outbox.Fault, do string) Finding {
	f := Finding{Subject: "credentials", Verdict: Good, Found: "The vendor knows them."}
	switch {
	case fault == nil:
	case fault.Code == "401" || fault.Code == "403":
		f.Verdict, f.Found, f.Do = Bad, "The vendor refuses them ("+fault.Code+").", do
	case fault.Class == outbox.Account:
		f.Verdict, f.Found = Bad, "The endpoint does not answer as the vendor's API does ("+fault.Error()+")."
		f.Do = "Check the setting endpoint, and the name of the region in it."
	default:
		f.Verdict, f.Found = Doubtful, "The vendor could not be asked: "+fault.Error()+"."
		f.Do = "Check that this machine may reach the endpoint, and try again."
	}
	return f
}

// unseen is the finding about something that the credentials may not look at, or that could not be looked at now.
func unseen(subject string, fault *outbox.Fault) Finding {
	f := Finding{Subject: subject, Verdict: Doubtful, Found: "It could not be looked at: " + fault.Error() + "."}
	if fault.Class == outbox.Account {
		f.Found = "These credentials may not look at it."
		f.Do = "Look in the vendor's console, or use credentials that may read it for this check."
	}
	return f
}

// under reports whether a domain lies under parent.
func under(domain, parent string) bool {
	return parent != "" && strings.HasSuffix(strings.ToLower(domain), "."+strings.ToLower(parent))
}

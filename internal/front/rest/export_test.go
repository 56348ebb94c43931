package rest

import (
	"net/http"

	"github.com/otpost/otpost/internal/authenticator"
	"github.com/otpost/otpost/internal/passcode"
)

// Told is how a reason is told over this door.
func Told(reason passcode.Reason) (status int, code, title, detail string, ok bool) {
	r, ok := reasons[reason]
	return r.status, r.code, r.title, details[reason], ok
}

// DeviceTold is how a reason of an authenticator is told over this door.
func DeviceTold(reason authenticator.Reason) (status int, code, title string, ok bool) {
	r, ok := deviceReasons[reason]
	return r.status, r.code, r.title, ok
}

// Members are the members each request body is read with, and whether each is required.
func Members() map[string]map[string]bool {
	return map[string]map[string]bool{
		"IssueRequest":    names(issueMembers),
		"VerifyRequest":   names(verifyMembers),
		"VerifyToRequest": names(verifyToMembers),
		"ResendRequest":   names(resendMembers),
		"EnrolRequest":    names(enrolMembers),
	}
}

func names[T any](members []member[T]) map[string]bool {
	out := map[string]bool{}
	for _, m := range members {
		out[m.name] = m.required
	}
	return out
}

// DecodeIssue reads a body the way POST /v1/passcodes does, and returns what the fingerprint is made of.
func DecodeIssue(w http.ResponseWriter, r *http.Request) (to string, metadata map[string]string, canonical []byte, err error) {
	q, err := decode(w, r, issueMembers, false)
	if err != nil {
		return "", nil, nil, err
	}
	return q.To, q.Metadata, q.canonical(), nil
}

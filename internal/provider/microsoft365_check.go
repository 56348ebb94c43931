package provider

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/otpost/otpost/internal/outbox"
)

// Check gets a token, looks into it for the permission, and asks for the mailbox's user, which the application may see
// only with a permission that sending does not need.
func (s *microsoft365Sender) Check(ctx context.Context) []Finding {
	var found []Finding
	if c := s.tokens.app.certificate; c != nil {
		found = append(found, c.check(s.now()))
	}
	token, fault := s.tokens.get(ctx)
	if fault != nil {
		return append(found, entraFinding(fault))
	}
	found = append(found, Finding{Subject: "credentials", Verdict: Good, Found: "Microsoft Entra gives a token"})
	return append(found, mailSendFinding(token), s.checkMailbox(ctx))
}

// entraFinding says why there is no token.
func entraFinding(fault *outbox.Fault) Finding {
	f := Finding{Subject: "credentials", Verdict: Bad, Found: fault.Error(), Do: "Check tenant_id, client_id and the client's secret or certificate."}
	switch {
	case fault.Class == outbox.Transient && fault.Code == "":
		f.Do = "Check authority, and that this machine may connect to it."
	case fault.Class == outbox.Transient, fault.Class == outbox.Throttled:
		f.Verdict, f.Do = Doubtful, "Check again later."
	}
	return f
}

// mailSendFinding looks for the application permission in the roles of a token. A token is Graph's to read, so one that
// cannot be read says nothing; and Exchange can allow what Entra does not.
func mailSendFinding(token string) Finding {
	f := Finding{Subject: "permission Mail.Send", Verdict: Doubtful,
		Do: "Grant the application permission Mail.Send with admin consent, unless Role Based Access Control for Applications in Exchange gives it."}
	var claims struct {
		Roles []string `json:"roles"`
	}
	parts := strings.Split(token, ".")
	payload, err := []byte(nil), error(nil)
	if len(parts) == 3 {
		payload, err = base64.RawURLEncoding.DecodeString(parts[1])
	}
	switch {
	case err != nil || json.Unmarshal(payload, &claims) != nil:
		f.Found, f.Do = "the token cannot be looked into", "Send a test message."
	case slices.Contains(claims.Roles, "Mail.Send"):
		f.Verdict, f.Found, f.Do = Good, "the token has it", ""
	default:
		f.Found = "the token does not have it"
	}
	return f
}

// checkMailbox asks for the user (GET /users/{id}, learn.microsoft.com, "Get a user").
func (s *microsoft365Sender) checkMailbox(ctx context.Context) Finding {
	f := Finding{Subject: "mailbox", Verdict: Doubtful}
	path := "/v1.0/users/" + url.PathEscape(s.mailbox(s.from.Address)) + "?$select=mail"
	r, fault := s.tokens.do(ctx, s.vendor, call{Method: http.MethodGet, Path: path})
	var user struct {
		Mail string `json:"mail"`
	}
	switch {
	case fault == nil && json.Unmarshal(r.Body, &user) == nil && user.Mail != "":
		f.Verdict, f.Found = Good, "the user is there and has a mail address"
	case fault == nil:
		f.Found, f.Do = "the user is there and has no mail address", "Give the user a license with Exchange Online."
	case r.Status == http.StatusForbidden:
		f.Found = "the application may not look at users, which it need not"
		f.Do = "Send a test message, or grant the application permission User.Read.All for this check."
	case r.Status == http.StatusNotFound && s.settings.Mailbox != "":
		f.Verdict, f.Found, f.Do = Bad, "there is no such user", "Set mailbox to the user principal name or the object id of a user with a mailbox."
	case r.Status == http.StatusNotFound:
		f.Found = "no user signs in with the sender address, which may be another address of a mailbox"
		f.Do = "Set mailbox to the user principal name or the object id of the user whose mailbox sends."
	case r.Status == http.StatusUnauthorized:
		f.Verdict, f.Found = Bad, "Microsoft Graph refuses the token"
		f.Do = "Check that endpoint and authority belong to the same cloud."
	default:
		f.Found, f.Do = s.understand(r, fault, &outbox.Message{}).Error(), "Check that this machine may connect to the endpoint, and check again later."
	}
	return f
}

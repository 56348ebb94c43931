package auth0

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/otpost/otpost/internal/front"
	"github.com/otpost/otpost/internal/registry"
)

// refusal is an answer that is no success, in the form of Auth0's errors: {statusCode, error, message, errorCode}
// (Management API v2; npm auth0 7.1.0 hands the body on as it comes).
type refusal struct {
	status int
	code   string
	text   string
}

func (r *refusal) Error() string { return r.code + ": " + r.text }

// The answers that are always the same. Clients compare errorCode; the text is for people.
var (
	errMethod   = &refusal{http.StatusMethodNotAllowed, "method_not_allowed", "This path takes GET, POST, PATCH and DELETE."}
	errNoToken  = &refusal{http.StatusUnauthorized, "key_missing", "Missing authentication: send an admin key as Authorization: Bearer KEY."}
	errBadToken = &refusal{http.StatusUnauthorized, "key_invalid", "Invalid token: the key is malformed, unknown or revoked."}
	errNoRight  = &refusal{http.StatusForbidden, "insufficient_scope", "Insufficient scope: this is a key of an application; an admin key is needed: otpost key create --admin."}
	errNone     = &refusal{http.StatusNotFound, "inexistent_email_provider", "There is no configured email provider; POST makes one."}
	errExists   = &refusal{http.StatusConflict, "email_provider_conflict", "There is a configured email provider already; PATCH changes it, DELETE removes it."}
	errChanged  = &refusal{http.StatusConflict, "email_provider_changed", "Somebody else has changed the email provider in this moment; look at it, and try again."}
	errMedia    = &refusal{http.StatusUnsupportedMediaType, "unsupported_media_type", "Send the body as application/json."}
	errTooLarge = &refusal{http.StatusRequestEntityTooLarge, "body_too_large", "The body is larger than 64 KiB."}
	errInternal = &refusal{http.StatusInternalServerError, "internal", "Something went wrong on our side. The request id in X-Request-Id leads to it in the log."}
	errAway     = &refusal{http.StatusServiceUnavailable, "unavailable", "The database cannot be reached. Try again after Retry-After."}
)

// badBody and badQuery make the refusals of what a client wrote.
func badBody(text string) *refusal {
	return &refusal{http.StatusBadRequest, "invalid_body", "Payload validation error: " + sentence(text)}
}
func badQuery(text string) *refusal {
	return &refusal{http.StatusBadRequest, "invalid_query_string", "Query validation error: " + sentence(text)}
}

// inUse is the refusal of a removal that others stand in the way of.
func inUse(text string) *refusal {
	return &refusal{http.StatusConflict, "email_provider_in_use", "The email provider is in use elsewhere: " + sentence(text)}
}

// sentence ends a text that may be a question.
func sentence(text string) string {
	if strings.HasSuffix(text, "?") || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// refuse answers. What is no refusal is ours: the log gets its text, the caller does not.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var known *refusal
	if !errors.As(err, &known) {
		known = errInternal
		var passing interface{ Temporary() bool }
		if errors.As(err, &passing) && passing.Temporary() {
			known = errAway
		}
		if h.Log != nil && r.Context().Err() == nil {
			h.Log.LogAttrs(r.Context(), slog.LevelError, "request failed", slog.String("doing", "change the email provider"),
				slog.String(front.RequestIDKey, front.RequestID(r.Context())), slog.Any("error", err))
		}
	}
	switch known {
	case errMethod:
		w.Header().Set("Allow", "GET, HEAD, POST, PATCH, DELETE")
	case errNoToken:
		w.Header().Set("WWW-Authenticate", `Bearer realm="otpost"`)
	case errBadToken:
		w.Header().Set("WWW-Authenticate", `Bearer realm="otpost", error="invalid_token"`)
	case errNoRight:
		w.Header().Set("WWW-Authenticate", `Bearer realm="otpost", error="insufficient_scope"`)
	case errAway:
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, known.status, struct {
		Status  int    `json:"statusCode"`
		Error   string `json:"error"`
		Message string `json:"message"`
		Code    string `json:"errorCode"`
	}{known.status, http.StatusText(known.status), known.text, known.code})
}

// reword turns the registry's errors into refusals that name fields as the client wrote them.
func (s *setup) reword(err error) error {
	var invalid *registry.Invalid
	switch {
	case errors.Is(err, registry.ErrVersion), errors.Is(err, registry.ErrChanged), errors.Is(err, registry.ErrNoDocument):
		if s.isNew() {
			return errExists
		}
		return errChanged
	case errors.As(err, &invalid):
		return badBody(s.problems(invalid))
	}
	return err
}

// problems says what is wrong with documents. What follows from a provider that cannot be is left out.
func (s *setup) problems(invalid *registry.Invalid) string {
	var ours, others []string
	for _, p := range invalid.Problems {
		text := (&registry.Invalid{Problems: []registry.Problem{p}}).Error()
		if about, ok := strings.CutPrefix(text, string(registry.ProviderKind)+" "+name+": "); ok {
			ours = append(ours, s.inTheirWords(about))
		} else {
			others = append(others, text)
		}
	}
	if len(ours) > 0 {
		return strings.Join(ours, "; ")
	}
	return strings.Join(others, "; ")
}

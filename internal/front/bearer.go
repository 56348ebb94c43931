package front

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/otpost/otpost/internal/access"
)

// Gate lets callers with an API key pass (RFC 6750 §2.1) and refuses all others before a byte of the body is read. It
// passes the keys of applications, or those that may change settings.
type Gate struct {
	Access access.Authenticator
	Log    *slog.Logger
	// Admin passes keys that may change settings instead of those of applications.
	Admin bool
	// Basic takes the key as the password of HTTP Basic too (RFC 7617), whatever the user name.
	Basic bool
}

// Guard is next behind the gate.
func (g Gate) Guard(next func(http.ResponseWriter, *http.Request, access.Caller)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := g.token(r.Header["Authorization"])
		if !ok {
			g.challenge(w, r, token == "")
			return
		}
		caller, err := g.Access.Authenticate(r.Context(), token)
		switch {
		case errors.Is(err, access.ErrNoAccess):
			g.challenge(w, r, false)
		case err != nil:
			Fail(w, r, g.Log, "authenticate", err)
		case g.Admin && !caller.Admin:
			forbid(w, r, Problem{Code: "admin_key_required", Title: "Admin key required",
				Detail: "This key is an application's and may not see or change settings. Use an admin key: otpost key create --admin."})
		case !g.Admin && caller.Application.ID == "":
			forbid(w, r, Problem{Code: "application_key_required", Title: "Application's key required",
				Detail: "This key is for settings alone. Use a key of an application: otpost key create --application NAME."})
		default:
			next(w, r, caller)
		}
	})
}

// challenge answers 401 (RFC 6750 §3): with no error code when no key was presented, else with invalid_token, which
// covers malformed, unknown and revoked keys alike (§3.1).
func (g Gate) challenge(w http.ResponseWriter, r *http.Request, absent bool) {
	if g.Basic {
		w.Header().Add("WWW-Authenticate", `Basic realm="otpost", charset="UTF-8"`)
	}
	if absent {
		w.Header().Add("WWW-Authenticate", `Bearer realm="otpost"`)
		detail := "Send the application's API key as Authorization: Bearer KEY."
		if g.Basic {
			detail = "Send the application's API key as Authorization: Bearer KEY, or as the password of HTTP Basic."
		}
		Problem{Status: http.StatusUnauthorized, Code: "key_missing", Title: "API key missing", Detail: detail}.Write(w, r)
		return
	}
	w.Header().Add("WWW-Authenticate",
		`Bearer realm="otpost", error="invalid_token", error_description="the API key is malformed, unknown or revoked"`)
	Problem{Status: http.StatusUnauthorized, Code: "key_invalid", Title: "API key not valid",
		Detail: "The API key is malformed, unknown or revoked."}.Write(w, r)
}

// forbid answers 403 to a good key without the right (RFC 6750 §3.1).
func forbid(w http.ResponseWriter, r *http.Request, p Problem) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="otpost", error="insufficient_scope"`)
	p.Status = http.StatusForbidden
	p.Write(w, r)
}

// token reads the key out of the Authorization headers, as bearer does.
func (g Gate) token(headers []string) (token string, ok bool) {
	if !g.Basic || len(headers) != 1 {
		return bearer(headers)
	}
	_, password, basic := (&http.Request{Header: http.Header{"Authorization": headers}}).BasicAuth()
	if !basic {
		return bearer(headers)
	}
	return bearer([]string{"Bearer " + password})
}

// bearer reads the token out of the Authorization headers. ok is false when there is none that could be a key; token
// is then not empty if something was presented.
func bearer(headers []string) (token string, ok bool) {
	if len(headers) == 0 {
		return "", false
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	token = strings.Trim(token, " ")
	if len(headers) > 1 || token == "" || len(token) > 512 || strings.Trim(token, b64token) != "" {
		return "-", false
	}
	return token, true
}

// b64token is the alphabet of a bearer token (RFC 6750 §2.1).
const b64token = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="

// Fail answers for an error that is ours: the log gets its text, the caller does not. A request whose client left, or
// whose time ran out, is no fault and is not logged as one.
func Fail(w http.ResponseWriter, r *http.Request, log *slog.Logger, doing string, err error) {
	failed(r, log, doing, err).Write(w, r)
}

// Fail is Fail for a page: a browser is shown one in place of the problem document.
func (s *Shell) Fail(w http.ResponseWriter, r *http.Request, log *slog.Logger, doing string, err error) {
	p := failed(r, log, doing, err)
	w.Header().Add("Vary", "Accept")
	if !PrefersHTML(r.Header.Get("Accept")) {
		p.Write(w, r)
		return
	}
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", Seconds(p.RetryAfter))
	}
	s.refuse(w, r, p)
}

// failed logs an error that is ours, and is what the caller is told of it.
func failed(r *http.Request, log *slog.Logger, doing string, err error) Problem {
	if r.Context().Err() != nil {
		return Problem{Status: http.StatusServiceUnavailable, Code: "cut_short", Title: "Request cut short",
			Detail: "The request ended before it was answered.", RetryAfter: time.Second}
	}
	if log != nil {
		log.LogAttrs(r.Context(), slog.LevelError, "request failed", slog.String("doing", doing),
			slog.String(RequestIDKey, RequestID(r.Context())), slog.Any("error", err))
	}
	var passing interface{ Temporary() bool }
	if errors.As(err, &passing) && passing.Temporary() {
		return Problem{Status: http.StatusServiceUnavailable, Code: "unavailable", Title: "Database not reachable",
			Detail:     "The database cannot be reached. Try again after Retry-After, with the same Idempotency-Key if there was one.",
			RetryAfter: time.Second}
	}
	return Internal()
}
